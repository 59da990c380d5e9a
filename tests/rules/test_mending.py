"""Whoever mends: told by a way that works, each time it breaks, until it is mended, and then no more."""

from controller.registry import Role
from controller.rules.inputs import NoticeTried, PartFailed, PartRecovered, Tried
from tests.rules.night import MEMBERS, Night, member, registry

UNPLUGGED = ("modem/sim1", "unplugged")


def night_of_a_technician_with(*channels: str) -> Night:
    return Night(registry(members=[*(one for one in MEMBERS if one.id != "tito"), member("tito", Role.TECHNICIAN, channels=channels)]))


def test_that_the_only_modem_is_unplugged_goes_another_way() -> None:
    night = night_of_a_technician_with("sms", "call", "apprise", "webhook")
    night.failing = lambda one: NoticeTried(one.notice.id, one.attempt, Tried.NEVER, why="no modem") if one.notice.channel != "webhook" else None
    night.does(PartFailed(*UNPLUGGED))
    night.passes(60)
    assert [(one.notice.channel, one.notice.template, one.notice.reason) for one in night.unread.pop("tito")] == [("webhook", "fault", "FAULT")]
    night.does(PartRecovered(*UNPLUGGED))
    night.passes(60)
    assert [(one.notice.channel, one.notice.template) for one in night.unread.pop("tito")] == [("webhook", "fault_ended")]


def test_when_no_way_is_left_it_rests_until_the_reminder() -> None:
    night = night_of_a_technician_with("sms", "apprise")
    night.failing = lambda one: NoticeTried(one.notice.id, one.attempt, Tried.NEVER, why="no network")
    night.does(PartFailed(*UNPLUGGED))
    night.passes(3600)
    assert [notice.channel for notice in night.notices() if notice.member == "tito"] == ["sms", "apprise"]
    night.failing = lambda _: None
    night.passes(86_400)
    assert night.reads("tito") == ["fault_reminder"]
