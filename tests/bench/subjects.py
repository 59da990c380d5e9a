"""What is measured: a real gateway, or a floor; each a process of its own with a database of its own."""

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from controller.records import registry_csv
from controller.records.registry_draft import Draft
from controller.registry import Member, Role, Shift
from simulators import fleet_registry
from simulators.fleet_registry import ALL_DAY, Plan
from simulators.site import EXAMPLE, Site

READY_S: Final = 120
TICKS: Final = os.sysconf("SC_CLK_TCK")


class Subject:
    """A process that takes presses and notifies. database: where they are stored."""

    def __init__(self, command: Sequence[str], database: Path, log: Path, ready: str) -> None:
        """Start it; it has subscribed when this returns. ready: what it then says."""
        self.database = database
        self._log = log.open("w+b")
        self._process = subprocess.Popen(command, stdout=self._log, stderr=self._log)
        until = time.monotonic() + READY_S
        while ready not in log.read_text():
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{command[0]} did not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.05)

    def stored(self) -> int:
        """How many presses are on disk."""
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as records:
            found = records.execute("SELECT count(*) FROM press").fetchone()
        records.close()
        return int(found[0])

    def cpu_s(self) -> float:
        """Processor time used so far, by all its threads."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory_mb(self) -> float:
        """The most memory that it has had."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024

    def kill(self) -> None:
        """`kill -9`."""
        self._process.kill()
        self._process.wait()
        self._log.close()

    def end(self) -> None:
        """Stop it."""
        self._process.terminate()
        self._process.wait(timeout=30)
        self._log.close()


def floor(name: str, folder: Path, broker_port: int, sink_port: int, zone: str) -> Subject:
    """One of the floors: `single` or `group`."""
    folder.mkdir()
    database = folder / "floor.db"
    command = [sys.executable, "-m", f"tests.bench.floor_{name}", str(broker_port), f"cuadra/v1/{zone}/+/up/#", str(sink_port), str(database)]
    return Subject(command, database, folder / "log", "ready")


def policy(kinds: Sequence[str], police: str) -> str:
    """The example district's, and each of `kinds`: an emergency of its own, with a siren, told to the patrol on duty at once."""
    example = (EXAMPLE / "policy.toml").read_text(encoding="utf-8")
    return "\n".join([example, *(KIND.format(kind=kind, on_ms=200 + 5 * place, police=police) for place, kind in enumerate(kinds))])


def site(folder: Path, plan: Plan, broker_port: int, further: Sequence[tuple[str, str, str]] = ()) -> Site:
    """A gateway's folder with the plan's registry imported. further: members as (id, role, contact), each told as well."""
    whole = Site(folder, plan.zone, broker_port)
    draft = fleet_registry.draft(plan)
    for member, role, contact in further:
        _add(draft, plan.zone, member, role, contact)
    files = folder / "made"
    registry_csv.write(files, [draft])
    whole.bring_in(files)
    return whole


def gateway(whole: Site, policy_text: str, channels: Sequence[str]) -> Subject:
    """The gateway of that folder."""
    file = whole.folder / "policy.toml"
    file.write_text(policy_text, encoding="utf-8")
    whole.write_gateway(channels, file)
    command = [str(Path(sys.executable).with_name("cuadra")), "gateway", "run", "-c", str(whole.gateway_file)]
    return Subject(command, whole.folder / "gateway.db", whole.folder / "log", "broker 127.0.0.1:")


def _add(draft: Draft, zone: str, member: str, role: str, contact: str) -> None:
    draft.members[member] = Member(member, zone, member, (Role(role),))
    draft.names[member] = member
    way, _, address = contact.partition(":")
    draft.contacts[member] = ((way, address),)
    draft.shifts[f"{member}s"] = Shift(f"{member}s", zone, member, Role(role), ALL_DAY, ALL_DAY)


KIND: Final = """
[kinds.{kind}]
audible = true
siren = true
rank = 1
group = "{kind}"
pattern = [[{on_ms}, 333]]
police = "{police}"
codes = {{ cid = "120", sia = "PA", restore_sia = "PR", cap_category = "Security", cap_event = "Pánico", severity = "Severe" }}
[[kinds.{kind}.steps]]
after_s = 0
roles = ["patrol"]
"""
