"""The CAP document: valid by the schema and by the prose that no schema checks, and its way to a server."""

from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from lxml import etree

from gateway.channels.cap import CapChannel, CapSettings
from gateway.channels.cap_document import NAMESPACE, CapProfile, cap_time, compose, faults
from gateway.channels.channel import Never, Sent, TryLater
from tests.channels.tellings import EVENT, PRESSED_AT_MS, event, telling
from tests.channels.web_server import WebServer

PROFILE = CapProfile("zone-7@alarms.example.org", ("police-desk", "trained circle"), 3600, 0.1, ZoneInfo("America/Lima"))
SETTINGS = CapSettings(sender=PROFILE.sender, total_s=1)
EARLIER = (("abcdefghij-1", PRESSED_AT_MS + 900), ("abcdefghij-2", PRESSED_AT_MS + 60_000))
STEPS: dict[str, dict[str, Any]] = {
    "alert": {},
    "update": {"step": "updated", "earlier": EARLIER},
    "cancel": {"step": "cancelled", "earlier": EARLIER},
    "drill": {"drill": True},
    "drill cancelled": {"drill": True, "step": "cancelled", "earlier": EARLIER},
    "test": {"step": "test"},
    "silent": {"silent": True, "kind": "violence", "cid": "122", "sia": "HA"},
    "late": {"late": True, "pressed_to_at_ms": PRESSED_AT_MS + 900_000},
    "first heard of as an update": {"step": "updated"},
}


def read(document: bytes) -> dict[str, list[str]]:
    """Every element's texts, by name."""
    texts: dict[str, list[str]] = {}
    for element in etree.fromstring(document).iter():
        texts.setdefault(etree.QName(element).localname, []).append(element.text or "")
    return texts


@pytest.mark.parametrize("changes", STEPS.values(), ids=STEPS)
def test_every_step_is_a_valid_document_the_same_at_every_try_and_names_nobody(changes: dict[str, Any]) -> None:
    told = event(**changes)
    document = compose("abcdefghij-3", told, PROFILE)
    assert faults(document) == []
    schema = etree.XMLSchema(etree.parse(str(files("gateway.channels") / "cap_schema" / "CAP-v1.2.xsd")))
    schema.assertValid(etree.fromstring(document))
    assert compose("abcdefghij-3", told, PROFILE) == document
    assert EVENT.place.address.encode() not in document
    texts = read(document)
    assert texts["identifier"] == ["abcdefghij-3"]
    assert texts["sent"] == ["2026-01-15T12:34:57-00:00"]
    assert texts["incidents"] == ["abcdefghij"]
    assert texts["language"] == ["es-PE", "en"]
    assert texts["circle"] == ["-12.060700,-77.039500 0.1"] * 2


def test_an_alert_asks_and_a_cancel_refers_to_all_before_it_and_gives_the_all_clear() -> None:
    alert, cancel = (read(compose("k-3", event(**STEPS[name]), PROFILE)) for name in ("alert", "cancel"))
    assert (alert["status"], alert["msgType"], alert["scope"]) == (["Actual"], ["Alert"], ["Restricted"])
    assert "references" not in alert
    assert (alert["urgency"][0], alert["responseType"][0], alert["value"][:2]) == ("Immediate", "Assess", ["1120", "PA"])
    assert cancel["msgType"] == ["Cancel"]
    assert cancel["references"] == [
        "zone-7@alarms.example.org,abcdefghij-1,2026-01-15T12:34:56-00:00 "
        "zone-7@alarms.example.org,abcdefghij-2,2026-01-15T12:35:56-00:00"
    ]
    assert (cancel["urgency"][0], cancel["responseType"][0], cancel["value"][:2]) == ("Past", "AllClear", ["3120", "PR"])
    assert "advice" in cancel["note"][0]


def test_a_drill_says_so_everywhere_and_bears_no_alarm_code() -> None:
    drill = read(compose("k-1", event(drill=True), PROFILE))
    assert drill["status"] == ["Exercise"]
    assert "simulacro" in drill["note"][0]
    assert all(headline.startswith(("SIMULACRO", "DRILL")) for headline in drill["headline"])
    assert "eventCode" not in drill


def test_a_silent_event_is_private_and_neutral() -> None:
    silent = read(compose("k-1", event(**STEPS["silent"]), PROFILE))
    assert (silent["scope"], silent["addresses"]) == (["Private"], ['police-desk "trained circle"'])
    assert silent["event"] == ["Alarma silenciosa", "Silent alarm"]
    assert "instruction" not in silent
    assert b"violence" not in compose("k-1", event(**STEPS["silent"]), PROFILE)


def test_without_a_position_there_is_no_circle() -> None:
    place = type(EVENT.place)("b1", "Mz A", "Parque")
    document = compose("k-1", event(place=place), PROFILE)
    assert faults(document) == []
    assert "circle" not in read(document)


