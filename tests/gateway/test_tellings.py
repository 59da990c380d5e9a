"""What machines are told of a night: the rules' notices through the telling and the channels' own documents, without a line."""

from typing import cast
from zoneinfo import ZoneInfo

import pytest

from controller.dc09_address import parse_address
from controller.entries import NoticeMoved
from controller.errors import CuadraError
from controller.messages import CANARY, Gesture, Press, digest_of, encode
from controller.registry import PrivateRef, Role
from controller.rules.effects import QueueNotice
from controller.rules.inputs import NoticeTried, PressArrived, Tried
from controller.rules.policy import Policy
from gateway.channels.cap_document import CapProfile, compose, faults
from gateway.channels.dc09_message import message
from gateway.contacts import Contacts
from gateway.tellings import Tellings
from tests.rules.night import MEMBERS, POLICY, WHOLE_POLICY, Night, boot_of, member, of, registry
from tests.rules.test_storms import BLOCKS, SUMMARY_S, many_blocks

RECEIVER = parse_address("dc09://1234@127.0.0.1:9000?format=adm-cid")
PROFILE = CapProfile("zone-3@alarms.example.org", ("police-desk",), 3600, 0.1, ZoneInfo("America/Lima"))


class Addresses:
    """Contacts whose private values are all the same."""

    def address(self, _member: str, _channel: str, _place: int = 0) -> str:
        return "x"

    def value(self, _ref: PrivateRef | None) -> str:
        return ""


def desk_by(channel: str) -> Night:
    """A night in which the police desk has this one line."""
    night = Night(registry(members=[*(one for one in MEMBERS if one.id != "desk"), member("desk", Role.POLICE_DESK, channels=(channel,))]))
    night.births("b12n1")
    return night


@pytest.mark.parametrize("channel", ["cap", "webhook", "dc09"])
def test_a_machine_gets_the_same_at_every_try(channel: str) -> None:
    night = desk_by(channel)
    night.press("panic")
    [effect] = [one for one in night.queued.values() if one.notice.member == "desk"]
    tellings = Tellings(night.zone, cast("Contacts", Addresses()), lambda: night.now.utc_ms)
    first = tellings.compose(effect)
    night.failing = lambda one: NoticeTried(one.notice.id, one.attempt, Tried.TRY_LATER, "503") if one.notice.member == "desk" else None
    night.sends()
    night.press("panic")
    night.press("fire")
    night.replies("rosa", "4")
    night.passes(30 * 3600)
    again = tellings.compose(QueueNotice(effect.notice, effect.incident, attempt=7))
    assert (again.event, again.text, again.title, again.number) == (first.event, first.text, first.title, first.number)


class Dialled(Addresses):
    """Contacts who all have the police's public number."""

    def address(self, _member: str, _channel: str, _place: int = 0) -> str:
        return "105"


@pytest.mark.parametrize("agreement", ["", "Convenio 12-2026"])
def test_no_machine_dials_a_public_emergency_number_without_an_agreement(agreement: str) -> None:
    night = Night(policy=Policy.parse(POLICY.replace('agreement = ""', f'agreement = "{agreement}"')))
    night.births("b12n1")
    night.press("panic")
    tellings = Tellings(night.zone, cast("Contacts", Dialled()), lambda: night.now.utc_ms)
    for effect in night.queued.values():
        if effect.notice.channel == "sms" and not agreement:
            with pytest.raises(CuadraError, match="public emergency number"):
                tellings.compose(effect)
        else:
            tellings.compose(effect)


def test_an_update_refers_to_what_arrived_before_it_alone() -> None:
    night = desk_by("cap")
    lost = [True]
    night.failing = lambda one: NoticeTried(one.notice.id, one.attempt, Tried.NEVER, "410") if one.notice.member == "desk" and lost[0] else None
    night.press("panic")
    night.sends()
    lost[0] = False
    night.passes(40)
    assert night.reads("desk") == ["police"], "offered again"
    night.replies("rosa", "4")
    tellings = Tellings(night.zone, cast("Contacts", Addresses()), lambda: night.now.utc_ms)
    event = tellings.compose(next(one for one in night.queued.values() if one.notice.member == "desk")).event
    assert event is not None
    sent = [body.notice for body in night.bodies(NoticeMoved) if body.to == "notified"]
    [offered] = [notice.id for notice in night.notices() if notice.member == "desk" and notice.id in sent]
    assert [key for key, _ in event.earlier] == [offered]


def test_a_ring_that_is_told_again_is_no_new_alert_to_a_server_that_knows() -> None:
    caro = member("caro", Role.COORDINATOR, channels=("webhook",))
    night = Night(registry(members=[*(one for one in MEMBERS if one.id != "caro"), caro]))
    night.births("b12n1")
    tellings = Tellings(night.zone, cast("Contacts", Addresses()), lambda: night.now.utc_ms)
    steps: list[tuple[str, str]] = []

    def seen(one: QueueNotice) -> None:
        event = tellings.compose(one).event
        if one.notice.member == "caro" and event is not None:
            steps.append((one.notice.template, event.step))

    night.failing = seen
    night.press("panic")
    night.passes(1800)
    assert steps[0] == ("alarm", "opened")
    assert len(steps) > 1
    assert set(steps[1:]) == {("repeat", "updated")}


def test_a_drill_opens_and_ends_as_a_walk_test() -> None:
    night = desk_by("dc09")
    night.press("panic", drill=True)
    assert told(night) == ["1607"]
    for reply in ("2", "5"):
        night.replies("rosa", f"{reply} {night.codes[0]}")
    assert told(night)[-1] == "3607"


