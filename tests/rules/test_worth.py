"""While nothing goes by a channel: what waits for it goes when it works again, as long as it is worth telling, and only once."""

from controller.entries import NoticeMoved
from controller.rules.effects import QueueNotice
from controller.rules.inputs import NoticeTried, PartFailed, Started, Tried
from controller.rules.state import ZoneState
from controller.rules.zone import ZoneController
from tests.rules.night import MEMBERS, Night, registry

NO_CHANNEL_BUT_SMS = registry(members=[one for one in MEMBERS if one.id not in {"elva", "desk"}])


class StuckNight(Night):
    """A night in which no modem works at first."""

    def __init__(self) -> None:
        self.works = False
        super().__init__(NO_CHANNEL_BUT_SMS)
        self.failing = self.told

    def told(self, one: QueueNotice) -> NoticeTried | None:
        if self.works:
            return None
        return NoticeTried(one.notice.id, one.attempt, Tried.TRY_LATER, why="unplugged", retry_in_ms=30_000, stuck=True)

    def plugged_in(self) -> None:
        """The modem works again, and all that waits is sent."""
        self.works = True
        self.passes(30)


def test_who_has_no_other_way_is_told_when_it_works_again_however_long_that_takes() -> None:
    night = StuckNight()
    night.does(PartFailed("receiver/10.0.0.5:9000", "refused"))
    night.passes(5 * 86_400)
    assert {effect.attempt for effect in night.done if isinstance(effect, QueueNotice)} == {1}, "what did not go is no try"
    assert len(night.bodies(NoticeMoved)) < 20, "that it still waits is said once"
    night.plugged_in()
    assert night.reads("tito") == ["fault_reminder"], "of six that say the same, one"


def test_a_call_waits_as_long_as_the_incident_is_open_and_goes_once() -> None:
    night = StuckNight()
    night.press("medical")
    night.passes(4 * 3600)
    night.plugged_in()
    assert [len(night.reads(name)) for name in ("rosa", "juan", "caro")] == [1, 1, 1]


def test_what_became_of_it_waits_for_hours() -> None:
    night = StuckNight()
    night.works = True
    night.press("panic")
    night.all_read()
    night.works = False
    for word in "125":
        night.replies("juan", word)
    assert not any(one.is_open for one in night.zone.state.incidents.values())
    night.passes(8 * 3600)
    night.plugged_in()
    assert night.reads("rosa") == ["on_scene", "closed"], "that somebody goes was taken back when they came"


def test_last_nights_alarm_does_not_come_in_the_morning() -> None:
    night = StuckNight()
    night.press("panic")
    night.passes(10)
    for word in "25":
        night.replies("juan", word)
    assert not any(one.is_open for one in night.zone.state.incidents.values())
    night.passes(8 * 3600)
    night.plugged_in()
    assert "alarm" not in night.reads("rosa")


def test_an_answer_does_not_wait_for_hours() -> None:
    night = StuckNight()
    night.replies("+51999888777", "hola")
    night.passes(1800)
    assert [one.notice.reason for one in night.queued.values()] != []
    night.passes(3600)
    night.plugged_in()
    night.expects()


def test_what_waited_when_the_gateway_was_killed_may_have_been_under_way_and_is_a_second_try() -> None:
    night = StuckNight()
    night.press("medical")
    night.passes(95)
    state = ZoneState()
    for chain, at_ms, body in night.entries:
        state.apply(chain, at_ms, body)
    night.queued.clear()
    night.zone = ZoneController("z3", night.registry, night.policy, state)
    night.does(Started("1.0"))
    night.passes(60)
    assert {(one.notice.member, one.attempt) for one in night.queued.values()} == {("rosa", 2), ("juan", 2), ("caro", 1)}
