"""What channels say of themselves: texts that a SIM swallowed go again, and their pace is on record where it changes much."""

from controller.entries import NoticeMoved, PaceMeasured
from controller.rules.effects import QueueNotice
from controller.rules.inputs import ChannelPaced, NoticesVanished
from controller.rules.state import ZoneState
from tests.rules.night import Night


def alarms(night: Night) -> dict[str, str]:
    return {one.member: one.id for one in night.notices() if one.reason == "FIRST" and one.channel == "sms"}


def again(night: Night, since: int) -> list[tuple[str, int]]:
    return [(effect.notice.member, effect.attempt) for effect in night.done[since:] if isinstance(effect, QueueNotice)]


def test_texts_that_vanished_go_again_as_repetitions_but_for_whoever_was_heard(night: Night) -> None:
    night.press("panic")
    night.all_read()
    night.replies("rosa", "0")
    sent, since = alarms(night), len(night.done)
    night.does(NoticesVanished(tuple(sent.values()), elsewhere=True))
    assert again(night, since) == [("juan", 2)]
    night.sends()
    assert [body.to for body in night.bodies(NoticeMoved) if body.notice == sent["juan"]] == ["notified", "waiting", "notified"]
    state = ZoneState()
    for chain, at_ms, body in night.entries:
        state.apply(chain, at_ms, body)
    assert state.notices == night.zone.state.notices


def test_what_is_over_is_not_sent_again(night: Night) -> None:
    night.press("panic")
    night.all_read()
    night.replies("rosa", "3")
    night.replies("juan", "3")
    night.all_read()
    since = len(night.done)
    night.does(NoticesVanished(tuple(one.id for one in night.notices()), elsewhere=True))
    assert again(night, since) == []


def test_where_no_other_modem_works_they_go_the_members_other_ways(night: Night) -> None:
    night.press("panic")
    night.all_read()
    elva = next(one.id for one in night.notices() if one.member == "elva")
    assert next(one.channel for one in night.notices() if one.id == elva) == "apprise"
    since = len(night.done)
    night.does(NoticesVanished((elva, alarms(night)["juan"]), elsewhere=False))
    assert [(effect.notice.member, effect.notice.channel) for effect in night.done[since:] if isinstance(effect, QueueNotice)] == [("elva", "sms")]


def test_a_pace_is_on_record_when_it_has_changed_by_more_than_a_quarter(night: Night) -> None:
    for per_minute in (6, 7, 5, 8, 8, 10, 6, 5, 0, 0, 1):
        night.does(ChannelPaced("sms", per_minute))
    assert [body.per_minute for body in night.bodies(PaceMeasured)] == [6, 8, 5, 0, 1]
    assert night.zone.state.paces.per_minute == {"sms": 1}