def test_a_late_press_is_told_with_its_interval_in_local_time() -> None:
    late = read(compose("k-1", event(**STEPS["late"]), PROFILE))
    assert "entre 15/01 07:34 y 15/01 07:49" in late["description"][0]
    assert late["onset"][0] == cap_time(PRESSED_AT_MS)


def test_what_xml_cannot_hold_is_left_out() -> None:
    place = type(EVENT.place)("b1", "Mz <A> & \x00\x1b\ud800B", "Parque")
    document = compose("k-1", event(place=place), PROFILE)
    assert faults(document) == []
    assert "Mz <A> & B" in read(document)["areaDesc"][0]


def changed(name: str, text: str, changes: dict[str, Any] | None = None) -> bytes:
    """A valid document with one element's text changed; removed when the text is empty."""
    root = etree.fromstring(compose("abcdefghij-3", event(**(changes or {})), PROFILE))
    element = next(root.iter(f"{{{NAMESPACE}}}{name}"))
    if text:
        element.text = text
    else:
        parent = element.getparent()
        assert parent is not None
        parent.remove(element)
    return etree.tostring(root)


@pytest.mark.parametrize(("document", "named"), [
    (changed("identifier", "a b"), "identifier"),
    (changed("identifier", "a,b"), "identifier"),
    (changed("sender", "a&b"), "sender"),
    (changed("references", "", STEPS["cancel"]), "references"),
    (changed("references", "", STEPS["update"]), "references"),
    (changed("references", "a,b", STEPS["update"]), "references"),
    (changed("addresses", "", STEPS["silent"]), "addresses"),
    (changed("restriction", ""), "restriction"),
    (changed("note", "", STEPS["drill"]), "note"),
    (changed("msgType", "Ack"), "references"),
    (changed("circle", "nonsense"), "circle"),
    (changed("circle", "-12.06,-277.03 0.1"), "circle"),
    (changed("expires", "2026-01-15T12:34:00-00:00"), "expires"),
    (changed("sent", "2026-01-15T12:34:57Z"), "SCHEMAV"),
    (changed("sent", "2026-01-15T12:34:57.1-00:00"), "SCHEMAV"),
    (changed("urgency", "immediate"), "SCHEMAV"),
    (b"<alert", "not XML"),
    (b"<!DOCTYPE alert []><alert/>", "document type"),
])
def test_each_fault_that_a_receiver_would_stumble_over_is_found(document: bytes, named: str) -> None:
    found = faults(document)
    assert any(named in fault for fault in found), found


@pytest.mark.parametrize(("polygon", "sound"), [
    ("1,1 1,2 2,2 1,1", True), ("1,1 1,2 1,1", False), ("1,1 1,2 2,2 3,3", False), ("1,1 1,2 2,200 1,1", False),
    ("x", False), ("1,1 1 2,2 1,1", False),
])
def test_a_polygon_is_closed_and_lies_on_earth(polygon: str, sound: bool) -> None:
    root = etree.fromstring(compose("k-1", EVENT, PROFILE))
    circle = next(root.iter(f"{{{NAMESPACE}}}circle"))
    circle.tag, circle.text = f"{{{NAMESPACE}}}polygon", polygon
    assert (faults(etree.tostring(root)) == []) is sound


async def test_the_document_is_posted_under_the_notices_key() -> None:
    async with WebServer() as server:
        cap = CapChannel(SETTINGS)
        outcomes = [await cap.send(telling(server.url + "#s3cret", number=3, attempt=n)) for n in (1, 2)]
        assert outcomes == [Sent("200")] * 2
        first, second = server.requests
        assert first.body == second.body == compose("abcdefghij-3", EVENT, PROFILE)
        assert first.headers["Content-Type"] == "application/cap+xml"
        assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"] == "abcdefghij-3"
        assert first.headers["X-Cuadra-Signature"].startswith("t=")


@pytest.mark.parametrize(("status", "outcome"), [(400, Never), (422, Never), (500, TryLater), (429, TryLater)])
async def test_what_the_server_refuses_is_not_sent_again(status: int, outcome: type) -> None:
    async with WebServer() as server:
        server.status = status
        assert isinstance(await CapChannel(SETTINGS).send(telling(server.url)), outcome)


async def test_nothing_that_is_not_valid_or_cancels_nothing_leaves_the_house() -> None:
    async with WebServer() as server:
        cap = CapChannel(SETTINGS)
        assert isinstance(await cap.send(telling(server.url, step="cancelled")), Never)
        assert isinstance(await cap.send(telling(server.url, cap_category="Nonsense")), Never)
        assert isinstance(await cap.send(telling("ftp://x/")), Never)
        assert server.requests == []


def test_settings_name_their_faults() -> None:
    settings = CapSettings(sender="a@b", timezone="Lima", addresses=('x"',))
    assert [fault.split(":")[0] for fault in settings.faults()] == ["[cap] timezone", "[cap] addresses"]
