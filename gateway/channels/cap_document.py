"""The CAP 1.2 document of an event: composed, checked against the schema and against the prose the schema misses.

Nothing personal stands in it: the block's own data, ids, times. The exact address of whoever pressed never does, nor
the text composed for a member. Times are UTC, written `-00:00` as the standard wants (section 3.3.2).
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo

from lxml import etree
from msgspec import Struct

from controller.texts import catalogue
from gateway.channels.channel import Event

NAMESPACE: Final = "urn:oasis:names:tc:emergency:cap:1.2"
DOCUMENT_BYTES_MAX: Final = 262_144

_PREFIX: Final = f"{{{NAMESPACE}}}"
_NAME: Final = re.compile(r"[^\s,&<]+")
_REFERENCE: Final = re.compile(r"[^\s,&<]+,[^\s,&<]+,\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d")
_NUMBER: Final = r"-?\d+(?:\.\d+)?"
_PAIR: Final = re.compile(rf"({_NUMBER}),({_NUMBER})")
_CIRCLE: Final = re.compile(rf"({_NUMBER}),({_NUMBER}) (\d+(?:\.\d+)?)")
_NO_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TEST_S: Final = 300


class CapProfile(Struct, frozen=True):
    """Who speaks, and to whom.

    sender: unique in the world, like an e-mail address, without blanks, commas, `<`, `&`. addresses: whom a silent
    event is for, as the receiving side names them. tz: for times that people read.
    """

    sender: str
    addresses: tuple[str, ...]
    expires_s: int
    radius_km: float
    tz: ZoneInfo


_LANGUAGES: Final = {"es": "es-PE", "en": "en"}
"""The catalogue's languages as CAP names them, in the order of the document's info blocks."""


class _Words:
    """The catalogue's words for CAP in one language: `_Words("es")["drill"]` is its `cap.drill`."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._catalogue = catalogue(language)

    def __getitem__(self, name: str) -> str:
        return self._catalogue[f"cap.{name}"]


def compose(key: str, event: Event, profile: CapProfile) -> bytes:
    """The document of the notice `key`: the same bytes for the same event. Not yet checked: see `faults`."""
    alert = etree.Element(f"{_PREFIX}alert", nsmap={None: NAMESPACE})
    sent = cap_time(event.made_at_ms)
    status = "Test" if event.step == "test" else "Exercise" if event.drill else "Actual"
    message = _message_type(event)
    _add(alert, "identifier", key)
    _add(alert, "sender", profile.sender)
    _add(alert, "sent", sent)
    _add(alert, "status", status)
    _add(alert, "msgType", message)
    _add(alert, "source", f"cuadra {event.zone}")
    _add(alert, "scope", "Private" if event.silent else "Restricted")
    if event.silent:
        _add(alert, "addresses", _spaced(profile.addresses))
    else:
        _add(alert, "restriction", _both("restriction"))
    _add(alert, "code", "profile:cuadra-1")
    note = _note(status, message)
    if note:
        _add(alert, "note", note)
    if message != "Alert":
        _add(alert, "references", " ".join(f"{profile.sender},{id_},{cap_time(at)}" for id_, at in event.earlier))
    _add(alert, "incidents", _spaced((event.incident,)))
    for language in _LANGUAGES:
        _add_info(alert, event, profile, _Words(language), status=status, message=message)
    return etree.tostring(alert, xml_declaration=True, encoding="UTF-8")


