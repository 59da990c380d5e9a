"""`cuadra journal`, `cuadra registry`, `cuadra key`, as somebody types them."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import update

from controller.authentication import PrivateKey
from controller.entries import Chain
from controller.records import commitments, database
from controller.records.checkpoint import Signer, read
from controller.records.store import Store
from controller.records.tables import JOURNAL
from tests.records.facts import night, press, told
from tests.typed import Cuadra

EXAMPLE = Path(__file__).parents[2] / "config" / "villa-maria"


@pytest.fixture
def full(store: Store) -> Store:
    """A store with a night, a silent press and an hour's commitment."""
    store.commit(told(*night()))
    store.commit(told(press(9), chain=Chain.SEALED))
    committed, opened = commitments.commitment(store.heads()[Chain.SEALED], bytes(16))
    store.commit([*told(committed), *told(opened, chain=Chain.SEALED)])
    return store


def test_show_tells_each_entry_on_a_line_and_as_json(full: Store, database_url: str, cuadra: Cuadra) -> None:
    done = cuadra("journal", "show", "--database", database_url)
    lines = done.stdout.splitlines()
    assert (done.returncode, len(lines)) == (0, full.heads()[Chain.OPEN].seq)
    assert "incident i1 opened: panic in b12, code K7F3" in lines[2]
    assert "sealed" not in "".join(lines[:-1])
    shown = [json.loads(line) for line in cuadra("journal", "show", "--json", "--after", "2", "--database", database_url).stdout.splitlines()]
    assert (shown[0]["seq"], shown[0]["kind"], shown[0]["body"]["code"]) == (3, "incident.opened", "K7F3")
    sealed = cuadra("journal", "show", "--chain", "sealed", "--database", database_url).stdout
    assert len(sealed.splitlines()) == 2


def test_check_says_whose_language_nobody_is_sent_yet(tmp_path: Path, cuadra: Cuadra) -> None:
    shutil.copytree(EXAMPLE, tmp_path, dirs_exist_ok=True)
    members = tmp_path / "members.csv"
    members.write_text(members.read_text(encoding="utf-8").replace(",patrol,es,", ",patrol,quy,", 1), encoding="utf-8")
    assert "members with language quy are written to in Spanish: its catalogue names no speaker" in cuadra("registry", "check", tmp_path).stderr
    assert cuadra("registry", "check", EXAMPLE).stderr == ""


@pytest.mark.usefixtures("full")
def test_replay_prints_what_stands_now_or_stood_then_of_one_chain(database_url: str, cuadra: Cuadra) -> None:
    now = cuadra("journal", "replay", "--database", database_url)
    assert (now.returncode, now.stderr) == (0, "")
    assert "0 open incidents" in now.stdout
    assert "modem/sim1 hung, since" in now.stdout
    assert "b12n1  life 01234567 since 2026-09-21 14:13:20, gone" in now.stdout
    then = cuadra("journal", "replay", "--at", "2026-09-21T14:13:26", "--database", database_url).stdout
    assert "i1 K7F3  panic in b12, opened 2026-09-21 14:13:22, opened, 1 presses; step 1 due 2026-09-21 14:14:20" in then
    assert "i1-2  alarm to m2 by dc09 (FIRST), try 2, not before 2026-09-21 14:13:25" in then
    assert "modem/sim1" not in then
    sealed = cuadra("journal", "replay", "--chain", "sealed", "--database", database_url).stdout
    assert "b12n1" not in sealed
    wrong = cuadra("journal", "replay", "--at", "gestern", "--database", database_url)
    assert (wrong.returncode, "--at 'gestern': no time; expected one such as" in wrong.stderr) == (2, True)


def test_show_into_head_ends_without_a_traceback(full: Store, database_url: str) -> None:
    for _ in range(20):
        full.commit(told(*(press(100 + full.heads()[Chain.OPEN].seq * 300 + n) for n in range(200))))
    command = f"{sys.executable} -c 'from controller.command_line import main; main()' journal show --database '{database_url}' | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == ""


