"""Presses about which something is uncertain: the records could not be asked, or the rules failed on them before."""

from pathlib import Path

import pytest

from controller.entries import BadMessageKept, Chain, FaultRaised, IncidentOpened, PressRecorded, ReplyReceived
from controller.messages import Gesture, Kept, Press, digest_of, encode
from controller.rules.effects import GiveReceipt
from controller.rules.inputs import MemberWrote, PressArrived, PressSetAside, Started
from controller.rules.zone import ZoneController
from gateway.quarantine import Quarantine
from tests.rules.night import Night, boot_of, registry
from tests.rules.test_lives import folded


def unchecked(night: Night, press: Press) -> None:
    night.does(PressArrived("b12n1", press, digest_of(encode(press)), 0, unchecked=True))


def test_a_repeat_that_the_records_could_not_tell_is_told_by_its_incident() -> None:
    night = Night()
    press = night.press()
    night.expects(rosa="alarm", juan="alarm", elva="alarm", desk="police")
    unchecked(night, press)
    assert [body.meaning for body in night.bodies(PressRecorded)] == ["opens", "notes"]
    assert len(night.bodies(IncidentOpened)) == 1
    night.expects()


def test_a_press_that_may_be_a_repeat_of_a_forgotten_one_is_told_as_one_of_its_own() -> None:
    night = Night()
    press = night.press()
    night.zone = ZoneController("z3", night.registry, night.policy)
    night.expects(rosa="alarm", juan="alarm", elva="alarm", desk="police")
    unchecked(night, press)
    night.expects(rosa="alarm", juan="alarm", elva="alarm", desk="police")
    first, second = night.bodies(IncidentOpened)
    assert first.incident != second.incident
    assert [body.unchecked for body in night.bodies(PressRecorded)] == [0, 1]


@pytest.mark.parametrize("gestures", [(Gesture.FORCED_CANCEL, Gesture.CANCEL), (Gesture.CANCEL, Gesture.FORCED_CANCEL)])
def test_a_cancel_and_a_forced_one_under_the_same_number_do_not_stand_twice_in_the_open_chain_as_one(gestures: tuple[Gesture, Gesture]) -> None:
    night = Night()
    before = ""
    for gesture in gestures:
        before = digest_of(encode(night.press(gesture=gesture, seq=4, conflicts_with=before)))
    certain = [(body.node, body.boot, body.seq, body.digest) for body in night.bodies(PressRecorded) if not body.unchecked]
    assert len(certain) == len(set(certain)), "the records refuse the second one, and the gateway ends"
    assert night.reads("ema") == ["alarm"]


def aside(kind: str, name: str, gesture: Gesture = Gesture.HOLD) -> PressSetAside:
    press = Press(boot_of("b12n1"), 9, name, kind, gesture)
    return PressSetAside("b12n1", press, digest_of(encode(press)), "the rules failed")


def test_a_press_on_which_the_rules_failed_is_kept_receipted_and_told_to_those_who_can_look() -> None:
    night = Night()
    event = aside("panic", "b1")
    effects = night.does(event)
    receipts = [effect.receipt for effect in effects if isinstance(effect, GiveReceipt)]
    assert [(one.digest, one.kept, one.seq) for one in receipts] == [(event.digest, Kept.UNREADABLE, 9)]
    assert [body.node for body in night.bodies(BadMessageKept, Chain.OPEN)] == ["b12n1"]
    night.expects(tito="fault", caro="fault")


def test_a_silent_one_shows_only_to_its_circle() -> None:
    night = Night(registry(excludes=("vilma",)))
    before = len([chain for chain, _, _ in night.entries if chain is Chain.OPEN])
    night.does(aside("violence", "h1"))
    assert len([chain for chain, _, _ in night.entries if chain is Chain.OPEN]) == before
    assert [body.code for body in night.bodies(FaultRaised, Chain.SEALED)] == ["rules-failed"]
    night.expects(vera="fault")


def test_so_does_a_cancel_under_threat() -> None:
    plain, night = Night(), Night()
    plain.does(aside("panic", "b1", Gesture.CANCEL))
    night.does(aside("panic", "b1", Gesture.FORCED_CANCEL))
    assert len(night.bodies(BadMessageKept, Chain.SEALED)) == 1
    night.expects(tito="fault", caro="fault", ema="fault")
    plain.expects(tito="fault", caro="fault")
    for one in (plain, night):
        one.passes(3 * 3600)
    assert night.open_side() == plain.open_side(), "everybody saw a cancel: that it came is on record for everybody"


def test_a_cancel_under_threat_at_a_silent_button_shows_nowhere() -> None:
    night = Night()
    before = night.open_side()
    night.does(aside("violence", "h1", Gesture.FORCED_CANCEL))
    assert night.open_side() == before
    night.expects(ema="fault")


@pytest.mark.parametrize(("kind", "name", "told"), [
    ("violence", "h1", {"vera": "fault", "vilma": "fault"}), ("panic", "b1", {"tito": "fault", "caro": "fault"})])
def test_one_that_comes_again_in_a_later_life_is_receipted_and_told_no_second_time(kind: str, name: str, told: dict[str, str]) -> None:
    night = Night()
    event = aside(kind, name)
    night.does(event)
    night.expects(**told)
    night.passes(2 * 3600)
    night.all_read()
    for _ in range(2):
        night.zone = ZoneController("z3", night.registry, night.policy, folded(night.entries))
        night.queued.clear()
        night.does(Started("1.0"))
        before = list(night.entries)
        assert night.does(event) == [night.receipts()[0]]
        assert night.entries == before
    night.ends_quietly(60)


@pytest.mark.parametrize("shared", [False, True])
def test_a_text_of_a_silent_circles_member_on_which_the_rules_failed_shows_in_no_open_entry(tmp_path: Path, shared: bool) -> None:
    night = Night()
    night.press("violence")
    night.all_read()
    before = night.open_side()
    wrote = MemberWrote("sms", None if shared else "vera", "1", "p-x", "p-text", "d" * 32, mark="m" * 32, sharers=("rosa", "vera") if shared else ())
    quarantine = Quarantine(tmp_path / "quarantine")
    quarantine.put(wrote)
    night.does(Quarantine(tmp_path / "quarantine").text_instead(wrote))
    assert night.open_side() == before
    assert [body.text_ref for body in night.bodies(ReplyReceived, Chain.SEALED)] == ["p-text"]