def cap_time(at_ms: int) -> str:
    """Whole seconds, UTC: `2026-01-15T12:34:56-00:00`."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S-00:00")


def _message_type(event: Event) -> str:
    if not event.earlier or event.step in {"opened", "test"}:
        return "Alert"  # nothing to refer to: an update is then this receiver's first word of it
    return "Cancel" if event.step == "cancelled" else "Update"


def _note(status: str, message: str) -> str:
    if status == "Exercise":
        return _both("note.drill")
    if status == "Test":
        return _both("note.test")
    return _both("note.over") if message == "Cancel" else ""


def _both(name: str) -> str:
    """An element that stands once for all languages."""
    return " / ".join(_Words(language)[name] for language in _LANGUAGES)


def _add_info(
    alert: etree._Element, event: Event, profile: CapProfile, words: _Words, *, status: str, message: str
) -> None:
    over = event.step == "cancelled"
    place = event.place
    name = event.cap_event if words.language == "es" else event.kind.replace("-", " ").capitalize()
    name = words["silent"] if event.silent else name
    tags = [words["drill"]] if status == "Exercise" else [words["test"]] if status == "Test" else []
    tags += [words["over"]] if over else [words["again"]] if message == "Update" else []
    info = _add(alert, "info")
    _add(info, "language", _LANGUAGES[words.language])
    _add(info, "category", event.cap_category)
    _add(info, "event", name)
    _add(info, "responseType", "AllClear" if over else "None" if status == "Test" else "Assess")
    _add(info, "urgency", "Past" if over else "Immediate")
    _add(info, "severity", event.severity)
    _add(info, "certainty", "Unknown" if over else "Observed")
    if status == "Actual":
        # A receiver that acts on codes and overlooks the status must not act on a drill.
        _add_value(info, "eventCode", "SIA-DC05", f"{3 if over else 1}{event.cid}")
        _add_value(info, "eventCode", "SIA-DC03", event.restore_sia if over else event.sia)
    _add(info, "effective", cap_time(event.made_at_ms))
    _add(info, "onset", cap_time(event.pressed_from_at_ms))
    _add(info, "expires", cap_time(event.made_at_ms + 1000 * (_TEST_S if status == "Test" else profile.expires_s)))
    _add(info, "senderName", event.zone_name)
    _add(info, "headline", ": ".join([*tags, f"{name}, {place.block_name}"]))
    _add(info, "description", _description(event, profile.tz, words))
    if not over and not event.silent:  # a silent event's circle knows what to do, and comes unseen
        _add(info, "instruction", words["instruction"])
    for parameter, value in _parameters(event):
        _add_value(info, "parameter", parameter, value)
    area = _add(info, "area")
    _add(area, "areaDesc", f"{place.block_name}, {event.zone_name}")
    if place.latitude is not None and place.longitude is not None:
        _add(area, "circle", f"{place.latitude:.6f},{place.longitude:.6f} {profile.radius_km:g}")


def _description(event: Event, tz: ZoneInfo, words: _Words) -> str:
    place = event.place
    parts = [f"{place.block_name}.", f"{words['where']}: {place.meeting_point}."]
    parts += [f"{more}." for more in (place.landmark, place.vehicle_point) if more]
    if event.late:
        since, until = (datetime.fromtimestamp(at // 1000, tz).strftime("%d/%m %H:%M")
                        for at in (event.pressed_from_at_ms, event.pressed_to_at_ms))
        parts.append(words["late"].format(since=since, until=until))
    return " ".join(parts)


def _parameters(event: Event) -> Iterator[tuple[str, str]]:
    yield "cuadra:zone", event.zone
    yield "cuadra:block", event.place.block
    yield "cuadra:node", event.node
    yield "cuadra:zone-number", f"{event.zone_number:03d}"
    yield "cuadra:code", event.code
    if event.late:
        yield "cuadra:pressed-from", cap_time(event.pressed_from_at_ms)
        yield "cuadra:pressed-to", cap_time(event.pressed_to_at_ms)


def _add(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    child = etree.SubElement(parent, f"{_PREFIX}{name}")
    if text is not None:
        child.text = _NO_XML.sub("", text)
    return child


def _add_value(parent: etree._Element, name: str, key: str, value: str) -> None:
    element = _add(parent, name)
    _add(element, "valueName", key)
    _add(element, "value", value)


def _spaced(values: tuple[str, ...]) -> str:
    """Separated by blanks; a value that holds one in double quotes (sections 3.2.1, addresses and incidents)."""
    return " ".join(f'"{value}"' if " " in value else value for value in values)


@cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.fromstring(files(__package__).joinpath("cap_schema", "CAP-v1.2.xsd").read_bytes()))


def faults(document: bytes) -> list[str]:
    """What is wrong with a CAP document, by the schema and by the prose; empty when valid. Texts name elements only."""
    if len(document) > DOCUMENT_BYTES_MAX:
        return [f"{len(document)} bytes; expected at most {DOCUMENT_BYTES_MAX}"]
    try:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
        alert = etree.fromstring(document, parser)
    except etree.XMLSyntaxError as fault:
        return [f"not XML (line {fault.lineno})"]
    if alert.getroottree().docinfo.doctype:
        return ["a document type; expected none"]
    schema = _schema()
    if not schema.validate(alert):
        return [f"line {entry.line}: {entry.type_name}" for entry in schema.error_log]
    return list(_prose_faults(alert))


def _prose_faults(alert: etree._Element) -> Iterator[str]:
    names = ("identifier", "sender", "msgType", "scope", "addresses", "restriction", "references", "status", "note")
    text = {name: alert.findtext(f"{_PREFIX}{name}") or "" for name in names}
    for name in ("identifier", "sender"):
        if not _NAME.fullmatch(text[name]):
            yield f"{name}: expected no blank, comma, < or &"
    for name, wanted in (
        ("references", text["msgType"] != "Alert"),
        ("addresses", text["scope"] == "Private"),
        ("restriction", text["scope"] == "Restricted"),
        ("note", text["status"] == "Exercise"),
    ):
        if wanted and not text[name]:
            yield f"{name}: missing in a {text['status']} {text['scope']} {text['msgType']}"
    if not all(_REFERENCE.fullmatch(one) for one in text["references"].split()):
        yield "references: expected sender,identifier,sent triples"
    sent = datetime.fromisoformat(alert.findtext(f"{_PREFIX}sent") or "")
    for info in alert.iterfind(f"{_PREFIX}info"):
        expires = info.findtext(f"{_PREFIX}expires")
        if expires and datetime.fromisoformat(expires) <= sent:
            yield "expires: expected a time after sent"
        for area in info.iterfind(f"{_PREFIX}area"):
            yield from _area_faults(area)


def _area_faults(area: etree._Element) -> Iterator[str]:
    for circle in area.iterfind(f"{_PREFIX}circle"):
        found = _CIRCLE.fullmatch(circle.text or "")
        if found is None or not _on_earth(found):
            yield "circle: expected latitude,longitude radius_km"
    for polygon in area.iterfind(f"{_PREFIX}polygon"):
        corners = (polygon.text or "").split()
        pairs = [_PAIR.fullmatch(corner) for corner in corners]
        if len(corners) < 4 or corners[0] != corners[-1] or not all(pair and _on_earth(pair) for pair in pairs):
            yield "polygon: expected at least 4 latitude,longitude pairs, the first and the last the same"


def _on_earth(pair: re.Match[str]) -> bool:
    return abs(float(pair[1])) <= 90 and abs(float(pair[2])) <= 180