@pytest.mark.parametrize("channel", ["dc09", "cap", "webhook"])
def test_a_test_reaches_machines_as_a_test(channel: str) -> None:
    policy = Policy.parse(POLICY.replace("[[kinds.test.steps]]\n", f'[[kinds.test.steps]]\nchannels = ["{channel}"]\n'))
    tito = member("tito", Role.TECHNICIAN, channels=(channel,))
    night = Night(registry(members=[*(one for one in MEMBERS if one.id != "tito"), tito]), policy)
    night.births("b12n1")
    night.press("test")
    tellings = Tellings(night.zone, cast("Contacts", Addresses()), lambda: night.now.utc_ms)
    [effect] = [one for one in night.queued.values() if one.notice.template == "test"]
    telling = tellings.compose(effect)
    event = telling.event
    assert event is not None
    assert (event.step, event.kind, event.place.block, event.node, event.input) == ("test", "test", "b12", "b12n1", "t1")
    assert message(event, telling.number, RECEIVER).data.split("|")[1].startswith("1602 ")
    document = compose(telling.key, event, PROFILE)
    assert not faults(document)
    assert b"<status>Test</status>" in document
    night.passed_ms += 60_000
    assert tellings.compose(effect).event == event, "the same at every try"


@pytest.mark.parametrize("channel", ["dc09", "cap"])
def test_a_canary_reaches_machines_as_a_test(channel: str) -> None:
    desk = member("desk", Role.POLICE_DESK, channels=(channel,))
    night = Night(registry(members=[*(one for one in MEMBERS if one.id != "desk"), desk]), Policy.parse(WHOLE_POLICY))
    night.births("b12n1")
    seen: list[tuple[str, str]] = []

    def look(one: QueueNotice) -> None:
        if one.notice.template == "canary" and one.notice.member == "desk":
            telling = Tellings(night.zone, cast("Contacts", Addresses()), lambda: night.now.utc_ms).compose(one)
            assert telling.event is not None
            document = compose(telling.key, telling.event, PROFILE)
            assert not faults(document)
            assert b"<status>Test</status>" in document
            assert b"eventCode" not in document
            seen.append((telling.event.step, message(telling.event, telling.number, RECEIVER).data.split("|")[1].split()[0]))

    night.failing = look
    night.passes(13 * 3600 - 600)
    boot = boot_of("b12n11")
    made = Press(boot, 1, CANARY, "test", Gesture.CANARY)
    night.does(PressArrived("b12n1", made, digest_of(encode(made)), 0))
    night.sends()
    assert seen == [("test", "1602")]


def told(night: Night) -> list[str]:
    """What the desk's receiver or server gets of the open incident now, in short: its code, or the document's type and response."""
    tellings = Tellings(night.zone, cast("Contacts", Addresses()), lambda: night.now.utc_ms)
    found = []
    for one in [effect for effect in night.queued.values() if effect.notice.member == "desk"]:
        telling = tellings.compose(one)
        assert telling.event is not None
        if telling.event.silent:
            continue
        if one.notice.channel == "dc09":
            found.append(message(telling.event, telling.number, RECEIVER).data.split("|")[1].split()[0])
        else:
            document = compose(telling.key, telling.event, PROFILE).decode()
            found.append(document.split("<msgType>")[1].split("<")[0] + (" AllClear" if "AllClear" in document else ""))
    night.sends()
    return found


@pytest.mark.parametrize(("channel", "opened", "updated", "over"), [("dc09", "1120", "6120", "3120"), ("cap", "Alert", "Update", "Cancel AllClear")])
@pytest.mark.parametrize("gesture", [Gesture.CANCEL, Gesture.FORCED_CANCEL])
@pytest.mark.parametrize("after_s", [5, 100])
def test_the_police_hear_that_it_is_over_only_when_it_is(
    channel: str, opened: str, updated: str, over: str, gesture: Gesture, after_s: int,
) -> None:
    night = desk_by(channel)
    press = night.press("panic")
    assert told(night) == [opened]
    night.passes(after_s)
    night.press("panic", gesture=gesture, refers_to=of(press))
    said = told(night)
    assert said == [updated], "somebody still looks: the block's word alone ends nothing"
    night.replies("rosa", f"2 {night.codes[0]}")
    night.replies("rosa", f"3 {night.codes[0]}")
    assert told(night)[-1] == over


@pytest.mark.parametrize(("kind", "secret"), [("panic", False), ("violence", True)])
def test_what_a_silent_press_sends_is_marked_as_secret_for_the_channels(kind: str, secret: bool) -> None:
    night = desk_by("webhook")
    night.press(kind)
    tellings = Tellings(night.zone, cast("Contacts", Addresses()), lambda: night.now.utc_ms)
    assert {tellings.compose(one).secret for one in night.queued.values()} == {secret}


def test_a_summary_names_what_is_not_taken_back_since() -> None:
    night = Night(many_blocks())
    for block in BLOCKS[:9]:
        night.press("panic", node=f"{block}n1")
    night.passes(1)
    night.replies("juan", f"0 {night.codes[7]}")
    night.failing = lambda one: NoticeTried(one.notice.id, one.attempt, Tried.TRY_LATER, "busy") if one.notice.template == "summary" else None
    night.passes(SUMMARY_S)
    [effect] = [one for one in night.queued.values() if one.notice.member == "juan"]
    tellings = Tellings(night.zone, cast("Contacts", Addresses()), lambda: night.now.utc_ms)
    text = tellings.compose(effect).text
    assert [code in text for code in night.codes] == [False] * 5 + [True, True, False, True]
    assert f"{night.codes[5]} Mz b05; " in text
    night.replies("juan", f"0 {night.codes[8]}")
    assert night.codes[8] not in tellings.compose(effect).text
