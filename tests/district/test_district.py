"""The district's view: believed only when it verifies, and the same state as the gateway's own."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from controller.commands_controller import controller
from controller.district import see
from controller.entries import Chain, FaultRaised, IncidentMoved, IncidentOpened
from controller.errors import BadMessage, BrokenPromise
from controller.records import export, journal

AT_MS = 1_790_043_240_000


def opened(ident: str) -> IncidentOpened:
    return IncidentOpened(ident, "b12", "panic", "K7F3", "b12n1", "ab" * 16, 1, "b1", AT_MS, AT_MS, "r1", "p1")


def exported(path: Path, zone: str, *bodies: IncidentOpened | IncidentMoved | FaultRaised, chain: Chain = Chain.OPEN) -> Path:
    additions = [journal.Addition(chain, AT_MS + n, body) for n, body in enumerate(bodies)]
    heads = {one: journal.genesis(zone, one) for one in Chain}
    rows, _ = journal.append(zone, heads, additions, bytes(16 * len(additions)))
    path.write_bytes(b"".join(export.line_of(zone, chain, row, shown=True) + b"\n" for _, row in rows))
    return path


def test_what_is_open_and_what_needs_mending_is_seen(tmp_path: Path) -> None:
    quiet = exported(tmp_path / "z1", "z1", FaultRaised("f1", "node/b12n1", "late"))
    busy = exported(tmp_path / "z3", "z3", opened("i1"), opened("i2"), opened("i3"), IncidentMoved("i2", "taken", "rosa"),
                    IncidentMoved("i3", "closed", "rosa"))
    first, second = see([busy, quiet])
    assert (first.zone, first.faults, first.nobody_going) == ("z1", ("node/b12n1 late",), 0)
    assert (second.zone, second.entries, second.nobody_going, second.somebody_going) == ("z3", 5, 1, 1)
    shown = CliRunner().invoke(controller, ["zones", str(busy), str(quiet)])
    assert shown.exit_code == 0
    assert [line.split("\t")[0] for line in shown.stdout.splitlines()] == ["zone", "z1", "z3"]


def test_a_changed_journal_is_not_believed(tmp_path: Path) -> None:
    path = exported(tmp_path / "z3", "z3", opened("i1"), IncidentMoved("i1", "taken", "rosa"))
    path.write_text(path.read_text().replace("rosa", "juan"))
    with pytest.raises(BrokenPromise, match="z3"):
        see([path])


def test_a_sealed_chain_and_a_zone_twice_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadMessage, match="sealed"):
        see([exported(tmp_path / "sealed", "z3", opened("i1"), chain=Chain.SEALED)])
    path = exported(tmp_path / "z3", "z3", opened("i1"))
    with pytest.raises(BadMessage, match="one file a zone"):
        see([path, path])
