"""The cells of a registry's CSV files: each is read as what its column holds, and a fault says where it is and what to do.

A fault never repeats what was found in a column that holds personal values; it says what sort of thing was found.
"""

import csv
import io
import re
from collections.abc import Iterator
from datetime import date, time
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from controller import public_numbers
from controller.dc09_address import parse_address
from controller.errors import BadMessage
from controller.messages import NAME_PATTERN
from controller.records import phones
from controller.registry import EXCLUDED_PATTERN, OnHolidays, Role

COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "district": ("id", "name", "timezone", "language"),
    "zones": ("id", "name"),
    "blocks": ("id", "zone", "name", "meeting_point", "landmark", "vehicle_point", "latitude", "longitude", "neighbours"),
    "nodes": ("id", "block", "public_key"),
    "inputs": ("node", "input", "kind", "address", "excludes", "number"),
    "members": ("id", "zone", "call_sign", "roles", "language", "name", "contacts", "household", "station"),
    "shifts": ("id", "member", "role", "starts", "ends", "weekdays", "blocks", "since", "until", "dates", "except_on", "holidays", "hand_over"),
    "swaps": ("id", "shift", "day", "member"),
    "holidays": ("day", "name"),
}
"""The files, without `.csv`, and their columns; the order of the columns is free."""
OPTIONAL: Final = {
    "blocks": frozenset({"neighbours"}), "inputs": frozenset({"number"}), "members": frozenset({"household", "station"}),
    "shifts": frozenset({"dates", "except_on", "holidays", "hand_over"}),
}
"""Which columns a file may do without; they are then empty."""
LEFT_OUT: Final = frozenset({"swaps", "holidays"})
"""Which files a folder may do without."""

CHANNELS: Final = ("sms", "call", "dc09", "cap", "apprise", "webhook")
CONTACTS_BETWEEN: Final = " | "
TEXT_MAX: Final = 200
_PERSONAL: Final = frozenset({("members", "name"), ("members", "contacts"), ("inputs", "address")})
_LANGUAGE: Final = re.compile(r"^[a-z]{2,3}$")
_PUBLIC_KEY: Final = re.compile(r"^[0-9a-f]{64}$")


