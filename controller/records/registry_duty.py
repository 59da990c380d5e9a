"""Shifts and swaps as rows of CSV files."""

from controller.records.registry_cells import Line
from controller.records.registry_draft import Draft
from controller.registry import HAND_OVER_MAX, OnHolidays, Shift, Swap
from controller.rules.roster import starts_on


def shift(line: Line) -> Shift:
    """The shift in a row of shifts.csv, its zone still empty; what it refers to is not checked yet."""
    read = Shift(
        line.name("id"), "", line.name("member"), line.role("role"), line.clock("starts"), line.clock("ends"), line.weekdays("weekdays"),
        line.names("blocks"), line.day("since"), line.day("until"), line.days("dates"), line.days("except_on"), line.holidays("holidays"),
        line.whole("hand_over", HAND_OVER_MAX),
    )
    if read.since and read.until and read.until < read.since:
        line.fault("until", "a day not before since")
    if read.dates:
        for column in ("weekdays", "since", "until", "except_on", "holidays"):
            if line.filled(column):
                line.fault(column, "nothing, since the shift has dates of its own", "empty it, or make it two shifts")
    return read


def check_shift(line: Line, draft: Draft, read: Shift) -> None:
    """Name what the shift's zone says against it."""
    if read.member in draft.members and read.role not in draft.members[read.member].roles:
        line.fault("role", f"one of the member's own: {', '.join(draft.members[read.member].roles)}", "correct it, here or in members.csv")
    for block in read.blocks:
        if block not in draft.blocks:
            line.fault("blocks", f"ids of blocks of zone {draft.zone.id}, or nothing for the whole zone", found=f"found {block!r}")


def check_swap(line: Line, draft: Draft, swap: Swap) -> None:
    """Name what the swap's shift and its zone say against it."""
    its = draft.shifts[swap.shift]
    found = draft.members.get(swap.member)
    if found is None:
        line.fault("member", f"a member of zone {draft.zone.id}", "correct it, or add them to members.csv")
    elif its.role not in found.roles:
        line.fault("member", f"a member with the shift's role, {its.role.value}", "choose another, or add the role in members.csv")
    elif found.id == its.member:
        line.fault("member", "another member than the shift's own", "choose another, or remove the line")
    if not starts_on(its, swap.day, any(holiday.day == swap.day for holiday in draft.holidays)):
        line.fault("day", f"a day on which the shift {swap.shift} starts", "correct it")


def row(read: Shift) -> tuple[object, ...]:
    """The shift as a row of shifts.csv."""
    return (
        read.id, read.member, read.role, read.starts.isoformat("minutes"), read.ends.isoformat("minutes"), " ".join(map(str, read.weekdays)),
        " ".join(read.blocks), read.since or "", read.until or "", " ".join(map(str, read.dates)), " ".join(map(str, read.except_on)),
        "" if read.holidays is OnHolidays.ALSO else read.holidays, read.hand_over or "",
    )
