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
from controller.records import database, registry_store
from controller.records.private import PHONE_KINDS, Private
from controller.records.registry_cells import CHANNELS, COLUMNS, CONTACTS_BETWEEN, Faults, Line, lines
from controller.records.registry_draft import Draft
from controller.records.registry_store import Change, Revision
from controller.registry import INPUT_NUMBER_MAX, Block, District, Input, Member, Node, Shift, Zone
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
    reader = _Reader(path, faults, policy)
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


class _Reader:
    """The folder while it is read. Ids are taken in even from faulty rows, so that one fault is not reported as many."""

    def __init__(self, path: Path, faults: Faults, policy: Policy | None) -> None:
        self._path = path
        self._faults = faults
        self._policy = policy
        self.places: dict[tuple[str, str], Line] = {}
        self._drafts: dict[str, Draft] = {}
        self._zone_of: dict[str, dict[str, str]] = {"block": {}, "node": {}, "member": {}}
        self._channels: dict[str, frozenset[str]] = {}
        """Member -> by what they are reached; by anything where a contact is faulty, which is named there."""

    def drafts(self) -> dict[str, Draft]:
        district = self._district()
        for line in self._lines("zones"):
            zone = line.name("id")
            if self._new(line, "zone", "id", zone):
                self._drafts[zone] = Draft(district, Zone(zone, line.text("name"), district.id))
        if not self._drafts and not self._faults.found:
            self._faults.add(str(self._path / "zones.csv"), "no zone", "at least one", "add a line")
        for line in self._lines("blocks"):
            self._block(line)
        for line in self._lines("nodes"):
            self._node(line)
        for line in self._lines("members"):
            self._member(line)
        for line in self._lines("inputs"):
            self._input(line)
        for line in self._lines("shifts"):
            self._shift(line)
        return self._drafts

    def _lines(self, name: str) -> Iterable[Line]:
        return lines(self._path / f"{name}.csv", self._faults)

    def _district(self) -> District:
        districts: list[District] = []
        for line in self._lines("district"):
            if districts:
                line.fault("id", "one district", "keep one line")
            districts.append(District(line.name("id"), line.text("name"), line.timezone("timezone"), line.language("language")))
        if not districts and not self._faults.found:
            self._faults.add(str(self._path / "district.csv"), "no district", "one line", "add it")
        return districts[0] if districts else District("none", "")

    def _block(self, line: Line) -> None:
        block, zone = line.name("id"), line.name("zone")
        latitude, longitude = line.degrees("latitude", 90), line.degrees("longitude", 180)
        if (latitude is None) != (longitude is None):
            line.fault("longitude" if longitude is None else "latitude", "both coordinates or neither", "fill it in or empty the other")
        value = Block(block, zone, line.text("name"), line.text("meeting_point"), line.text("landmark", needed=False),
                      line.text("vehicle_point", needed=False), latitude, longitude)
        draft = self._draft(line, zone)
        if self._new(line, "block", "id", block):
            self._zone_of["block"][block] = zone
            if draft:
                draft.blocks[block] = value

    def _node(self, line: Line) -> None:
        node, block, key = line.name("id"), line.name("block"), line.public_key("public_key")
        zone = self._refers(line, "block", block, "blocks.csv")
        if not self._new(line, "node", "id", node):
            return
        self._zone_of["node"][node] = zone
        holder = self.places.setdefault(("public key", key), line)
        if holder is not line and key:
            line.fault("public_key", "a key of its own for each node", "run `cuadra key show` on this node itself",
                       found=f"found the key of the node in line {holder.number}")
        if zone in self._drafts:
            self._drafts[zone].nodes[node] = Node(node, zone, block, key)

    def _member(self, line: Line) -> None:
        member, zone = line.name("id"), line.name("zone")
        call_sign = line.text("call_sign")
        value = Member(member, zone, call_sign, line.roles("roles"), line.language("language"))
        name, contacts = line.text("name", needed=False), line.contacts("contacts")
        draft = self._draft(line, zone)
        if not self._new(line, "member", "id", member):
            return
        self._zone_of["member"][member] = zone
        channels = frozenset(channel for channel, _ in contacts)
        self._channels[member] = channels or frozenset(CHANNELS if line.filled("contacts") else ())
        holder = self.places.setdefault(("call sign", f"{zone} {call_sign.casefold()}"), line)
        if holder is not line:
            line.fault("call_sign", "a call sign of its own for each member of a zone", "choose another",
                       found=f"found the call sign of the member in line {holder.number}")
        if draft:
            draft.members[member] = value
            draft.names[member] = name
            draft.contacts[member] = contacts

    def _input(self, line: Line) -> None:
        node, name, kind = line.name("node"), line.name("input"), line.name("kind")
        address, excludes = line.text("address", needed=False), line.names("excludes")
        number = line.whole("number", INPUT_NUMBER_MAX)
        zone = self._refers(line, "node", node, "nodes.csv")
        key = (node, name)
        if not self._new(line, "input", "input", " ".join(key)) or zone not in self._drafts:
            return
        draft = self._drafts[zone]
        for member in excludes:
            if member not in draft.members:
                line.fault("excludes", f"ids of members of zone {zone}", "correct it", found="found an id that no member of the zone has")
        if self._policy is not None and kind and kind not in self._policy.kinds:
            # The rules would tell it as panic: whoever mistypes a silent kind would have it sound.
            line.fault("kind", f"one of the policy's kinds: {', '.join(self._policy.kinds)}", "correct it, or add the kind to the policy")
        elif self._policy is not None and self._policy.kind(kind).silent and not self._told(draft, kind, excludes):
            if excludes:
                line.fault("excludes", f"somebody to be left who is told of {kind}", "exclude fewer, or add members first",
                           found="found exclusions that leave nobody")
            else:
                line.fault("kind", "a kind of which somebody is told, or a member with a contact in its circle", "add members first",
                           found=f"found {kind!r}, of which the policy tells none of the zone's members")
        for member in self._shares(draft, kind, excludes):
            line.fault("excludes", "members who share no address with anybody who may know of it", f"exclude {member}, too, or give each their own",
                       found=f"found one with an address of {member}, who is told")
        holder = self.places.setdefault(("number", f"{zone} {number}"), line)
        if number and holder is not line:
            line.fault("number", "a number of its own for each input of a zone", "choose another, or leave it empty",
                       found=f"found the number of the input in line {holder.number}")
        draft.inputs[key] = Input(node, name, kind, excludes=excludes, number=number)
        if address:
            draft.addresses[key] = address

    def _told(self, draft: Draft, kind: str, excludes: Collection[str]) -> list[str]:
        """The members who are told of a press of this kind."""
        return [member.id for member in draft.members.values() if self._policy is not None and member.id not in excludes
                and self._policy.tells(kind, member.roles, self._channels[member.id])]

    def _shares(self, draft: Draft, kind: str, excludes: Collection[str]) -> list[str]:
        """The members of a silent kind's circle whose texts an excluded member would read."""
        if self._policy is None or not self._policy.kind(kind).silent:
            return []
        theirs = {_where(*contact) for member in excludes for contact in draft.contacts.get(member, ())}
        circle = set(self._policy.kind(kind).circle)
        return [member.id for member in draft.members.values()
                if member.id not in excludes and circle.intersection(member.roles)
                and theirs.intersection(_where(*contact) for contact in draft.contacts.get(member.id, ()))]

    def _shift(self, line: Line) -> None:
        shift, member, role = line.name("id"), line.name("member"), line.role("role")
        starts, ends = line.clock("starts"), line.clock("ends")
        weekdays, blocks = line.weekdays("weekdays"), line.names("blocks")
        since, until = line.day("since"), line.day("until")
        if since and until and until < since:
            line.fault("until", "a day not before since")
        zone = self._refers(line, "member", member, "members.csv")
        if not self._new(line, "shift", "id", shift) or zone not in self._drafts:
            return
        draft = self._drafts[zone]
        if member in draft.members and role not in draft.members[member].roles:
            line.fault("role", f"one of the member's own: {', '.join(draft.members[member].roles)}", "correct it, here or in members.csv")
        for block in blocks:
            if block not in draft.blocks:
                line.fault("blocks", f"ids of blocks of zone {zone}, or nothing for the whole zone", found=f"found {block!r}")
        draft.shifts[shift] = Shift(shift, zone, member, role, starts, ends, weekdays, blocks, since, until)

    def _draft(self, line: Line, zone: str) -> Draft | None:
        if zone not in self._drafts:
            line.fault("zone", "a zone of zones.csv", "correct it, or add the zone there")
        return self._drafts.get(zone)

    def _refers(self, line: Line, column: str, row: str, file: str) -> str:
        """The zone of the row that is referred to."""
        zone = self._zone_of[column].get(row)
        if zone is None:
            line.fault(column, f"an id of {file}", "correct it, or add it there")
        return zone or ""

    def _new(self, line: Line, table: str, column: str, row: str) -> bool:
        first = self.places.setdefault((table, row), line)
        if first is not line:
            line.fault(column, "each id once", "choose another id, or remove a line", found=f"found the id of line {first.number} again")
        return first is line


