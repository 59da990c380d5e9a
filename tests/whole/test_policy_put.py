"""A policy is put in force while the gateway runs; one that would leave somebody without anybody is refused, by the command and by the gateway."""

import asyncio
from pathlib import Path

import pytest

from controller.entries import FaultRaised, PolicyInForce
from controller.records import database, policy_store
from controller.records.registry_store import Change
from controller.rules.policy import Policy
from tests.zone import CUADRA, NAME, Zone, until

pytestmark = pytest.mark.whole

TEXT = Path("config/villa-maria/policy.toml").read_text(encoding="utf-8")
BETTER = TEXT + "[zones.z3.kinds.panic]\nenough = 3\n"
LONELY = TEXT + "[zones.z3.kinds.medical]\nsteps = [{ after_s = 0, roles = ['civil-defence'] }]\n"


async def put(zone: Zone, text: str) -> tuple[int, str]:
    file = zone.folder / "new.toml"
    file.write_text(text, encoding="utf-8")
    command = [*CUADRA, "policy", "put", str(file), "--database", zone.site.database, "--author", "coordinator"]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
    out, fault = await process.communicate()
    return process.returncode or 0, (out + fault).decode()


def in_force(zone: Zone) -> list[str]:
    return [body.version for body in zone.bodies(PolicyInForce)]


async def test_a_policy_is_put_in_force_and_stays_so_and_a_lonely_one_is_refused(zone: Zone) -> None:
    first, better = (Policy.parse(text).version for text in (TEXT, BETTER))
    await until(lambda: in_force(zone) == [first], what="the first policy in force")
    code, said = await put(zone, BETTER)
    assert (code, said) == (0, f"zone {NAME}: policy {better} is put, revision 1\n")
    await until(lambda: in_force(zone) == [first, better], what="the better policy in force")

    code, said = await put(zone, LONELY)
    assert code == 2
    assert "medical, at any time: nobody: no member is civil-defence; nothing was changed" in said

    # Put past the command, as when the registry has changed since: the gateway itself judges.
    engine = database.connect(zone.site.database)
    policy_store.put(engine, [NAME], Policy.parse(LONELY), Change("somebody", "test", 1))
    engine.dispose()
    await until(lambda: [body.code for body in zone.bodies(FaultRaised)] == ["policy-refused"], what="the refusal")
    assert "no member is civil-defence" in zone.bodies(FaultRaised)[0].detail

    zone.kill_gateway()
    await zone.start_gateway()
    await until(lambda: [body.code for body in zone.bodies(FaultRaised)] == ["policy-refused"] * 2, what="the refusal again")
    assert in_force(zone) == [first, better]
    await zone.verify()
