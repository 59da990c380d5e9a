"""Who hears of a fault, when, and how often: the fault's row, as the policy may have changed it."""

from typing import Final

from controller.registry import Member, Role
from controller.rules.desk import Desk
from controller.rules.mending.fault_kinds import FLAPPING, Hears, kind_of, plain, row
from controller.rules.policy_parts import FaultChange
from controller.rules.remembered import Fault

LATE: Final = "late"
_AS_THE_ROW_SAYS = FaultChange()


def hearers(desk: Desk, subject: str, code: str) -> list[Member]:
    """Who is told of it. What the block's own people should hear goes to whoever mends where the block has none."""
    to, changed = desk.policy.faults_to, _changed(desk, subject, code)
    hears = kind_of(subject, code).hears
    if changed.roles:
        return desk.network.members_with(changed.roles)
    if hears is Hears.BLOCK and (own := _of_block(desk, block_of(desk, subject), to.block_roles)):
        return own
    if hears is Hears.ROSTER:
        return desk.network.members_with(to.roster_roles)
    return desk.network.members_with(to.urgent_roles if hears is Hears.URGENT else to.roles)


def waits(desk: Desk, fault: Fault) -> bool:
    """Whether it has not stood long enough to be told; or something else is told instead: that it comes and goes, a power cut."""
    if is_held(desk, fault.subject, fault.code):
        return True
    if plain(fault.code) == LATE and desk.state.outages.has(block_of(desk, fault.subject)):
        return True
    changed = _changed(desk, fault.subject, fault.code).after_s
    after_s = changed if changed is not None else kind_of(fault.subject, fault.code).after_s
    return 0 <= desk.now.utc_ms - fault.raised_at_ms < after_s * 1000


def is_held(desk: Desk, subject: str, code: str) -> bool:
    """Whether it comes and goes, and that is told instead."""
    return (subject, f"{FLAPPING}:{code}") in desk.state.fault_of


def repeat_s(desk: Desk, subject: str, code: str) -> int:
    """How long after a telling it is told again while it stands."""
    return _changed(desk, subject, code).repeat_s or kind_of(subject, code).repeat_s or desk.policy.times.fault_repeat_s


def block_of(desk: Desk, subject: str) -> str:
    """The block that a fault's subject is of; empty when it is of none."""
    sort, _, name = subject.partition("/")
    return desk.network.block_of(name) if sort == "node" else name if sort == "block" else ""


def _changed(desk: Desk, subject: str, code: str) -> FaultChange:
    return desk.policy.faults_to.of.get(row(subject, code), _AS_THE_ROW_SAYS)


def _of_block(desk: Desk, block: str, roles: tuple[Role, ...]) -> list[Member]:
    """The members with a shift in one of `roles` for this block, whether they are on duty now or not; else those of the whole zone."""
    own = {shift.member for shift in desk.registry.shifts if shift.role in roles and block in shift.blocks}
    wide = {shift.member for shift in desk.registry.shifts if shift.role in roles and not shift.blocks}
    return [member for member in desk.network.members_with(roles) if member.id in (own or wide)]
