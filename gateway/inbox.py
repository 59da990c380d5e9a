"""What nodes say, from the broker to the core: read, check, drop repeats.

The design's section 4, step 4.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

import msgspec

from controller import messages
from controller.authentication import Direction
from controller.errors import BadMessage, Unavailable
from controller.messages import PAYLOAD_BYTES_MAX, PRESS_EXPIRY_S, Kept, Receipt, Topic, digest_of
from controller.rules.effects import GiveReceipt
from controller.rules.inputs import (
    BadMessageCame,
    BadMessageSort,
    NodeAsked,
    NodeBeat,
    NodeDone,
    NodeOnline,
    PressArrived,
    PressSetAside,
    ZoneInput,
)
from gateway.broker import Arrival
from gateway.keyring import Keyring
from gateway.quarantine import Quarantine

logger = logging.getLogger(__name__)

AGE_MS_MAX: Final = 10 * 366 * 86_400_000
"""An age above ten years is no age."""
REMEMBERED_MAX: Final = 50_000
"""Presses whose repeats are recognised without asking the records."""

ASKED_S_MAX: Final = 1.0
"""How long a press waits for the records to say whether they have it."""

PressKey = tuple[str, str, int]
"""(node, boot, seq)."""
Life = tuple[str, str]
"""(node, boot)."""


class Known(Protocol):
    """What is needed of the records: which presses are there."""

    def lives(self) -> set[Life]:
        """The lives with a press on record. Raises Unavailable."""
        ...

    def known(self, keys: Iterable[PressKey]) -> Mapping[PressKey, frozenset[str]]:
        """Those of `keys` that are on record. Raises Unavailable."""
        ...


class Inbox:
    """Turns arrivals into the core's inputs; `run()` beside it.

    put: gives the core an input. receipt: sends a receipt (for a press that is already on record).
    The records are asked about a press only when its node lived before this process did, or has said more than is remembered:
    a press at rest does not wait for them, and none waits for those that do. Raises Unavailable.
    """

    def __init__(
        self,
        keyring: Keyring,
        records: Known,
        quarantine: Quarantine,
        put: Callable[[ZoneInput], None],
        receipt: Callable[[GiveReceipt], None],
    ) -> None:
        self._keyring = keyring
        self._records = records
        self._quarantine = quarantine
        self._put = put
        self._receipt = receipt
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="reader")
        self._taken: OrderedDict[PressKey, dict[str, Kept | None]] = OrderedDict()
        self._partly_on_record = records.lives()
        self._doubtful: list[PressArrived] = []
        self._doubts = asyncio.Event()
        self._asking: asyncio.Future[Mapping[PressKey, frozenset[str]]] | None = None

    def take(self, arrivals: list[Arrival]) -> None:
        """Give the core what these arrivals say; presses that are repeats get their receipt again."""
        for arrival in arrivals:
            event = self.read(arrival)
            if not isinstance(event, PressArrived):
                self._put(event)
            elif _key(event) in self._taken or _life(event) not in self._partly_on_record:
                self._accept(event)
            else:
                self._doubtful.append(event)
                self._doubts.set()
        while len(self._taken) > REMEMBERED_MAX:
            (node, boot, _), _ = self._taken.popitem(last=False)
            self._partly_on_record.add((node, boot))

    async def run(self) -> None:
        """Ask the records about what may be a repeat, until cancelled."""
        while True:
            await self._doubts.wait()
            self._doubts.clear()
            events, self._doubtful = self._doubtful, []
            try:
                on_record = await self._on_record({_key(event) for event in events})
            except Unavailable as fault:
                # Better told twice than not at all.
                logger.warning("cannot ask the records for repeats: %s", fault)
                for event in events:
                    self._accept(msgspec.structs.replace(event, unchecked=True))
            else:
                for event in events:
                    self._taken.setdefault(_key(event), dict.fromkeys(on_record.get(_key(event), ()), Kept.RECORDED))
                    self._accept(event)

    def committed(self, event: ZoneInput) -> None:
        """What was decided about `event` is on disk: repeats of it may be receipted."""
        if isinstance(event, PressArrived | PressSetAside):
            digests = self._taken.get(_key(event))
            if digests is not None:
                digests[event.digest] = Kept.RECORDED if isinstance(event, PressArrived) else Kept.UNREADABLE

    def read(self, arrival: Arrival) -> ZoneInput:
        """The input that `arrival` is; a bad message where it cannot be used."""
        try:
            topic = Topic.parse(arrival.topic)
        except BadMessage as fault:
            return self._bad(BadMessageSort.FOREIGN_TOPIC, "", arrival, fault)
        key = self._keyring.of(topic.node)
        if key is None:
            return self._bad(BadMessageSort.UNKNOWN_NODE, topic.node, arrival, f"{arrival.topic}: no such node in the registry")
        try:
            key.check(arrival.mac, Direction.UP, arrival.topic, arrival.age or "", arrival.payload)
        except BadMessage as fault:
            return self._bad(BadMessageSort.UNAUTHENTIC, topic.node, arrival, fault)
        if len(arrival.payload) > PAYLOAD_BYTES_MAX:
            return self._bad(BadMessageSort.TOO_BIG, topic.node, arrival, f"{len(arrival.payload)} bytes; expected at most {PAYLOAD_BYTES_MAX}")
        try:
            message = messages.decode(topic.name, arrival.payload)
        except BadMessage as fault:
            return self._bad(BadMessageSort.UNREADABLE, topic.node, arrival, fault)
        match message:
            case messages.Press():
                return self._press(topic.node, message, arrival)
            case messages.Online():
                return NodeOnline(topic.node, message, arrival.retained)
            case messages.Beat():
                return NodeBeat(topic.node, message)
            case messages.Ask():
                return NodeAsked(topic.node, message)
            case messages.Done():
                return NodeDone(topic.node, message)
            case _:
                return self._bad(BadMessageSort.FOREIGN_TOPIC, topic.node, arrival, f"{arrival.topic}: the gateway's own word, not a node's")

    @staticmethod
    def _press(node: str, press: messages.Press, arrival: Arrival) -> PressArrived:
        age_ms, refused = _age_ms(arrival.age)
        waited_ms = 0
        if arrival.expiry_left_s is not None:
            waited_ms = max(0, PRESS_EXPIRY_S - arrival.expiry_left_s) * 1000
        return PressArrived(node, press, digest_of(arrival.payload), age_ms, waited_ms, refused)

    @staticmethod
    def _bad(sort: BadMessageSort, node: str, arrival: Arrival, why: object) -> BadMessageCame:
        return BadMessageCame(sort, node, arrival.topic[:200], digest_of(arrival.payload), len(arrival.payload), str(why)[:500])

    def _accept(self, event: PressArrived) -> None:
        """Give it to the core, unless it was given before."""
        digests = self._taken.setdefault(_key(event), {})
        if event.digest in digests:
            kept = digests[event.digest]
            if kept is not None:
                self._receipt(GiveReceipt(event.node, Receipt(event.digest, kept, event.press.boot, event.press.seq)))
            return
        conflicts_with = next(iter(digests), "")
        digests[event.digest] = None
        self._put(self._quarantine.instead(msgspec.structs.replace(event, conflicts_with=conflicts_with) if conflicts_with else event))

    async def _on_record(self, keys: set[PressKey]) -> Mapping[PressKey, frozenset[str]]:
        if self._asking is not None and not self._asking.done():
            raise Unavailable(f"the records have not answered for over {ASKED_S_MAX:g} s")
        self._asking = asyncio.get_running_loop().run_in_executor(self._thread, self._records.known, keys)
        done, _ = await asyncio.wait({self._asking}, timeout=ASKED_S_MAX)
        if not done:
            # Nobody waits for it any more; what it raises later is what was said now.
            self._asking.add_done_callback(lambda asked: asked.cancelled() or asked.exception())
            raise Unavailable(f"the records have not answered within {ASKED_S_MAX:g} s")
        return self._asking.result()


def _key(event: PressArrived | PressSetAside) -> PressKey:
    return event.node, event.press.boot, event.press.seq


def _life(event: PressArrived) -> Life:
    return event.node, event.press.boot


def _age_ms(age: str | None) -> tuple[int | None, str]:
    """The age a message bears, or why it is none."""
    if age is None or age == "":
        return None, ""
    if age.isascii() and age.isdigit() and len(age) <= 15 and int(age) <= AGE_MS_MAX:
        return int(age), ""
    return None, f"age {age[:40]!r}; expected whole milliseconds from 0 to {AGE_MS_MAX}"
