"""A node whose card has become read-only is restarted again and again: every press of it is on record, each once."""

import os
import subprocess
from pathlib import Path

import pytest

from controller.entries import PressRecorded
from node_firmware.effects import Light
from node_firmware.lights import BLINKS
from tests.zone import NODE_COMMAND, Zone, until

pytestmark = pytest.mark.whole

NODE, BUTTON = "z3b02n1", "b1"
MOUNTED = 'mount --bind "$0" "$0" && mount -o remount,bind,ro,nosuid,nodev,noexec "$0" && exec "$@"'


def read_only(folder: Path) -> list[str]:
    """What runs a command for which this folder is on a read-only file system."""
    own_root = [] if os.geteuid() == 0 else ["--map-root-user"]
    mounted = ["unshare", *own_root, "--mount", "sh", "-c", MOUNTED, str(folder)]
    if subprocess.run([*mounted, "true"], check=False, capture_output=True).returncode == 0:
        return mounted
    # A container that may mount nothing: modes, for a process without root's power to pass over them.
    for path in (*folder.iterdir(), folder):
        path.chmod(path.stat().st_mode & ~0o222)
    return ["setpriv", "--inh-caps=-all", "--bounding-set=-all"] if os.geteuid() == 0 else []


async def test_every_press_of_a_node_with_a_read_only_card_is_on_record(zone: Zone) -> None:
    node = await zone.node(NODE)
    zone.kill_gateway()
    await node.hold(BUTTON)
    await node.light(BUTTON, BLINKS[Light.SAVED])
    node.kill()
    await zone.start_gateway()

    command = [*read_only(node.config.data), *NODE_COMMAND]
    for life in range(1, 4):
        await node.start(command)
        await until(lambda life=life: len(zone.bodies(PressRecorded)) == life, what="what the card holds")  # type: ignore[misc]  # bound at once
        await node.hold(BUTTON)
        await until(lambda life=life: len(zone.bodies(PressRecorded)) == life + 1, what=f"the press of life {life}")  # type: ignore[misc]  # bound at once
        node.kill()

    presses = zone.bodies(PressRecorded)
    assert [press.seq for press in presses] == [1, 1, 1, 1], "each life counts from 1, since none can note what it has used"
    assert len({press.boot for press in presses}) == 4
    assert {press.conflicts_with for press in presses} == {""}
    assert "disk-read-only" in node.log.read_text(encoding="utf-8")
    await zone.verify()
