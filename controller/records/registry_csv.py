"""The registry as a folder of CSV files: what `cuadra registry import` reads and `export` writes.

A folder is read whole before anything is changed: every fault of every file is named, and one faulty cell leaves the database
as it was. A zone's registry becomes exactly what the files say; what is no longer in them is retired.
"""

import csv
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from sqlalchemy import Engine

from controller.errors import BadConfig
from controller.records import database, registry_duty, registry_store
from controller.records.private import Private
from controller.records.registry_cells import COLUMNS, CONTACTS_BETWEEN, Faults, Line
from controller.records.registry_draft import Draft
from controller.records.registry_reader import Reader
from controller.records.registry_store import Change, Revision
from controller.rules.policy import Policy


class Folder:
    """A folder that was read and has no fault in itself. drafts: by zone, in the order of zones.csv."""

    def __init__(self, drafts: dict[str, Draft], places: dict[tuple[str, str], Line], faults: Faults) -> None:
        self.drafts = drafts
        self.faults = faults
        self._places = places

    def place(self, table: str, row: str) -> Line:
        """Where the row with this id stands."""
        return self._places[table, row]


def read(path: Path, only: Collection[str] = (), policy: Policy | None = None) -> Folder:
    """Read the folder; only: these zones, all when empty.

    policy: which must have each input's kind, and by which each silent input must have somebody who is told.

    Raises BadConfig with every fault: file, line, column, what was found, what was expected, what to do.
    """
    faults = Faults()
    reader = Reader(path, faults, policy)
    drafts = reader.drafts()
    for zone in only:
        if zone not in drafts:
            faults.add(f"{path / 'zones.csv'}", f"no zone {zone}", f"one of {', '.join(drafts)}", "correct --zone")
    if faults.found:
        raise BadConfig(faults.found)
    chosen = {zone: draft for zone, draft in drafts.items() if not only or zone in only}
    return Folder(chosen, reader.places, faults)


def bring_in(engine: Engine, key_file: Path, folder: Folder, change: Change) -> dict[str, Revision]:
    """Make the database's registry what the folder says, in one transaction; by zone, what became of it.

    Raises BadConfig, changing nothing, when an id is used again that was retired; Unavailable.
    """
    privates = {zone: Private.open(engine, zone, key_file) for zone in folder.drafts}
    folder.faults.found.clear()
    with database.writing(engine) as connection:
        for zone, draft in folder.drafts.items():
            _check_retired(folder, draft, registry_store.retired(connection, zone))
            _check_numbers(folder, draft, registry_store.input_numbers(connection, zone))
        if folder.faults.found:
            raise BadConfig(folder.faults.found)
        return {zone: registry_store.replace(connection, privates[zone], draft, change) for zone, draft in folder.drafts.items()}


def write(path: Path, drafts: Sequence[Draft]) -> None:
    """Write the drafts' files into the folder `path`, made if need be; what holds people or secrets is readable by its owner alone.

    Raises BadConfig when it cannot be written.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, rows in _rows(drafts).items():
            _write_file(path / f"{name}.csv", COLUMNS[name], rows)
    except OSError as fault:
        raise BadConfig([f"{fault.filename or path}: cannot be written ({fault.strerror}); expected a folder this user may write"]) from fault


def _check_retired(folder: Folder, draft: Draft, gone: set[tuple[str, registry_store.Key]]) -> None:
    used: dict[str, Iterable[tuple[str, ...]]] = {
        "block": [(row,) for row in draft.blocks], "node": [(row,) for row in draft.nodes], "input": list(draft.inputs),
        "member": [(row,) for row in draft.members], "shift": [(row,) for row in draft.shifts],
        "swap": [(row,) for row in draft.swaps],
    }
    for table, keys in used.items():
        for key in keys:
            if (table, key) in gone:
                column = "input" if table == "input" else "id"
                folder.place(table, " ".join(key)).fault(column, "an id that was never used before", "choose a new one",
                                                         found=f"found {key[-1]}, which was retired")


def _check_numbers(folder: Folder, draft: Draft, kept: Mapping[tuple[str | int, ...], int]) -> None:
    """No number goes from one input to another unless both lines say so: receivers would send the police to the wrong place."""
    holders = {number: key for key, number in kept.items() if key in draft.inputs}
    for (node, name), one in draft.inputs.items():
        holder = holders.get(one.number) if one.number else None
        if holder is not None and holder != (node, name) and not draft.inputs[str(holder[0]), str(holder[1])].number:
            folder.place("input", f"{node} {name}").fault(
                "number", "one that no other input has", "choose another, or give that input a new one in its own line",
                found=f"found {one.number}, which is that of {' '.join(map(str, holder))}")


def _rows(drafts: Sequence[Draft]) -> dict[str, list[tuple[object, ...]]]:
    """The files' rows, sorted by their ids; zones as they come."""
    rows: dict[str, list[tuple[object, ...]]] = {name: [] for name in COLUMNS}
    for draft in drafts:
        district = draft.district
        rows["district"] = [(district.id, district.name, district.timezone, district.language)]
        rows["zones"].append((draft.zone.id, draft.zone.name))
        for _, block in sorted(draft.blocks.items()):
            rows["blocks"].append((block.id, block.zone, block.name, block.meeting_point, block.landmark, block.vehicle_point,
                                   "" if block.latitude is None else block.latitude, "" if block.longitude is None else block.longitude,
                                   " ".join(block.neighbours)))
        rows["nodes"] += [(node.id, node.block, node.public_key) for _, node in sorted(draft.nodes.items())]
        for key, one in sorted(draft.inputs.items()):
            rows["inputs"].append((one.node, one.input, one.kind, draft.addresses.get(key, ""), " ".join(one.excludes), one.number or ""))
        for _, member in sorted(draft.members.items()):
            contacts = CONTACTS_BETWEEN.join(f"{channel}:{address}" for channel, address in draft.contacts.get(member.id, ()))
            rows["members"].append((member.id, member.zone, member.call_sign, " ".join(member.roles), member.language,
                                    draft.names.get(member.id, ""), contacts, member.household, member.station))
        rows["shifts"] += [registry_duty.row(shift) for _, shift in sorted(draft.shifts.items())]
        rows["swaps"] += [(swap.id, swap.shift, swap.day, swap.member) for _, swap in sorted(draft.swaps.items())]
        rows["holidays"] = [(holiday.day, holiday.name) for holiday in draft.holidays]
    return rows


def _write_file(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    # Written beside and moved into place: a full disk leaves the old file whole.
    beside = path.with_suffix(".csv.new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