class Faults:
    """Every fault of a folder, so that one reading mends them all."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, where: str, found: str, expected: str, do: str) -> None:
        """Name one: where it is, what was found there, what was expected, what to do."""
        self.found.append(f"{where}: {found}; expected {expected}; {do}")


class Line:
    """One row of a file. Its readers name a fault and answer with something harmless, so that the rest is read too."""

    def __init__(self, faults: Faults, path: Path, number: int, cells: dict[str, str]) -> None:
        self.number = number
        self._faults = faults
        self._path = path
        self._cells = cells

    def fault(self, column: str, expected: str, do: str = "correct it", found: str = "") -> None:
        """Name a fault of a cell. found: what to say instead of the cell's text."""
        text = self._cells.get(column, "")
        if not found:
            found = "found nothing" if not text else f"found {text[:60]!r}"
            if text and (self._path.stem, column) in _PERSONAL:
                found = f"found {len(text)} characters that are none"
        self._faults.add(f"{self._path}, line {self.number}, column {column}", found, expected, do)

    def filled(self, column: str) -> bool:
        """Whether there is anything in the cell."""
        return bool(self._cells[column])

    def name(self, column: str) -> str:
        """An id."""
        text = self._cells[column]
        if not NAME_PATTERN.match(text):
            self.fault(column, "an id: small letters, digits and -, at most 32")
        return text

    def name_or_none(self, column: str) -> str:
        """An id, or nothing."""
        return self.name(column) if self._cells[column] else ""

    def names(self, column: str) -> tuple[str, ...]:
        """Ids with blanks between, or none; in order and each once."""
        names = self._cells[column].split()
        if not all(NAME_PATTERN.match(name) for name in names):
            self.fault(column, "ids with blanks between", found="found what is no list of ids")
        return tuple(sorted(set(names)))

    def neighbours(self, column: str) -> tuple[str, ...]:
        """Blocks of this zone by their ids, of another as zone/block, with blanks between, or none; in order and each once."""
        names = self._cells[column].split()
        if not all(all(NAME_PATTERN.match(part) for part in name.split("/", 1)) for name in names):
            self.fault(column, "ids of blocks with blanks between, those of another zone as zone/block")
            return ()
        return tuple(sorted(set(names)))

    def excluded(self, column: str) -> tuple[str, ...]:
        """Members, households and stations with blanks between, or none; in order and each once."""
        names = self._cells[column].split()
        if not all(EXCLUDED_PATTERN.match(name) for name in names):
            self.fault(column, "ids of members, household:id or station:id, with blanks between", found="found what is no list of these")
            return ()
        return tuple(sorted(set(names)))

    def text(self, column: str, *, needed: bool = True) -> str:
        """A line of text."""
        text = self._cells[column]
        if needed and not text:
            self.fault(column, "a text", "fill it in")
        elif len(text) > TEXT_MAX or not text.isprintable():
            self.fault(column, f"one line of at most {TEXT_MAX} characters", found=f"found {len(text)} characters or line breaks")
        return text

    def degrees(self, column: str, most: int) -> float | None:
        """A coordinate, or none."""
        text = self._cells[column]
        if not text:
            return None
        try:
            degrees = float(text)
        except ValueError:
            degrees = most + 1.0
        if not -most <= degrees <= most:
            self.fault(column, f"degrees between -{most} and {most} with a decimal point, or nothing")
            return None
        return degrees

    def whole(self, column: str, most: int) -> int:
        """A whole number from 1 to `most`; 0: there is none."""
        text = self._cells[column]
        if text and not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= most):
            self.fault(column, f"a whole number from 1 to {most}, or nothing")
            return 0
        return int(text or 0)

    def public_key(self, column: str) -> str:
        """An X25519 public key."""
        text = self._cells[column].lower()
        if not _PUBLIC_KEY.match(text):
            self.fault(column, "64 hex digits", "take what `cuadra key show` prints on the node", found=f"found {len(text)} characters")
        return text

    def role(self, column: str) -> Role:
        """A role."""
        try:
            return Role(self._cells[column])
        except ValueError:
            self.fault(column, f"one of {', '.join(Role)}")
            return Role.REPRESENTATIVE

    def roles(self, column: str) -> tuple[Role, ...]:
        """Roles with blanks between, at least one."""
        known = {role.value: role for role in Role}
        words = self._cells[column].split()
        if not words or not all(word in known for word in words):
            self.fault(column, f"one or more of {', '.join(Role)} with blanks between")
        return tuple(sorted({known[word] for word in words if word in known}))

    def language(self, column: str) -> str:
        """A language's code; empty: Spanish."""
        text = self._cells[column] or "es"
        if not _LANGUAGE.match(text):
            self.fault(column, "a language's code, e.g. es, en, quy")
        return text

    def timezone(self, column: str) -> str:
        """A time zone's name."""
        text = self._cells[column]
        try:
            ZoneInfo(text)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.fault(column, "a time zone's name, e.g. America/Lima")
        return text

    def clock(self, column: str) -> time:
        """A time of day."""
        try:
            return time.fromisoformat(self._cells[column]).replace(second=0, microsecond=0, tzinfo=None)
        except ValueError:
            self.fault(column, "a time of day, e.g. 22:00")
            return time()

    def day(self, column: str) -> date | None:
        """A date, or none."""
        text = self._cells[column]
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            self.fault(column, "a date, e.g. 2026-07-28, or nothing")
            return None

    def days(self, column: str) -> tuple[date, ...]:
        """Dates with blanks between, or none; in order and each once."""
        try:
            return tuple(sorted({date.fromisoformat(word) for word in self._cells[column].split()}))
        except ValueError:
            self.fault(column, "dates with blanks between, e.g. 2026-07-28 2026-07-29, or nothing")
            return ()

    def the_day(self, column: str) -> date:
        """A date."""
        found = self.day(column)
        if found is None and not self._cells[column]:
            self.fault(column, "a date, e.g. 2026-07-28", "fill it in")
        return found or date.min

    def holidays(self, column: str) -> OnHolidays:
        """Whether it is served on holidays; empty: then, too."""
        try:
            return OnHolidays(self._cells[column] or OnHolidays.ALSO)
        except ValueError:
            self.fault(column, f"one of {', '.join(OnHolidays)}, or nothing for {OnHolidays.ALSO.value}")
            return OnHolidays.ALSO

    def weekdays(self, column: str) -> tuple[int, ...]:
        """Weekdays, 1 Monday to 7 Sunday, singly or as ranges; empty: every day."""
        days: set[int] = set()
        for word in self._cells[column].replace(",", " ").split():
            first, _, last = word.partition("-")
            if not (first in "1234567" and (last or first) in "1234567" and first <= (last or first)):
                self.fault(column, "weekdays from 1 (Monday) to 7 (Sunday), e.g. 1-5 or 6 7, or nothing for every day")
                return ()
            days.update(range(int(first), int(last or first) + 1))
        return tuple(sorted(days))

    def contacts(self, column: str) -> tuple[tuple[str, str], ...]:
        """Ways to reach somebody, e.g. `sms:+51900000001 | apprise:ntfy://host/topic`, in the order in which they are preferred."""
        contacts = []
        for word in filter(None, (part.strip() for part in self._cells[column].split("|"))):
            channel, _, address = word.partition(":")
            wanted = _ADDRESSES.get(channel)
            if wanted is None:
                expected = f"channel:address with one of {', '.join(CHANNELS)}, several with | between"
                self.fault(column, expected, found="found a contact of no channel")
                continue
            read = wanted.read(address.strip())
            if read is None:
                self.fault(column, wanted.expected, found=f"found {len(address)} characters that are no {channel} address")
            else:
                contacts.append((channel, read))
        return tuple(contacts)


