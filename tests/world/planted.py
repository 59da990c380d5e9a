"""Five defects as somebody might make them, each a change of a function of the cores or of the shells around them."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from controller.entries import Chain
from controller.rules import presses
from controller.rules.desk import Desk
from controller.rules.effects import GiveReceipt
from controller.rules.incident import Incident
from controller.rules.inputs import PressArrived
from controller.rules.state import ZoneState
from controller.rules.zone import ZoneController
from gateway import decisions
from gateway.inbox import Inbox

Plant = Callable[[pytest.MonkeyPatch], None]


def an_early_receipt(patch: pytest.MonkeyPatch) -> None:
    """While the disk is away receipts go out from memory, too."""
    patch.setattr(decisions, "URGENT", (*decisions.URGENT, GiveReceipt))


def a_timer_lost_after_a_restart(patch: pytest.MonkeyPatch) -> None:
    """A zone that starts from its journal knows its incidents, and not when their next steps are due."""
    real = ZoneController.__init__

    def starts(self: ZoneController, zone: str, registry: object, policy: object, state: ZoneState | None = None) -> None:
        if state is not None:
            state.due.clear()
        real(self, zone, registry, policy, state)  # type: ignore[arg-type]  # passed on as they are

    patch.setattr(ZoneController, "__init__", starts)


def a_repeat_counted_twice(patch: pytest.MonkeyPatch) -> None:
    """What a node sends again goes to the rules again, and they do not look whether they have it."""
    meaning = presses._meaning  # noqa: SLF001 (a defect is planted inside)

    def accept(self: Inbox, event: PressArrived) -> None:
        self._put(replace(event, unchecked=True))

    def anew(desk: Desk, case: presses._Case) -> object:
        return meaning(desk, replace(case, event=replace(case.event, unchecked=False)))

    patch.setattr(Inbox, "_accept", accept)
    patch.setattr(presses, "_meaning", anew)


def a_silent_press_joined(patch: pytest.MonkeyPatch) -> None:
    """Whatever is open in the block takes it in."""
    real = presses._joinable  # noqa: SLF001 (a defect is planted inside)

    def any_open(desk: Desk, case: presses._Case) -> Incident | None:
        found = real(desk, case)
        if found is not None or case.chain is not Chain.SEALED:
            return found
        here = (desk.state.incidents[ident] for ident in desk.state.in_block.get(case.block, {}))
        return next((one for one in here if one.is_open), None)

    patch.setattr(presses, "_joinable", any_open)


def a_notice_lost_between_commit_and_send(patch: pytest.MonkeyPatch) -> None:
    """What was queued and not sent when the gateway ended is not sent by the next life."""
    patch.setattr(ZoneState, "unsent", lambda _: [])


PLANTS: dict[Plant, set[str]] = {
    an_early_receipt: {"1"},
    a_timer_lost_after_a_restart: {"5"},
    a_repeat_counted_twice: {"2"},
    a_silent_press_joined: {"4"},
    a_notice_lost_between_commit_and_send: {"5"},
}
"""Each with the promises that it breaks."""
