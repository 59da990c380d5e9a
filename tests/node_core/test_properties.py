"""Whatever happens, in whatever order: random lives of a node with hands, faults, restarts and a moody gateway."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from controller import messages
from controller.messages import LightState, Press, PressRef
from node_firmware import effects, inputs
from node_firmware.effects import Light, NodeEffect
from tests.node_core.block import WIRING, Block

Step = tuple[str, Any]
OPEN_INPUTS = ("panic", "fire", "medical", "case")
SILENT_PATTERNS: dict[str, tuple[int, ...]] = {
    "hold": (1500, 400), "long": (70_000, 400), "tap": (150, 4000), "jabs": (150, 150, 150, 150, 150, 4000),
    "cancel": (150, 250, 150, 4250, 150, 250, 150, 4250, 150, 250, 150, 400),
    "forced": (150, 250, 150, 4250, 150, 250, 150, 4250, 150, 250, 600, 400),
}

durations = st.one_of(st.integers(1, 3000), st.integers(3001, 90_000))
hands: st.SearchStrategy[Step] = st.one_of(
    st.tuples(st.just("hold"), st.sampled_from(OPEN_INPUTS)),
    st.tuples(st.just("move"), st.tuples(st.sampled_from(OPEN_INPUTS), st.booleans())),
    st.tuples(st.just("taps"), st.tuples(st.sampled_from(OPEN_INPUTS[:3]), st.lists(st.integers(30, 900), max_size=4))),
    st.tuples(st.just("cancel"), st.tuples(st.sampled_from(OPEN_INPUTS[:3]), st.integers(60, 800))),
)
world: st.SearchStrategy[Step] = st.one_of(
    st.tuples(st.just("passes"), durations),
    st.tuples(st.just("link"), st.booleans()),
    st.tuples(st.just("gateway"), st.booleans()),
    st.tuples(st.just("disk"), st.sampled_from(["well", "disk-full", None])),
    st.tuples(st.just("disk-well"), st.none()),
    st.tuples(st.just("incident"), st.sampled_from(list(LightState))),
    st.tuples(st.just("guard"), st.booleans()),
    st.tuples(
        st.just("order"),
        st.sampled_from(
            [messages.SirenOn("fire", 60), messages.SirenOff(), messages.SirenTest(), messages.SirenTest(60), messages.SelfTest(),
             messages.TestMode(30), messages.StrobeOn(60)]
        ),
    ),
    st.tuples(st.just("restart"), st.none()),
)
silent: st.SearchStrategy[Step] = st.tuples(st.just("silent"), st.sampled_from(sorted(SILENT_PATTERNS)))
steps = st.lists(st.one_of(hands, hands, world, world, silent), max_size=25)


class Life:
    """Lives through steps; with `silently` false, the hidden button rests while the same time passes."""

    def __init__(self, *, silently: bool = True) -> None:
        self.silently = silently
        self.block = Block(pulse_ms=5).starts()
        self.boots = 0
        self.orders = 0
        self.linked = False
        self.lost: set[PressRef] = set()
        """Presses that no disk had taken and no gateway receipted when their process died."""

    def live(self, story: list[Step]) -> Block:
        for name, said in story:
            getattr(self, f"_{name.replace('-', '_')}")(said)
        return self.block

    def _hold(self, name: str) -> None:
        self.block.presses(name)

    def _move(self, said: tuple[str, bool]) -> None:
        name, closes = said
        (self.block.closes if closes else self.block.opens)(name)

    def _taps(self, said: tuple[str, list[int]]) -> None:
        name, lengths = said
        for length in lengths:
            self.block.presses(name, length)

    def _cancel(self, said: tuple[str, int]) -> None:
        self.block.cancels(*said)

    def _passes(self, ms: int) -> None:
        self.block.passes(ms)

    def _link(self, up: bool) -> None:
        self.linked = up
        self.block.gives(inputs.LinkUp() if up else inputs.LinkDown())

    def _gateway(self, receipts: bool) -> None:
        self.block.gateway = receipts and self.linked

    def _disk(self, how: str | None) -> None:
        self.block.disk = how

    def _disk_well(self, _: None) -> None:
        self.block.gives(inputs.DiskWell())

    def _incident(self, state: LightState) -> None:
        self.block.incident(state, boot=self.boot)

    def _guard(self, up: bool) -> None:
        self.block.gives(inputs.GuardSeen(up))

    def _order(self, order: messages.AnyOrder) -> None:
        self.orders += 1
        self.block.gives(inputs.OrderCame(messages.Order(f"o{self.orders}", self.boot, order, 10**6)))

    def _restart(self, _: None) -> None:
        settled = {effect.ref for effect in self.block.seen(effects.ForgetPress)}
        made = {PressRef(press.boot, press.seq) for press in self.block.made()}
        self.lost |= made - settled - set(self.block.stored)
        self.boots += 1
        self.linked = self.block.gateway = False
        self.block.rev = 0
        self.block.restarts(self.boots)

    def _silent(self, pattern: str) -> None:
        closed = True
        for ms in SILENT_PATTERNS[pattern]:
            if self.silently:
                (self.block.closes if closed else self.block.opens)("hidden")
            self.block.passes(ms)
            closed = not closed

    @property
    def boot(self) -> str:
        return f"{self.boots:032x}" if self.boots else "a" * 32


def _seen_outside(block: Block) -> Counter[tuple[int, str]]:
    """All that anybody but the silent circle could see, hear or read: what happened when."""

    def open_(effect: NodeEffect) -> bool:
        match effect:
            case effects.KeepPress(press=press) | effects.PublishPress(press=press):
                return press.input != "hidden"
            case effects.ForgetPress(ref=ref):
                return ref not in {PressRef(p.boot, p.seq) for p in block.made() if p.input == "hidden"}
            case _:
                return True

    return Counter((at_ms, str(effect)) for at_ms, effect in block.history if open_(effect))


@settings(max_examples=150, deadline=None)
@given(steps)
@example([("link", True), ("silent", "hold"), ("hold", "panic"), ("passes", 60_000)])
@example([("link", True), ("disk", None), ("silent", "hold"), ("passes", 5000)])
@example([("link", True), ("disk", "disk-full"), ("hold", "panic"), ("disk", "well"), ("silent", "hold"), ("passes", 5000)])
@example([("link", True), ("silent", "long"), ("restart", None), ("link", True), ("passes", 30_000)])
def test_with_or_without_silent_presses_everything_else_is_the_same(story: list[Step]) -> None:
    """Promise 4: no light, sound, beat, number, fault or pace shows that a silent button was pressed."""
    assert _seen_outside(Life().live(story)) == _seen_outside(Life(silently=False).live(story))


def _siren_first(answer: list[NodeEffect]) -> None:
    sirens = [isinstance(effect, effects.SoundSiren | effects.StopSiren) for effect in answer]
    assert sirens == sorted(sirens, reverse=True), answer
    marks = [isinstance(effect, effects.MarkSiren) for effect in answer]
    slow = [isinstance(effect, effects.KeepPress | effects.PublishPress) for effect in answer]
    if any(marks) and any(slow):
        assert marks.index(True) > len(slow) - 1 - slow[::-1].index(True), answer


def _kept_before_published(answer: list[NodeEffect]) -> None:
    kept = [effect.press for effect in answer if isinstance(effect, effects.KeepPress)]
    for position, effect in enumerate(answer):
        if isinstance(effect, effects.PublishPress) and effect.press in kept:
            assert any(isinstance(e, effects.KeepPress) and e.press == effect.press for e in answer[:position])
        if isinstance(effect, effects.SetLight) and effect.light is Light.SAVED:
            assert effect.input not in [press.input for press in kept], answer


CHECKS: tuple[Callable[[list[NodeEffect]], None], ...] = (_siren_first, _kept_before_published)


@settings(max_examples=150, deadline=None)
@given(steps)
def test_the_order_of_effects_is_kept_in_every_answer(story: list[Step]) -> None:
    for answer in Life().live(story).answers:
        for check in CHECKS:
            check(answer)


@settings(max_examples=150, deadline=None)
@given(steps)
def test_the_siren_never_sounds_longer_than_its_limit(story: list[Step]) -> None:
    block = Life().live(story)
    block.passes(400_000)
    assert not block.siren_sounds()
    assert block.siren_longest_ms <= 180_000


class _Witness(Block):
    """Looks at each SAVED and RECEIVED when it is said."""

    def gives(self, event: inputs.NodeInput) -> list[NodeEffect]:
        if isinstance(event, inputs.PressKept):
            self.on_disk.add(event.ref)
        return super().gives(event)

    def starts(self, **said: Any) -> "Block":  # noqa: ANN401 - fields of a struct
        self.on_disk: set[PressRef] = set(self.stored)
        return super().starts(**said)

    def _carry_out(self, effect: NodeEffect) -> None:
        super()._carry_out(effect)
        if isinstance(effect, effects.SetLight) and effect.light in (Light.SAVED, Light.RECEIVED):
            waiting = [press for press in self.calls() if press.input == effect.input and not self.forgotten(press)]
            if effect.light is Light.SAVED:
                assert all(PressRef(press.boot, press.seq) in self.on_disk for press in waiting)
            else:
                assert not waiting

    def forgotten(self, press: Press) -> bool:
        return effects.ForgetPress(PressRef(press.boot, press.seq)) in self.seen(effects.ForgetPress)

    def calls(self) -> list[Press]:
        """Calls of this life, and those that an earlier one left on the disk."""
        boot = f"{self.boots:032x}" if self.boots else "a" * 32
        return [
            press for press in self.made()
            if press.gesture.value in ("hold", "jabs", "at-start", "reopen")
            and (press.boot == boot or PressRef(press.boot, press.seq) in self.stored)
        ]

    boots = 0

    def restarts(self, number: int = 1, **said: Any) -> "Block":  # noqa: ANN401 - fields of a struct
        self.boots = number
        return super().restarts(number, **said)


@settings(max_examples=150, deadline=None)
@given(steps)
def test_no_light_claims_more_than_is_so(story: list[Step]) -> None:
    life = Life()
    life.block = _Witness().starts()
    life.live(story)


@settings(max_examples=150, deadline=None)
@given(steps)
def test_when_the_faults_end_every_press_arrives_and_is_settled_once(story: list[Step]) -> None:
    """Promises 1 and 2. Only what no disk had taken when the process died is gone with it."""
    life = Life()
    block = life.live(story)
    block.disk, block.gateway = "well", True
    block.gives(inputs.DiskWell())
    block.links().passes(120_000)
    settled = Counter(effect.ref for effect in block.seen(effects.ForgetPress))
    made = {PressRef(press.boot, press.seq) for press in block.made()}
    assert set(settled) == made - life.lost
    assert set(settled.values()) <= {1}
    assert not block.stored
    assert not block.forgets().passes(60_000).seen(effects.PublishPress)
    assert block.beat().unsent == 0


@settings(max_examples=100, deadline=None)
@given(steps)
def test_numbers_have_no_gap_and_no_press_its_twin(story: list[Step]) -> None:
    block = Life().live(story)
    by_boot: dict[str, list[int]] = {}
    for press in block.made():
        by_boot.setdefault(press.boot, []).append(press.seq)
    for seqs in by_boot.values():
        assert seqs == list(range(1, len(seqs) + 1))


@settings(max_examples=100, deadline=None)
@given(steps)
def test_every_call_is_answered_by_a_chirp_unless_it_is_silent(story: list[Step]) -> None:
    """Promise 3: nothing is refused, whatever goes on."""
    for answer in Life().live(story).answers:
        pressed = {
            effect.press.input for effect in answer
            if isinstance(effect, effects.KeepPress) and effect.press.kind != "tamper"
        }
        again = not any(isinstance(effect, effects.PublishPress) for effect in answer)
        if pressed - {"hidden"} and not again:
            assert effects.Play(effects.Sound.CHIRP) in answer or _rekept_only(answer)


def _rekept_only(answer: list[NodeEffect]) -> bool:
    kept = {effect.press for effect in answer if isinstance(effect, effects.KeepPress)}
    fresh = {effect.press for effect in answer if isinstance(effect, effects.PublishPress) and effect.age_ms == 0}
    return not kept & fresh


def test_the_hidden_button_has_no_light_in_any_wiring() -> None:
    assert WIRING["hidden"].light is None