def test_verify_finds_a_journal_whole_and_does_not_say_how_long_the_sealed_chain_is(full: Store, database_url: str, cuadra: Cuadra) -> None:
    done = cuadra("journal", "verify", "--database", database_url)
    assert (done.returncode, done.stderr) == (0, "")
    open_line, sealed_line = done.stdout.splitlines()
    assert f"{full.heads()[Chain.OPEN].seq} entries" in open_line
    assert sealed_line == "whole   zone z1, sealed chain"


def test_verify_names_the_changed_entry_and_ends_with_1(full: Store, database_url: str, cuadra: Cuadra) -> None:
    with full.engine.begin() as connection:
        changed = next(row for row in full.entries() if row.seq == 3)
        assert changed.kind == "incident.opened"
        content = connection.execute(JOURNAL.select().where(JOURNAL.c.seq == 3)).mappings().one()["bytes"]
        connection.execute(update(JOURNAL).where(JOURNAL.c.seq == 3).values(bytes=bytes(content).replace(b"panic", b"prank")))
    done = cuadra("journal", "verify", "--database", database_url)
    assert done.returncode == 1
    assert "BROKEN  zone z1, open chain: entry 3 was changed: it does not fit its link" in done.stdout
    assert cuadra("journal", "show", "--database", database_url).returncode == 2


def test_a_kept_checkpoint_finds_the_end_cut_off(full: Store, database_url: str, cuadra: Cuadra, tmp_path: Path) -> None:
    key = PrivateKey.at(tmp_path / "signing.key")
    made = cuadra("journal", "checkpoint", "--database", database_url, "--key-file", tmp_path / "signing.key")
    note = tmp_path / "note.txt"
    note.write_text(made.stdout)
    public = cuadra("key", "show", "--checkpoint", tmp_path / "signing.key").stdout.strip()
    assert public == Signer(key, "z1").public
    assert read(made.stdout, public).head == full.heads()[Chain.OPEN]
    assert cuadra("journal", "verify", "--database", database_url, "--checkpoint", note, "--key", public).returncode == 0
    with full.engine.begin() as connection:
        connection.execute(JOURNAL.delete().where(JOURNAL.c.seq > 15, JOURNAL.c.chain == "open"))
    cut = cuadra("journal", "verify", "--database", database_url, "--checkpoint", note)
    assert "UNCHECKED  who signed 1 checkpoints" in cut.stdout
    assert cut.returncode == 1
    assert "the chain ends at entry 15; the checkpoint was taken at entry 18" in cut.stdout
    note.write_text(made.stdout.replace("\n18\n", "\n15\n"))
    forged = cuadra("journal", "verify", "--database", database_url, "--checkpoint", note, "--key", public)
    assert (forged.returncode, "it was altered" in forged.stderr) == (2, True)


def test_the_sealed_chain_cut_off_is_found_through_the_open_one(full: Store, database_url: str, cuadra: Cuadra) -> None:
    with full.engine.begin() as connection:
        connection.execute(JOURNAL.delete().where(JOURNAL.c.chain == "sealed"))
    done = cuadra("journal", "verify", "--database", database_url)
    assert done.returncode == 1
    assert "opened by no entry of the sealed one" in done.stdout


def test_the_gateway_s_own_checkpoint_is_printed(full: Store, database_url: str, cuadra: Cuadra, tmp_path: Path) -> None:
    none = cuadra("journal", "checkpoint", "--database", database_url)
    assert (none.returncode, "no checkpoint yet" in none.stderr) == (2, True)
    signer = Signer(PrivateKey.at(tmp_path / "signing.key"), "z1")
    head = full.heads()[Chain.OPEN]
    note = signer.sign(Chain.OPEN, head, 1_790_000_000_000)
    full.keep_checkpoint(Chain.OPEN, head.seq, 1_790_000_000_000, note)
    full.keep_checkpoint(Chain.OPEN, head.seq, 1_790_000_000_000, note)
    assert cuadra("journal", "checkpoint", "--database", database_url).stdout == note
    assert cuadra("journal", "verify", "--database", database_url, "--key", signer.public).returncode == 0