class _Address:
    """What the address of a channel looks like."""

    expected = ""

    def read(self, text: str) -> str | None:
        """The address in its one form; None when it is none."""
        raise NotImplementedError


class _Phone(_Address):
    expected = "a phone number, e.g. sms:+51900000001"

    def read(self, text: str) -> str | None:
        return phones.normalise(text) or (text if public_numbers.SHORT.fullmatch(text) else None)


class _Dc09(_Address):
    expected = ("dc09://<account>@host:port, with ?format=adm-cid for Contact ID and &key=<32, 48 or 64 hex digits> where the receiver wants "
                "AES, as in dc09:dc09://1234@10.0.0.5:9000?format=adm-cid, and no other options than docs/channels.md has")

    def read(self, text: str) -> str | None:
        try:
            parse_address(text)
        except BadMessage:
            return None
        return text


class _Web(_Address):
    expected = "an address on the web, https://host/path, with #secret where the receiver checks signatures"

    def read(self, text: str) -> str | None:
        try:
            url = urlsplit(text)
            sound = url.scheme in {"http", "https"} and bool(url.hostname) and url.port != 0
        except ValueError:
            return None
        return text if sound and _solid(text) else None


class _Apprise(_Address):
    expected = "an Apprise URL, e.g. apprise:tgram://token/chat"

    def read(self, text: str) -> str | None:
        scheme, separator, rest = text.partition("://")
        return text if separator and scheme.isalnum() and rest and _solid(text) else None


_ADDRESSES: Final[dict[str, _Address]] = {
    "sms": _Phone(), "call": _Phone(), "dc09": _Dc09(), "cap": _Web(), "webhook": _Web(), "apprise": _Apprise(),
}


def _solid(text: str) -> bool:
    return text.isprintable() and " " not in text


def lines(path: Path, faults: Faults) -> Iterator[Line]:
    """The rows of a file, each under its columns' names; blank lines are passed over.

    What is wrong with the file itself, its header or a row's number of cells is added to `faults`.
    """
    wanted = COLUMNS[path.stem]
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        if path.stem in LEFT_OUT:
            return
        faults.add(str(path), "no such file", f"a CSV file with the columns {','.join(wanted)}", "add it, if need be with its header alone")
        return
    except UnicodeDecodeError as fault:
        line = path.read_bytes()[:fault.start].count(b"\n") + 1
        faults.add(f"{path}, line {line}", "not UTF-8", "a CSV file in UTF-8", "save it as UTF-8")
        return
    except OSError as fault:
        faults.add(str(path), f"cannot be read ({fault.strerror})", "a CSV file", "make it readable")
        return
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [cell.strip() for cell in next(reader, [])]
        missing = set(wanted).difference(header, OPTIONAL.get(path.stem, ()))
        if missing or len(set(header)) != len(header) or not set(header) <= set(wanted):
            _header_fault(path, header, wanted, faults)
            return
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                faults.add(f"{path}, line {reader.line_num}", f"{len(cells)} cells", f"{len(header)}, one a column",
                           "add or remove commas, or put a text with a comma between double quotes")
                continue
            yield Line(faults, path, reader.line_num, dict.fromkeys(wanted, "") | dict(zip(header, (cell.strip() for cell in cells), strict=True)))
    except csv.Error as fault:
        faults.add(f"{path}, line {reader.line_num}", str(fault), "a CSV file with commas and double quotes", "correct that line")


def _header_fault(path: Path, header: list[str], wanted: tuple[str, ...], faults: Faults) -> None:
    missing = [name for name in wanted if name not in header and name not in OPTIONAL.get(path.stem, ())]
    strange = [name for name in header if name not in wanted]
    twice = sorted({name for name in header if header.count(name) > 1})
    parts = [f"no column {', '.join(missing)}"] if missing else []
    parts += [f"an unknown column {', '.join(repr(name) for name in strange)}"] if strange else []
    parts += [f"twice the column {', '.join(twice)}"] if twice else []
    faults.add(f"{path}, line 1", " and ".join(parts), f"the columns {','.join(wanted)}", "correct the header")
