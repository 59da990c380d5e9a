"""The daily canary: a test press goes the whole way, each leg is ticked off, and what is lacking is told within ten minutes."""

from collections.abc import Callable

import pytest

from controller.entries import CanaryEnded, CanarySent, FaultEnded, FaultRaised, IncidentOpened, NodeCame, PressRecorded
from controller.messages import CANARY, Canary, Done, Gesture, Press, digest_of, encode
from controller.registry import Role
from controller.rules.effects import QueueNotice, SendOrder
from controller.rules.inputs import NodeDone, NoticeReported, NoticeTried, PressArrived, Started, Tried
from controller.rules.policy import Policy
from controller.rules.state import ZoneState
from controller.rules.zone import ZoneController
from controller.texts import TextFacts, compose
from tests.rules.night import MEMBERS, WHOLE_POLICY, Night, boot_of, member, registry

HOUR_S = 3600
TO_TEN_S = 13 * HOUR_S
"""From the night's beginning to after the canary's hour."""


class Day(Night):
    """A night with the canary: nodes send it, phones have it, unless the story says otherwise."""

    def __init__(self, **more: object) -> None:
        self.dead: set[str] = set()
        self.silent: set[str] = set()
        """Members whose phone gives no report."""
        super().__init__(policy=Policy.parse(WHOLE_POLICY), **more)  # type: ignore[arg-type]  # Night's own arguments
        for node in ("b12n1", "b12n2", "b13n1"):
            self.births(node)

    def passes(self, s: float) -> None:
        whole, rest = divmod(int(s), 60)
        for part in [60] * whole + [rest]:
            seen = len(self.done)
            super().passes(part)
            for effect in self.done[seen:]:
                self._live(effect)

    def _live(self, effect: object) -> None:
        if isinstance(effect, SendOrder) and isinstance(effect.order, Canary) and effect.node not in self.dead:
            boot = effect.boot
            seq = self._seqs[boot] = self._seqs.get(boot, 0) + 1
            made = Press(boot, seq, CANARY, "test", Gesture.CANARY)
            self.does(PressArrived(effect.node, made, digest_of(encode(made)), 0))
            self.does(NodeDone(effect.node, Done(boot, effect.id, True)))
            self.sends()
            for one in [one for several in self.unread.values() for one in several]:
                if one.notice.reason == "CANARY" and one.notice.channel == "sms" and one.notice.member not in self.silent:
                    self.does(NoticeReported(one.notice.id, True))

    def canaries(self) -> list[str]:
        return [body.node for body in self.bodies(CanarySent)]

    def faults(self) -> list[str]:
        """All but that the story has taken somebody off the roster."""
        return [f"{body.subject} {body.code}" for body in self.bodies(FaultRaised) if not body.subject.startswith("roster/")]


def refuses(name: str) -> Callable[[QueueNotice], NoticeTried | None]:
    return lambda one: NoticeTried(one.notice.id, one.attempt, Tried.NEVER, why="gone") if one.notice.member == name else None


@pytest.fixture
def day() -> Day:
    return Day()


def test_each_day_one_node_sends_one_the_whole_way_and_nobody_is_called(day: Day) -> None:
    day.passes(TO_TEN_S)
    day.expects(desk="canary", tito="canary")
    assert day.bodies(CanaryEnded) == [CanaryEnded(day.bodies(CanarySent)[0].order, "b12n1")]
    assert [body.meaning for body in day.bodies(PressRecorded)] == ["canary"]
    day.passes(2 * 24 * HOUR_S)
    assert day.canaries() == ["b12n1", "b12n2", "b13n1"], "the nodes take turns"
    assert [one.member for one in day.notices() if one.channel == "sms"] == ["tito", "caro", "tito"], "and so do the phones"
    assert not day.bodies(IncidentOpened)
    assert not day.faults()


def test_a_node_whose_press_does_not_arrive_is_told_within_ten_minutes_and_tried_again_until_it_does(day: Day) -> None:
    day.dead = {"b12n1"}
    day.passes(TO_TEN_S - 14 * 60 + 30)
    assert day.canaries() == ["b12n1"]
    day.expects()
    day.passes(570)
    day.expects(tito="fault", caro="fault")
    assert day.faults() == ["node/b12n1 canary-press"]
    day.dead = set()
    day.passes(HOUR_S)
    assert day.canaries() == ["b12n1", "b12n1"]
    assert len(day.bodies(FaultEnded)) == 1


@pytest.mark.parametrize(("broken", "fault"), [("desk", "zone/police canary-police"), ("tito", "zone/phone canary-phone")])
def test_what_does_not_reach_the_police_or_the_phone_is_told_and_only_that_is_tried_again(day: Day, broken: str, fault: str) -> None:
    day.failing = refuses(broken)
    day.passes(TO_TEN_S)
    assert day.faults() == [fault]
    other = "tito" if broken == "desk" else "desk"
    assert [one.notice.template for one in day.unread[other]].count("canary") == 1
    day.failing = lambda _: None
    day.passes(2 * HOUR_S)
    assert len(day.canaries()) == 2
    assert [one.notice.template for one in day.unread[other]].count("canary") == 1
    assert len(day.bodies(FaultEnded)) == 1


def test_that_the_network_took_the_text_is_no_phone_that_has_it(day: Day) -> None:
    day.silent = {"tito"}
    day.passes(TO_TEN_S)
    assert day.faults() == ["zone/phone canary-phone"]


def test_a_phone_by_a_channel_without_reports_counts_when_it_is_sent() -> None:
    day = Day(network=registry(members=[*(one for one in MEMBERS if one.id not in {"tito", "caro"}),
                                        member("tito", Role.TECHNICIAN, channels=("apprise",))]))
    day.passes(TO_TEN_S)
    assert not day.faults()
    assert day.bodies(CanaryEnded)[0].missing == ()


def test_none_is_sent_into_an_emergency_and_a_silent_one_holds_up_none(day: Day) -> None:
    day.passes(12 * HOUR_S)
    day.press("violence")
    day.passes(HOUR_S)
    assert len(day.canaries()) == 1
    day = Day()
    day.passes(12 * HOUR_S)
    day.press("panic")
    day.passes(HOUR_S)
    assert not day.canaries()
    day.replies("rosa", "2")
    day.replies("rosa", "3")
    day.passes(60)
    assert len(day.canaries()) == 1


def test_one_that_a_restart_interrupts_proves_nothing_and_is_sent_anew(day: Day) -> None:
    day.silent = {"tito", "caro"}
    day.passes(12 * HOUR_S + 47 * 60)
    assert day.zone.state.canaries.running is not None
    state = ZoneState()
    for chain, at_ms, body in day.entries:
        state.apply(chain, at_ms, body)
    day.zone = ZoneController("z3", day.registry, day.policy, state)
    day.silent = set()
    day.does(Started("1.0"))
    day.passes(120)
    assert [body.interrupted for body in day.bodies(CanaryEnded)] == [1, 0]
    assert not day.faults()


def test_a_press_that_nobody_ordered_or_that_comes_too_late_tells_nobody(day: Day) -> None:
    made = Press(boot_of("b12n11"), 1, CANARY, "test", Gesture.CANARY)
    day.does(PressArrived("b12n1", made, digest_of(encode(made)), 0))
    day.ends_quietly(60)
    assert day.bodies(NodeCame)


def test_the_text_says_that_it_is_no_alarm() -> None:
    told = compose("canary", TextFacts(kind="test", block_name="Mz C", subject="node/b12n1", made_at_ms=1_790_043_240_000), "es")
    assert "No es una alarma" in told.text
    assert told.title == "Cuadra: prueba"
