"""How a press comes to be: numbered in its stream, handed to the disk, and published."""

from controller.errors import BrokenPromise
from controller.messages import Boot, Gesture, Press, PressRef, Stream
from node_firmware.in_order import InOrder
from node_firmware.kinds import Kinds
from node_firmware.outgoing import Outbox, Outgoing


class Presses:
    """The two streams of one life: the open one, and the silent one with a boot of its own, so that no gap shows it."""

    def __init__(self, boot: Boot, silent_boot: Boot, kinds: Kinds, outbox: Outbox) -> None:
        self._boot, self._silent_boot = boot, silent_boot
        self._seqs = {boot: 0, silent_boot: 0}
        self._kinds = kinds
        self._outbox = outbox

    def streams(self) -> list[Stream]:
        """How far both have come."""
        return [Stream(self._boot, self._seqs[self._boot]), Stream(self._silent_boot, self._seqs[self._silent_boot], secret=True)]

    def make(
        self, name: str, kind: str, gesture: Gesture, at_ms: int, *, now_ms: int, out: InOrder,
        refers_to: PressRef | None = None, rank: int | None = None, drill: bool = False,
    ) -> Outgoing:
        """Make the next press of its stream. rank: how serious it is, if not as its kind."""
        secret = self._kinds.secret(name, kind)
        boot = self._silent_boot if secret else self._boot
        self._seqs[boot] += 1
        press = Press(boot=boot, seq=self._seqs[boot], input=name, kind=kind, gesture=gesture, drill=drill, refers_to=refers_to)
        rank = self._kinds.rank(kind) if rank is None else rank
        outgoing = self._outbox.add(press, at_ms, rank, secret=secret, kept=False, now_ms=now_ms)
        if outgoing is None:
            raise BrokenPromise(f"node: press {press.seq} of {boot} was made twice; expected fresh boots at each start")
        out.presses += [outgoing.keep(), outgoing.publish(now_ms)]
        return outgoing