def test_an_export_is_verified_by_somebody_without_the_database(full: Store, database_url: str, cuadra: Cuadra, tmp_path: Path) -> None:
    for chain, more in (("open", []), ("sealed", []), ("sealed", ["--sealed"])):
        file = tmp_path / "export.jsonl"
        file.write_text(cuadra("journal", "export", "--database", database_url, "--chain", chain, *more).stdout)
        assert ("b12n1" in file.read_text()) == (chain == "open" or bool(more))
        assert cuadra("journal", "verify", "--file", file).returncode == 0
        lines = file.read_text().splitlines()
        file.write_text("\n".join(lines[1:]))
        assert cuadra("journal", "verify", "--file", file).returncode == 1
    assert full.heads()[Chain.SEALED].seq == 2


def test_registry_goes_in_and_out_and_says_what_it_did(database_url: str, cuadra: Cuadra, tmp_path: Path) -> None:
    into = ("--database", database_url, "--key-file", tmp_path / "people.key")
    first = cuadra("registry", "import", EXAMPLE, *into, "--zone", "z3", "--author", "ana")
    assert (first.returncode, first.stderr) == (0, "")
    assert "zone z3: 270 rows changed, revision 1" in first.stdout
    assert "nothing changed, revision 1" in cuadra("registry", "import", EXAMPLE, *into, "--zone", "z3").stdout
    shown = cuadra("registry", "show", "--database", database_url).stdout.splitlines()
    assert shown[1].split("\t")[:3] == ["z3", "Inca Pachacútec", "1"]
    numbers = cuadra("registry", "numbers", "--database", database_url).stdout.splitlines()
    assert numbers[1].split("\t") == ["z3", "001", "panic", "z3b01n1", "b1", "z3b01", *numbers[1].split("\t")[6:]]
    assert [line.split("\t")[1] for line in numbers[1:]] == [f"{n:03}" for n in range(1, len(numbers))]
    assert cuadra("registry", "export", tmp_path / "out", *into).returncode == 0
    assert "nothing changed" in cuadra("registry", "import", tmp_path / "out", *into).stdout
    assert "no zone z9" in cuadra("registry", "show", "--database", database_url, "--zone", "z9").stderr


def test_check_names_faults_without_a_database(cuadra: Cuadra, tmp_path: Path) -> None:
    assert "zone z7: 24 blocks" in cuadra("registry", "check", EXAMPLE).stdout
    assert "are not checked; give --policy" in cuadra("registry", "check", tmp_path).stderr
    assert "is not checked" not in cuadra("registry", "check", tmp_path, "--policy", EXAMPLE / "policy.toml").stderr
    done = cuadra("registry", "check", tmp_path)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 8)


def test_key_show_makes_the_key_and_prints_its_public_half(cuadra: Cuadra, tmp_path: Path) -> None:
    done = cuadra("key", "show", tmp_path / "node.key")
    assert done.stdout.strip() == PrivateKey.at(tmp_path / "node.key").public
    assert (tmp_path / "node.key").stat().st_mode & 0o777 == 0o600


def test_a_database_with_several_zones_asks_which(full: Store, database_url: str, cuadra: Cuadra) -> None:
    other = Store.open(database_url, "z2")
    other.commit(told(press(1)))
    other.close()
    done = cuadra("journal", "show", "--database", database_url)
    assert (done.returncode, "2 zones; expected one of z1, z2; give --zone" in done.stderr) == (2, True)
    assert cuadra("journal", "show", "--database", database_url, "--zone", "z2").returncode == 0
    assert database.is_sqlite(full.engine) or "Traceback" not in done.stderr
