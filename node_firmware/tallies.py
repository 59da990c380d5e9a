"""How many presses this node has made, in this life and in those before it: for the nightly proof that none was lost."""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from controller.messages import STREAMS_MAX, PressRef, Stream

Run = tuple[int, int]


class Tallies:
    """What earlier lives left on the disk of their streams, until the gateway has it on record."""

    def __init__(self) -> None:
        self._earlier: dict[str, Stream] = {}
        self._named: tuple[str, tuple[str, ...]] = ("", ())
        """The last answer's order, and the streams of earlier lives that it named and of which nothing waited."""

    def found(self, streams: Iterable[Stream]) -> None:
        """The disk remembers these."""
        self._earlier.update((stream.boot, stream) for stream in streams)

    def settled(self, order: str) -> tuple[str, ...]:
        """The answer to `order` is on record: the boots that need not be remembered any longer."""
        ident, boots = self._named
        if not order or order != ident:
            return ()
        self._named = ("", ())
        for boot in boots:
            self._earlier.pop(boot, None)
        return boots

    def named(self, order: str, own: Sequence[Stream], waiting: Iterable[tuple[PressRef, bool]]) -> tuple[tuple[Stream, ...], bool]:
        """The answer to `order`, and whether there is more than fits: this life's streams first, then the oldest.

        A stream is named only as far as what waits of it can be named too: what is not named is no gap.
        """
        seqs: dict[str, list[int]] = {}
        streams = {stream.boot: stream for stream in own}
        streams.update((boot, stream) for boot, stream in self._earlier.items() if boot not in streams)
        for ref, secret in waiting:
            seqs.setdefault(ref.boot, []).append(ref.seq)
            known = streams.setdefault(ref.boot, Stream(ref.boot, ref.seq, secret))
            if known.last < ref.seq:
                streams[ref.boot] = replace(known, last=ref.seq)
        answer: list[Stream] = []
        more = len(streams) > STREAMS_MAX
        for stream in list(streams.values())[:STREAMS_MAX]:
            waits = _runs(seqs.get(stream.boot, ()))
            if len(waits) > STREAMS_MAX:
                more, waits = True, waits[:STREAMS_MAX]
                answer.append(replace(stream, last=waits[-1][1], waits=waits))
            else:
                answer.append(replace(stream, waits=waits))
        now = {stream.boot for stream in own}
        self._named = order, tuple(stream.boot for stream in answer if stream.boot not in now and not stream.waits)
        return tuple(answer), more


def _runs(seqs: Iterable[int]) -> tuple[Run, ...]:
    runs: list[Run] = []
    for seq in sorted(seqs):
        if runs and runs[-1][1] == seq - 1:
            runs[-1] = runs[-1][0], seq
        else:
            runs.append((seq, seq))
    return tuple(runs)
