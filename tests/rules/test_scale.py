"""A press asks no more work of a gateway in a large zone, with thousands of notices waiting, than in a small one."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import pytest
from msgspec import structs

from controller.entries import Chain, IncidentOpened, NoticeQueued, NoticesQueued
from controller.instants import Now
from controller.messages import Gesture, Press
from controller.registry import Block, Input, Node, Registry, Role
from controller.rules.effects import Record, ZoneEffect
from controller.rules.inputs import PressArrived, Started, Woken
from controller.rules.telling import ANSWERS
from controller.rules.zone import ZoneController
from tests.rules.night import AS_EVER, BEGAN_MS, MEMBERS, SHIFTS, UP_MS, always, boot_of, member, registry


class Steps:
    """How many functions were called, and generators gone on with."""

    def __init__(self) -> None:
        self.taken = 0

    def __call__(self, _frame: FrameType, event: str, _arg: object) -> None:
        self.taken += event in {"call", "c_call"}


@contextmanager
def counted() -> Iterator[Steps]:
    """The steps that are taken meanwhile."""
    steps = Steps()
    sys.setprofile(steps)
    try:
        yield steps
    finally:
        sys.setprofile(None)


def town(blocks: int, members: int) -> Registry:
    """Blocks of one node each, a panic and a violence button that excludes a household on it; every member represents one of them."""
    names = [f"c{n:03}" for n in range(blocks)]
    more = [member(f"r{n:04}", Role.REPRESENTATIVE, household=f"h{n}") for n in range(members)]
    return structs.replace(
        registry(members=[*MEMBERS, *more],
                 shifts=[*SHIFTS, *(always(one.id, Role.REPRESENTATIVE, names[1 + n % (blocks - 1)]) for n, one in enumerate(more))]),
        blocks={name: Block(name, "z3", name, "cancha", latitude=-12.16 + n // 15 / 1500, longitude=-76.94 + n % 15 / 1500)
                for n, name in enumerate(names)},
        nodes={f"{name}n1": Node(f"{name}n1", "z3", name, "0" * 64) for name in names},
        inputs={(f"{name}n1", button): Input(f"{name}n1", button, kind, excludes=("household:h0",) if kind == "violence" else ())
                for name in names for button, kind in (("b1", "panic"), ("h1", "violence"))},
    )


def press(zone: ZoneController, node: str, button: str, kind: str, at_s: int) -> list[ZoneEffect]:
    name = f"{node}{button}{at_s}"
    made = Press(boot_of(name), 1, button, kind, Gesture.HOLD)
    return zone.handle(PressArrived(node, made, boot_of(f"d{name}"), 0), Now(UP_MS + at_s * 1000, BEGAN_MS + at_s * 1000))


def steps_of_a_press(blocks: int, members: int, waiting: int, button: str, kind: str) -> int:
    """Those of a press in the first block, while so many notices wait."""
    zone = ZoneController("z3", town(blocks, members), AS_EVER)
    zone.handle(Started("1"), Now(UP_MS, BEGAN_MS))
    queued = (NoticeQueued(f"a{n}", "rosa", "sms", "taken", "ANSWER", ANSWERS, n) for n in range(1, waiting + 1))
    zone.state.apply(Chain.OPEN, BEGAN_MS, NoticesQueued(tuple(queued)))
    # What is found once for each block and each button is found now; the press that is counted comes when that one takes no more in.
    press(zone, "c000n1", button, kind, 1)
    later_s = AS_EVER.times.join_s + 60
    zone.handle(Woken(), Now(UP_MS + later_s * 1000, BEGAN_MS + later_s * 1000))
    with counted() as steps:
        effects = press(zone, "c000n1", button, kind, later_s)
    assert any(isinstance(one, Record) and isinstance(one.body, IncidentOpened) for one in effects)
    return steps.taken


@pytest.mark.parametrize(("button", "kind"), [("b1", "panic"), ("h1", "violence")])
def test_a_press_takes_as_many_steps_in_a_large_zone(button: str, kind: str) -> None:
    small = steps_of_a_press(10, 10, 10, button, kind)
    large = steps_of_a_press(200, 1600, 5000, button, kind)
    assert large < small * 1.5, (small, large)
