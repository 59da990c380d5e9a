"""Small words for the gateway's tests."""

import asyncio
import threading
import time
from collections.abc import Callable

from controller.entries import Body, Chain, FaultRaised, NoticeQueued
from controller.errors import Unavailable
from controller.instants import Now
from controller.messages import Gesture, Kept, Press, Receipt, SirenOn, digest_of, encode
from controller.rules.effects import GiveReceipt, QueueNotice, Record, SendOrder, ZoneEffect
from controller.rules.inputs import PressArrived, ZoneInput

BOOT = "ab" * 16


def clock() -> Now:
    """The machine's."""
    return Now(time.monotonic_ns() // 1_000_000, time.time_ns() // 1_000_000)


def press(seq: int, *, boot: str = BOOT, kind: str = "panic") -> PressArrived:
    """A press as the inbox hands it on."""
    made = Press(boot, seq, "b1", kind, Gesture.HOLD)
    return PressArrived("b12n1", made, digest_of(encode(made)), 40)


def notice(
    name: str, *, channel: str = "webhook", priority: int = 0, attempt: int = 1, due_at_ms: int = 0, incident: str = "", reason: str = "FIRST",
) -> QueueNotice:
    """A notice for the dispatcher."""
    return QueueNotice(NoticeQueued(name, "rosa", channel, "alarm", reason, priority, 1), incident, attempt=attempt, due_at_ms=due_at_ms)


class OneEntryAPress:
    """A core that records each press, tells rosa, receipts it and sounds a siren: enough to watch the shell."""

    def __init__(self) -> None:
        self.seen: list[ZoneInput] = []

    def handle(self, event: ZoneInput, now: Now) -> list[ZoneEffect]:  # noqa: ARG002 (the core's signature)
        self.seen.append(event)
        if not isinstance(event, PressArrived):
            return []
        seq = event.press.seq
        return [
            Record(Chain.OPEN, FaultRaised(f"f{seq}", "node/b12n1", "pressed")),
            GiveReceipt(event.node, Receipt(event.digest, Kept.RECORDED, event.press.boot, seq)),
            SendOrder(event.node, BOOT, f"o{seq}", SirenOn("panic", 60)),
            notice(f"i-{seq}"),
        ]

    def wake_at_ms(self) -> int | None:
        """Never."""
        return None


class Disk:
    """A writer that can be held up or made to fail, from the test's side."""

    def __init__(self) -> None:
        self.batches: list[list[Body]] = []
        self.free = threading.Event()
        self.free.set()
        self.full = False
        self._tickets = threading.Semaphore(0)

    def one_more(self) -> None:
        """Let one commit through while it hangs."""
        self._tickets.release()

    def commit(self, entries: list[tuple[Chain, int, Body]]) -> None:
        """As the store does."""
        while not self.free.wait(0.002):
            if self._tickets.acquire(blocking=False):
                break
        if self.full:
            raise Unavailable("the disk is full")
        self.batches.append([body for _, _, body in entries])

    @property
    def faults(self) -> list[str]:
        """What stands on it, in order."""
        return [body.fault for batch in self.batches for body in batch if isinstance(body, FaultRaised)]


async def until(true: Callable[[], object], within_s: float = 10.0) -> None:
    """Wait for a condition, not for a time."""
    deadline = asyncio.get_running_loop().time() + within_s
    while not true():
        assert asyncio.get_running_loop().time() < deadline, "waited in vain"
        await asyncio.sleep(0.002)