def _where(channel: str, address: str) -> tuple[str, str]:
    """Where a contact reaches somebody: texts and calls reach the same phone."""
    return "phone" if channel in PHONE_KINDS else channel, address


def _check_retired(folder: Folder, draft: Draft, gone: set[tuple[str, registry_store.Key]]) -> None:
    used: dict[str, Iterable[tuple[str, ...]]] = {
        "block": [(row,) for row in draft.blocks], "node": [(row,) for row in draft.nodes], "input": list(draft.inputs),
        "member": [(row,) for row in draft.members], "shift": [(row,) for row in draft.shifts],
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
                                   "" if block.latitude is None else block.latitude, "" if block.longitude is None else block.longitude))
        rows["nodes"] += [(node.id, node.block, node.public_key) for _, node in sorted(draft.nodes.items())]
        for key, one in sorted(draft.inputs.items()):
            rows["inputs"].append((one.node, one.input, one.kind, draft.addresses.get(key, ""), " ".join(one.excludes), one.number or ""))
        for _, member in sorted(draft.members.items()):
            contacts = CONTACTS_BETWEEN.join(f"{channel}:{address}" for channel, address in draft.contacts.get(member.id, ()))
            rows["members"].append((member.id, member.zone, member.call_sign, " ".join(member.roles), member.language,
                                    draft.names.get(member.id, ""), contacts))
        for _, shift in sorted(draft.shifts.items()):
            rows["shifts"].append((shift.id, shift.member, shift.role, shift.starts.isoformat("minutes"), shift.ends.isoformat("minutes"),
                                   " ".join(map(str, shift.weekdays)), " ".join(shift.blocks), shift.since or "", shift.until or ""))
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
