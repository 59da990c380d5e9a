"""The made-up zone's registry is one that the gateway can bring in."""

from pathlib import Path

from typer.testing import CliRunner

from controller.records import registry_csv
from simulators import fleet_registry
from simulators.fleet import app
from simulators.fleet_registry import Plan


def test_the_folder_is_read_back_whole(tmp_path: Path) -> None:
    plan = Plan("z7", nodes=30, blocks=10, members=4, kinds=("panic", "fire"), webhook="http://127.0.0.1:1/{member}#s")
    fleet_registry.write(tmp_path / "csv", [plan])
    draft = registry_csv.read(tmp_path / "csv").drafts["z7"]
    assert len(draft.nodes) == 30
    assert len(draft.blocks) == 10
    assert len(draft.inputs) == 60
    assert {node.public_key for node in draft.nodes.values()} == {
        fleet_registry.private_key(node).public for node in plan.node_ids()}
    # Each block has exactly one member on duty, so that an incident brings exactly one notice.
    assert sorted(block for shift in draft.shifts.values() for block in shift.blocks) == sorted(draft.blocks)
    assert draft.contacts["z7m0003"] == (("webhook", "http://127.0.0.1:1/z7m0003#s"),)


def test_the_command_writes_what_it_says(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["registry", str(tmp_path / "csv"), "--nodes", "5", "--blocks", "2", "--members", "1"])
    assert done.exit_code == 0, done.output
    draft = registry_csv.read(tmp_path / "csv").drafts["z1"]
    assert len(draft.nodes) == 5
    assert [shift.blocks for shift in draft.shifts.values()] == [()]
