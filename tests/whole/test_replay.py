"""The record is the state: what a killed gateway stood on is what its journal folds to, and what its next life stands on."""

import asyncio
import json
import time
from typing import Any

import pytest

from tests.zone import Zone

pytestmark = pytest.mark.whole

REPRESENTATIVE = "+51900000314"


async def still(zone: Zone) -> str:
    """The gateway's picture, when it has stopped changing."""
    seen, before = await zone.picture(), ""
    while seen != before:
        await asyncio.sleep(1)
        seen, before = await zone.picture(), seen
    return seen


def standing(picture: str) -> dict[str, Any]:
    """What a restart must not change; a part of the gateway that is well again ends its fault."""
    return {name: value for name, value in json.loads(picture).items() if name in {"incidents", "nodes", "registry", "policy"}}


async def test_what_the_gateway_stood_on_when_it_was_killed_is_in_its_journal(zone: Zone) -> None:
    node = await zone.node("z3b01n1")
    other = await zone.node("z3b02n1")
    await node.hold("b1")
    await other.hold("b1")
    await zone.phones.phone(REPRESENTATIVE).expects("PANICO", "1=voy", within_s=20)
    zone.phones.phone(REPRESENTATIVE).writes("1")
    await zone.recorded("taken by z3rep01")
    other.kill()
    await zone.recorded("z3b02n1 went")

    lived = await still(zone)
    zone.kill_gateway()
    assert await zone.replayed() == lived
    seen = json.loads(lived)
    assert [(one["block"], one["state"]) for one in seen["incidents"]] == [("z3b01", "taken"), ("z3b02", "opened")]
    assert all(one["due_at_ms"] for one in seen["incidents"]), "each has a next step"
    assert [one["node"] for one in seen["nodes"] if one.get("gone")] == ["z3b02n1"]

    assert {one["timer"] for one in seen["timers"]} >= {"police"}

    await zone.start_gateway()
    after = json.loads(await zone.picture())
    assert standing(json.dumps(after)) == standing(lived), "and the next life goes on with the timers where they stood"
    now_ms = time.time() * 1000
    assert [one for one in seen["timers"] if one not in after["timers"] and one["due_at_ms"] > now_ms] == []
