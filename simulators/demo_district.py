"""The demo's district: the zones that run, who presses, who answers, and what came of each press."""

import asyncio
import contextlib
import random
import shutil
import tempfile
import time
import tomllib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final, NamedTuple

from simulators import demo_broker
from simulators.demo_broker import BrokerKind
from simulators.demo_zone import BlockHere, Press, Told, ZoneHere, zone_names
from simulators.phone_network import Pace
from simulators.site import EXAMPLE

_KINDS: Final = tomllib.loads((EXAMPLE / "policy.toml").read_text(encoding="utf-8"))["kinds"]
PRESSED: Final = frozenset(name for name, kind in _KINDS.items() if kind.get("siren"))
"""What the unattended run presses: what a whole block hears and sees, so that it can be judged from outside."""
POLICE_CALLED: Final = frozenset(name for name, kind in _KINDS.items() if kind.get("police") == "immediately")


class Plan(NamedTuple):
    """What is to run. times: of the modem's pace, 1.0 as a real one. answers: seconds after which a member writes `1`."""

    zones: int = 7
    blocks: int = 1
    broker: BrokerKind | None = None
    times: float = 0.25
    seed: int = 1
    plugged: bool = True
    answers: tuple[float, float] | None = (2.0, 5.0)


class Outcome(NamedTuple):
    """What can be said of one press from outside. The times are ms after the button's contact closed; 0: it was so before; None: not (yet).

    received: the light said so; recorded: the press is in the journal; text: the first one on a member's phone;
    police: their receiver took it; taken: by a member, as the journal has it.
    """

    zone: str
    block: str
    kind: str
    siren: int | None
    received: int | None
    recorded: bool
    text: int | None
    police: int | None
    taken: int | None
    by: str

    @property
    def missing(self) -> list[str]:
        """What keeps this press from being well, in words; empty: nothing."""
        found = {
            "it is not in the journal": not self.recorded,
            "its light never said that it was received": self.received is None,
            "no member got a text": self.text is None,
            "nobody has taken it": self.taken is None,
        }
        return [words for words, is_so in found.items() if is_so]


class District:
    """All that runs."""

    def __init__(self, zones: list[ZoneHere], broker: BrokerKind, plan: Plan, chance: random.Random) -> None:
        self.zones, self.broker, self.plan = zones, broker, plan
        self._chance = chance

    @property
    def blocks(self) -> list[BlockHere]:
        """Every block of every zone."""
        return [block for zone in self.zones for block in zone.blocks]

    @property
    def presses(self) -> list[Press]:
        """All presses so far, oldest first."""
        return sorted((press for block in self.blocks for press in block.presses), key=lambda press: press.at_ms)

    async def press_within(self, seconds: float, count: int, told: Callable[[Press], None]) -> None:
        """Press `count` buttons, spread over `seconds`, in as many blocks as there are, each again only after all others."""
        started = time.monotonic()
        order: list[BlockHere] = []
        pressing = []
        for number in range(count):
            await asyncio.sleep(max(0.0, started + seconds * number / count - time.monotonic()))
            order = order or self._chance.sample(self.blocks, len(self.blocks))
            pressing.append(asyncio.ensure_future(self._press_one(order.pop(), told)))
        await asyncio.gather(*pressing)
        await asyncio.sleep(max(0.0, started + seconds - time.monotonic()))

    async def until_well(self, within_s: float) -> bool:
        """Wait until nothing is missing any more, and what is only shown (the police's answer) is there too; False: in vain."""
        until = time.monotonic() + within_s
        while True:
            outcomes = [self.outcome(press) for press in self.presses]
            if all(not one.missing and (one.police is not None or one.kind not in POLICE_CALLED) for one in outcomes):
                return True
            if time.monotonic() >= until:
                return False
            await asyncio.sleep(0.2)

    def outcome(self, press: Press) -> Outcome:
        """What became of it so far."""
        zone = press.block.zone
        code, taken_at_ms, by, signal = "", 0, "", None
        incident = zone.incident_of(press)
        if incident is not None:
            code, taken_at_ms, by, signal = incident.code, incident.taken_at_ms, incident.by, incident.signal
        lit = min((press.lit[word] for word in ("received", "taken", "on scene") if word in press.lit), default=None)
        text = next((told for told in zone.texts if code and code in told.text), None)
        return Outcome(
            zone.zone, press.block.block, press.kind,
            None if press.siren_boot_ms is None else press.siren_boot_ms - press.at_boot_ms,
            None if lit is None else max(0, lit - press.at_boot_ms),
            zone.recorded(press) is not None,
            None if text is None else max(0, text.at_ms - press.at_ms),
            self._police(zone, signal, press.at_ms),
            max(0, taken_at_ms - press.at_ms) if taken_at_ms else None, by)

    async def _press_one(self, block: BlockHere, told: Callable[[Press], None]) -> None:
        name = self._chance.choice([name for name, kind in block.inputs.items() if kind in PRESSED])
        await block.press(name, told)

    @staticmethod
    def _police(zone: ZoneHere, signal: int | None, pressed_at_ms: int) -> int | None:
        """When the receiver took the signal with this sequence number, by its own clock."""
        event = next((event for event in zone.police.received if event.seq == signal), None)
        return None if event is None else max(0, event.at_ms - pressed_at_ms)


@contextlib.asynccontextmanager
async def running(plan: Plan, told: Callable[[Told], None], say: Callable[[str], None]) -> AsyncIterator[District]:
    """Start the district, give it when every node has been seen by its gateway, and end all of it afterwards.

    Raises CuadraError when something does not start.
    """
    chance = random.Random(plan.seed)
    kind = plan.broker or demo_broker.found()
    pace = Pace(times=plan.times)
    folder = Path(tempfile.mkdtemp(prefix="cuadra-demo-"))
    try:
        with demo_broker.running(kind, folder) as port:
            zones = [
                ZoneHere(folder, zone, name, plan.blocks, port, pace, plugged=plan.plugged, told=told, chance=chance,
                         answers=lambda: None if plan.answers is None else chance.uniform(*plan.answers))
                for zone, name in list(zone_names().items())[: plan.zones]
            ]
            say(f"{len(zones)} zones, {len(zones) * plan.blocks} blocks; broker: {kind} on 127.0.0.1:{port}; seed {plan.seed}; "
                f"modem pace: {pace.times:g} of a real one's time ({pace.send_s * pace.times:.2g} s to send a text, "
                f"{pace.deliver_s * pace.times:.2g} s to deliver it; real: {pace.send_s:g} and {pace.deliver_s:g} s)")
            try:
                for zone in zones:
                    await zone.start()
                await asyncio.gather(*(zone.ready() for zone in zones))
                yield District(zones, kind, plan, chance)
            finally:
                await asyncio.gather(*(zone.stop() for zone in zones))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
