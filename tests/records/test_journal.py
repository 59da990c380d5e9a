"""The chain: its bytes for ever, and every way in which somebody could rewrite it quietly."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller import entries
from controller.entries import KIND_OF, KINDS, Chain, GatewayStarted
from controller.errors import BadMessage, BrokenPromise
from controller.records import commitments, export, journal, words
from controller.records.journal import Addition, Break, Head, Row
from tests.records.facts import BOOT, night, press, told

RECORDED = Path(__file__).parent / "data" / "journal-1.jsonl"
"""An export that version 1 wrote. It must verify for as long as there is a Cuadra; it is never written anew."""
RECORDED_HEAD = "87c2b21090174010968ccd95ffd3c42d9ab0e3fca0fafb8ce2022bc690671e44"


def chain_of(*bodies: entries.Body, zone: str = "z1", chain: Chain = Chain.OPEN, salt: int = 0) -> list[Row]:
    facts = told(*bodies, chain=chain)
    heads = {one: journal.genesis(zone, one) for one in Chain}
    made, _ = journal.append(zone, heads, facts, bytes([salt]) * 16 * len(facts))
    return [row for _, row in made]


def findings(rows: list[Row], known: tuple[Head, ...] = ()) -> list[tuple[Break, int]]:
    return [(finding.broken, finding.seq) for finding in journal.verify("z1", Chain.OPEN, rows, known).findings]


def test_the_bytes_of_version_1() -> None:
    rows = chain_of(GatewayStarted("0.1.0"), press(1, "d" * 32))
    assert rows[0].data == (
        b'{"at_ms":1790000000000,"body":{"version":"0.1.0"},"chain":"open","kind":"gateway.started",'
        b'"salt":"00000000000000000000000000000000","seq":1,"v":1,"zone":"z1"}'
    )
    assert rows[1].data == (
        b'{"at_ms":1790000001000,"body":{"boot":"0123456789abcdef0123456789abcdef","digest":"dddddddddddddddddddddddddddddddd",'
        b'"gesture":"hold","incident":"i1","input":"b1","kind":"panic","meaning":"opens","node":"b12n1",'
        b'"pressed_from_at_ms":1790000000000,"pressed_to_at_ms":1790000000000,"seq":1},"chain":"open","kind":"press",'
        b'"salt":"00000000000000000000000000000000","seq":2,"v":1,"zone":"z1"}'
    )
    assert journal.genesis("z1", Chain.OPEN).link.hex() == "d7cd2d80a046c6255d177eea71f0e26de8b6dec1a09b95d3af1eb2c32f2c417f"
    assert [row.link.hex() for row in rows] == [
        "f1e171619b8a54bd8f6d10865f93aff971f02f27f774c37393626c73f11077d0",
        "47e53223d59398d389f069d41ea7e68bb66ac1f01ee4a830f0b7d9d4ae4b9b2f",
    ]


def test_a_journal_that_version_1_recorded_still_verifies_and_reads() -> None:
    zone, chain, rows = export.read(RECORDED)
    kept = list(rows)
    verdict = journal.verify(zone, chain, kept)
    assert (verdict.findings, verdict.entries) == ((), 24)
    assert verdict.head.link.hex() == RECORDED_HEAD
    examples = _recorded_bodies()
    assert {entry.kind: entry.body for entry in map(journal.decode, kept)} == examples
    assert set(examples) <= set(KINDS), "a kind once released is never taken away"


def test_a_whole_chain_has_no_findings_and_reads_as_it_was_written() -> None:
    rows = chain_of(*night())
    assert findings(rows) == []
    assert [journal.decode(row).body for row in rows] == night()


rows_of_a_night = chain_of(*night())
places = st.integers(0, len(rows_of_a_night) - 1)


@given(place=places, data=st.data())
def test_any_changed_byte_is_found_at_its_entry(place: int, data: st.DataObject) -> None:
    row = rows_of_a_night[place]
    field = data.draw(st.sampled_from(["data", "link"]))
    content = bytearray(getattr(row, field))
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    broken = row._replace(data=bytes(content)) if field == "data" else row._replace(link=bytes(content))
    changed = [*rows_of_a_night[:place], broken, *rows_of_a_night[place + 1:]]
    found = findings(changed)
    assert found
    assert {seq for _, seq in found} <= {row.seq, row.seq + 1}
    assert found[0][1] == row.seq


@given(places=st.sets(places, min_size=1, max_size=len(rows_of_a_night) - 1))
def test_any_dropped_entries_are_found(places: set[int]) -> None:
    kept = [row for place, row in enumerate(rows_of_a_night) if place not in places]
    found = findings(kept, (Head(rows_of_a_night[-1].seq, rows_of_a_night[-1].link),))
    named = {seq for broken, seq in found if broken in {Break.MISSING, Break.TRUNCATED}}
    first_of_each_gap = {place + 1 for place in places if place - 1 not in places}
    assert first_of_each_gap <= named


@given(order=st.permutations(range(len(rows_of_a_night))))
def test_any_other_order_is_found(order: list[int]) -> None:
    moved = [rows_of_a_night[place] for place in order]
    assert bool(findings(moved)) == (order != sorted(order))
    # Renumbered to look right in the table, an entry still says itself which it is.
    renumbered = [row._replace(seq=seq) for seq, row in enumerate(moved, 1)]
    assert {seq for broken, seq in findings(renumbered) if broken is Break.MOVED} == {seq for seq, place in enumerate(order, 1) if seq != place + 1}


def test_an_entry_that_stands_there_twice_is_found() -> None:
    rows = chain_of(press(1), press(2), press(3))
    assert findings([*rows[:2], rows[1], *rows[2:]])[0] == (Break.REPEATED, 2)


def test_entries_of_another_zone_or_chain_are_found() -> None:
    for other in (chain_of(press(1), zone="z2"), chain_of(press(1), chain=Chain.SEALED)):
        assert findings(other) == [(Break.MOVED, 1)]


def test_a_chain_written_anew_fits_in_itself_and_not_to_a_kept_checkpoint() -> None:
    honest, forged = chain_of(press(1), press(2), press(3)), chain_of(press(1), press(9), press(3))
    kept = Head(honest[1].seq, honest[1].link)
    assert findings(forged) == []
    assert findings(honest, (kept,)) == []
    assert findings(forged, (kept,)) == [(Break.FORKED, 2)]
    assert findings(honest[:1], (kept,)) == [(Break.TRUNCATED, 2)]
    assert findings([], (kept,)) == [(Break.TRUNCATED, 1)]


def test_reading_stops_at_the_first_break() -> None:
    rows = chain_of(press(1), press(2), press(3))
    rows[1] = rows[1]._replace(link=bytes(32))
    read = journal.read_chain("z1", Chain.OPEN, rows, journal.genesis("z1", Chain.OPEN))
    assert next(read).seq == 1
    with pytest.raises(BrokenPromise, match="entry 2 was changed"):
        next(read)


def test_a_chain_shown_as_digests_alone_still_verifies(tmp_path: Path) -> None:
    rows = chain_of(*night(), chain=Chain.SEALED)
    file = tmp_path / "sealed.jsonl"
    file.write_bytes(b"\n".join(export.line_of("z1", Chain.SEALED, row, shown=row.seq % 2 == 0) for row in rows))
    assert b"panic" not in file.read_bytes().splitlines()[2]
    zone, chain, read = export.read(file)
    assert journal.verify(zone, chain, read).findings == ()
    lines = file.read_bytes().splitlines()
    file.write_bytes(b"\n".join([*lines[:2], *lines[3:]]))
    assert [finding.broken for finding in journal.verify("z1", Chain.SEALED, export.read(file)[2]).findings] == [Break.MISSING]


def test_a_digest_beside_an_entry_vouches_for_nothing(tmp_path: Path) -> None:
    rows = chain_of(*night())
    kept = Head(rows[-1].seq, rows[-1].link)
    lines = [msgspec.json.decode(export.line_of("z1", Chain.OPEN, row, shown=True)) for row in rows]
    forged = lines[1]
    forged |= {"entry": forged["entry"].replace('"salt":"00', '"salt":"ff'), "digest": journal.digest(rows[1].data).hex()}
    file = tmp_path / "forged.jsonl"
    file.write_bytes(b"\n".join(map(msgspec.json.encode, lines)))

    zone, chain, read = export.read(file)
    assert [(finding.broken, finding.seq) for finding in journal.verify(zone, chain, read, (kept,)).findings] == [(Break.CHANGED, 2)]
    with pytest.raises(BrokenPromise, match="entry 2 was changed"):
        list(journal.read_chain(zone, chain, export.read(file)[2], journal.genesis(zone, chain)))


@pytest.mark.parametrize("content", ["", "rubbish", '{"zone":"z1"}', '{"zone":"z1","chain":"open","seq":1,"link":"xx"}'])
def test_a_file_that_is_no_export_is_named(tmp_path: Path, content: str) -> None:
    file = tmp_path / "no.jsonl"
    file.write_text(content)
    with pytest.raises(BadMessage, match=str(file)):
        list(export.read(file)[2])


def test_an_entry_of_a_later_version_is_refused_by_name() -> None:
    row = chain_of(GatewayStarted("1"))[0]
    with pytest.raises(BrokenPromise, match=r"kind 'gateway\.sang', which this version does not know"):
        journal.decode(row._replace(data=row.data.replace(b"gateway.started", b"gateway.sang")))


@pytest.mark.parametrize("body", [entries.NodeWent("b12n1", None), GatewayStarted(1.5), GatewayStarted("\ud800")])  # type: ignore[arg-type]  # the point
def test_what_is_no_integer_or_text_never_enters_a_chain(body: entries.Body) -> None:
    with pytest.raises(BrokenPromise, match="expected integers and texts"):
        journal.append("z1", {Chain.OPEN: Head(0, b"")}, [Addition(Chain.OPEN, 0, body)], bytes(16))


def test_every_kind_holds_integers_and_texts_alone() -> None:
    def sorts(kind: object) -> set[str]:
        if isinstance(kind, msgspec.inspect.StructType):
            return set().union(*(sorts(field.type) for field in kind.fields))
        if isinstance(kind, msgspec.inspect.VarTupleType):
            return sorts(kind.item_type)
        if isinstance(kind, msgspec.inspect.DictType):
            return sorts(kind.key_type) | sorts(kind.value_type)
        if isinstance(kind, msgspec.inspect.LiteralType):
            return {type(value).__name__ for value in kind.values}
        return {type(kind).__name__.removesuffix("Type").lower()}

    for name, body in KINDS.items():
        assert sorts(msgspec.inspect.type_info(body)) <= {"int", "str"}, name


def test_every_kind_is_told_in_words_on_one_line() -> None:
    for body in _recorded_bodies().values():
        assert words.tell(body).isprintable()
    assert set(map(type, _recorded_bodies().values())) <= set(KINDS.values())
    excluded = entries.ExclusionsInForce((entries.Exclusion("b12n1", "b4", ("m1", "m2")),))
    assert words.tell(excluded) == "exclusions in force: b12n1 b4 never m1 m2"
    assert "\x1b" not in words.tell(entries.FaultRaised("f1", "modem/sim1", "hung", detail="\x1b[2J"))


def test_the_open_chain_holds_the_sealed_one_without_showing_it() -> None:
    sealed_rows = chain_of(press(1), press(2), chain=Chain.SEALED)
    committed, opened = commitments.commitment(Head(2, sealed_rows[1].link), b"s" * 16)
    open_entries = [journal.decode(row) for row in chain_of(committed)]
    sealed = [journal.decode(row) for row in chain_of(press(1), press(2), opened, chain=Chain.SEALED)]
    assert commitments.verify(open_entries, sealed) == []
    assert [finding.broken for finding in commitments.verify(open_entries, sealed[:2])] == [Break.TRUNCATED]
    forged = [journal.decode(row) for row in chain_of(press(1), press(9), opened, chain=Chain.SEALED)]
    assert [finding.broken for finding in commitments.verify(open_entries, forged)] == [Break.FORKED]
    assert commitments.verify([], sealed)
    # A second commitment to the same head looks nothing like the first.
    assert commitments.commitment(Head(2, sealed_rows[1].link), b"t" * 16)[0] != committed


def _recorded_bodies() -> dict[str, entries.Body]:
    """What the recorded journal holds, by kind."""
    examples: dict[str, entries.Body] = {KIND_OF[type(body)]: body for body in night()}
    ref = entries.NoticeQueued("i1-1", "m1", "sms", "alarm", "FIRST", 0, 1, about={"by": "m2"})
    examples |= {
        "notices.queued": entries.NoticesQueued((ref,), incident="i1"),
        "incident.noted": entries.IncidentNoted("i1", "m1", "armed", "sms"),
        "reply": entries.ReplyReceived("sms", "going", "m1", "i1", "p-abcdefgh", "d" * 64),
        "node.silent-life": entries.SilentLifeCame("b12n1", "f" * 32),
        "order.sent": entries.OrderSent("b12n1", BOOT, "o1", "siren-on", "i1"),
        "order.answered": entries.OrderAnswered("b12n1", "o1", 1),
        "node.asked": entries.NodeAskedRecorded("b12n1", BOOT, "b1", 0, "no modem"),
        "bad-message": entries.BadMessageKept("unreadable", "cuadra/v1/z1/b12n1/up/press", "d" * 32, 12, "ño", "b12n1", 3),
        "registry.in-force": entries.RegistryInForce(1, "r" * 64),
        "policy.in-force": entries.PolicyInForce("p" * 64, "[kinds.panic]\n"),
        "gateway.started": GatewayStarted("0.1.0"),
        "sealed.committed": entries.SealedCommitted("c" * 64),
        "commitment.opened": entries.CommitmentOpened("5" * 32, 0, "1" * 64),
    }
    return examples
