"""A cancel under threat, over a whole night, from where a bystander stands: neighbours, members on duty, lights, the open record."""

import pytest

from controller.messages import Gesture
from controller.rules.policy import Policy
from tests.rules.night import DISTRICTS_POLICY, MEMBERS, Night, of

CIRCLE = {"ema", "desk"}


def lives(gesture: Gesture, replies: list[tuple[str, str]], at_s: int) -> tuple[Night, dict[str, list[str]], list[dict[str, str]]]:
    """The night, what each one outside the circle read in it, and what the lights showed, minute by minute."""
    night = Night(policy=Policy.parse(DISTRICTS_POLICY))
    for node in ("b12n1", "b12n2", "b13n1"):
        night.births(node)
    press = night.press("panic")
    night.passes(at_s)
    night.press("panic", gesture=gesture, refers_to=of(press))
    lights = [night.shown()]
    for name, text in replies:
        night.passes(60)
        night.replies(name, text)
        lights.append(night.shown())
    for _ in range(120):
        night.passes(60)
        lights.append(night.shown())
    return night, {name: night.reads(name) for name in sorted({one.id for one in MEMBERS} - CIRCLE)}, lights


@pytest.mark.parametrize("at_s", [10, 600])
@pytest.mark.parametrize("replies", [[], [("juan", "1"), ("juan", "2"), ("juan", "3")], [("rosa", "0"), ("elva", "3"), ("juan", "9")]])
def test_it_looks_and_reads_exactly_as_a_cancel_does_and_only_the_circle_is_called(replies: list[tuple[str, str]], at_s: int) -> None:
    forced, plain = lives(Gesture.FORCED_CANCEL, replies, at_s), lives(Gesture.CANCEL, replies, at_s)
    assert forced[1] == plain[1]
    assert forced[2] == plain[2]
    assert forced[0].open_side() == plain[0].open_side()
    assert "alarm" in forced[0].reads("ema")
    assert plain[0].reads("ema") == []
