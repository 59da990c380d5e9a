"""A folder of CSV files, read into drafts: what stands where, and which row refers to which."""

from collections.abc import Iterable
from pathlib import Path

from msgspec import structs

from controller import public_numbers
from controller.records import registry_duty, registry_exclusions
from controller.records.registry_cells import CHANNELS, Faults, Line, lines
from controller.records.registry_draft import Draft
from controller.registry import INPUT_NUMBER_MAX, Block, District, Holiday, Input, Member, Node, Swap, Zone
from controller.rules.policy import Policy
from controller.rules.policy_parts import PolicePolicy


class Reader:
    """The folder while it is read. Ids are taken in even from faulty rows, so that one fault is not reported as many."""

    def __init__(self, path: Path, faults: Faults, policy: Policy | None) -> None:
        self._path = path
        self._faults = faults
        self._policy = policy
        self._policies: dict[str, Policy] = {}
        """Each zone's own."""
        self.places: dict[tuple[str, str], Line] = {}
        self._drafts: dict[str, Draft] = {}
        self._zone_of: dict[str, dict[str, str]] = {"block": {}, "node": {}, "member": {}, "shift": {}}
        self._channels: dict[str, frozenset[str]] = {}
        """Member -> by what they are reached; by anything where a contact is faulty, which is named there."""

    def drafts(self) -> dict[str, Draft]:
        """By zone, in the order of zones.csv; what is faulty is named and left out."""
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
        holidays = self._holidays()
        for draft in self._drafts.values():
            draft.holidays = holidays
        for line in self._lines("shifts"):
            self._shift(line)
        for line in self._lines("swaps"):
            self._swap(line)
        self._neighbours()
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
                      line.text("vehicle_point", needed=False), latitude, longitude, line.neighbours("neighbours"))
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
        value = Member(member, zone, call_sign, line.roles("roles"), line.language("language"),
                       household=line.name_or_none("household"), station=line.name_or_none("station"))
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
        for channel, address in contacts:
            self._dialled(line, zone, channel, address)
        if draft:
            draft.members[member] = value
            draft.names[member] = name
            draft.contacts[member] = contacts

    def _dialled(self, line: Line, zone: str, channel: str, address: str) -> None:
        own = self._policy_of(zone)
        police = own.police if own is not None else PolicePolicy()
        if public_numbers.refused(police, channel, address):
            line.fault("contacts", "[police] agreement of the policy to name the document that allows a machine to dial it, or another contact",
                       found=f"found a public emergency number for {channel}")
        elif public_numbers.SHORT.fullmatch(address) and not public_numbers.is_public(address, public_numbers.known(police)):
            line.fault("contacts", "a phone number, e.g. sms:+51900000001", found=f"found {len(address)} characters that are no {channel} address")

    def _policy_of(self, zone: str) -> Policy | None:
        if self._policy is not None and zone not in self._policies:
            self._policies[zone] = self._policy.for_zone(zone)
        return self._policies.get(zone)

    def _input(self, line: Line) -> None:
        node, name, kind = line.name("node"), line.name("input"), line.name("kind")
        address, excludes = line.text("address", needed=False), line.excluded("excludes")
        number = line.whole("number", INPUT_NUMBER_MAX)
        zone = self._refers(line, "node", node, "nodes.csv")
        key = (node, name)
        if not self._new(line, "input", "input", " ".join(key)) or zone not in self._drafts:
            return
        draft = self._drafts[zone]
        registry_exclusions.check(line, draft, self._policy_of(zone), self._channels, kind, excludes)
        holder = self.places.setdefault(("number", f"{zone} {number}"), line)
        if number and holder is not line:
            line.fault("number", "a number of its own for each input of a zone", "choose another, or leave it empty",
                       found=f"found the number of the input in line {holder.number}")
        draft.inputs[key] = Input(node, name, kind, excludes=excludes, number=number)
        if address:
            draft.addresses[key] = address

    def _shift(self, line: Line) -> None:
        value = registry_duty.shift(line)
        zone = self._refers(line, "member", value.member, "members.csv")
        if not self._new(line, "shift", "id", value.id):
            return
        self._zone_of["shift"][value.id] = zone
        if zone in self._drafts:
            draft = self._drafts[zone]
            registry_duty.check_shift(line, draft, value)
            draft.shifts[value.id] = structs.replace(value, zone=zone)

    def _swap(self, line: Line) -> None:
        swap, shift, day, member = line.name("id"), line.name("shift"), line.the_day("day"), line.name("member")
        zone = self._refers(line, "shift", shift, "shifts.csv")
        if not self._new(line, "swap", "id", swap) or zone not in self._drafts:
            return
        value = Swap(swap, zone, shift, day, member)
        draft = self._drafts[zone]
        registry_duty.check_swap(line, draft, value)
        holder = self.places.setdefault(("turn", f"{shift} {day}"), line)
        if holder is not line:
            line.fault("day", "each shift at most once a day", "remove a line", found=f"found the shift and the day of line {holder.number} again")
        draft.swaps[swap] = value

    def _holidays(self) -> tuple[Holiday, ...]:
        found: dict[str, Holiday] = {}
        for line in self._lines("holidays"):
            day = line.the_day("day")
            if self._new(line, "holiday", "day", day.isoformat()):
                found[day.isoformat()] = Holiday(day, line.text("name"))
        return tuple(holiday for _, holiday in sorted(found.items()))

    def _neighbours(self) -> None:
        """Each neighbour is a block: of the own zone, or of the one that is named; a zone that is not in the folder is believed."""
        for draft in self._drafts.values():
            for block in draft.blocks.values():
                for name in block.neighbours:
                    zone, _, other = name.rpartition("/")
                    home = self._drafts.get(zone or draft.zone.id)
                    wrong = home is not None and (other not in home.blocks or (home is draft and (zone or other == block.id)))
                    if wrong:
                        self.places["block", block.id].fault(
                            "neighbours", "other blocks of the zone by their ids, those of another zone as zone/block", found=f"found {name!r}")

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
