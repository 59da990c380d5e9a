"""The aggressor is coordinator, patrol, police desk and technician at once, and lives with another who is told of violence.

Whatever he does, all that reaches him, and all that he could look at, is what a night without the press would give him.
"""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from controller.entries import Chain, IncidentOpened
from controller.messages import Ask, Beat, Gesture, NodeFault, Press, digest_of, encode
from controller.records import tables
from controller.records.journal import Addition
from controller.records.store import Store
from controller.registry import Registry, Role
from controller.rules.console.acts import Act, Close, Note, Take
from controller.rules.effects import Refused
from controller.rules.inputs import NodeAsked, NodeBeat, OperatorDid, PartFailed, PressArrived, PressSetAside, Started
from controller.rules.zone import ZoneController
from tests.rules.night import Night, always, boot_of, member, registry
from tests.rules.test_lives import folded

HIS = (Role.COORDINATOR, Role.PATROL, Role.POLICE_DESK, Role.SERENAZGO, Role.REPRESENTATIVE, Role.TECHNICIAN, Role.TRAINED_VIOLENCE)
OUT = frozenset({"mario", "nelly", "sergio"})
"""He, who lives with him, and who sits at his desk."""


def network(excludes: tuple[str, ...] = ("household:h1", "station:pnp1")) -> Registry:
    people = [
        member("mario", *HIS, channels=("dc09", "sms", "apprise"), household="h1", station="pnp1"),
        member("nelly", Role.TRAINED_VIOLENCE, Role.PATROL, household="h1"),
        member("sergio", Role.POLICE_DESK, channels=("sms",), station="pnp1"),
        member("vera", Role.TRAINED_VIOLENCE), member("vilma", Role.TRAINED_VIOLENCE), member("desk", Role.POLICE_DESK, channels=("dc09",)),
        member("juan", Role.PATROL), member("ema", Role.TRAINED_EXTORTION),
    ]
    shifts = [*(always("mario", role) for role in HIS), always("nelly", Role.TRAINED_VIOLENCE), always("nelly", Role.PATROL, "b12"),
              always("vera", Role.TRAINED_VIOLENCE), always("juan", Role.PATROL)]
    return registry(members=people, shifts=shifts, excludes=excludes)


def secrets(night: Night, seq: int) -> None:
    """What happens at the hidden button: pressed, pressed again, its wire cut, and a press on which the rules had failed."""
    night.press("violence")
    night.press("violence")
    cut = Press(boot_of("b12n11s"), seq, "h1", "tamper", Gesture.CUT)
    night.does(PressArrived("b12n1", cut, digest_of(encode(cut)), 0))
    failed = Press(boot_of("b12n11s"), seq + 1, "h1", "violence", Gesture.HOLD)
    night.does(PressSetAside("b12n1", failed, digest_of(encode(failed)), "the rules failed"))


def lives(*, pressed: bool, ident: str, code: str, excludes: tuple[str, ...] = ("household:h1", "station:pnp1")) -> Night:
    """A night in which he tries everything; `ident`, `code`: of the silent incident, which he has got hold of somehow."""
    night = Night(network(excludes))
    for node in ("b12n1", "b12n2", "b13n1"):
        night.births(node)
    night.press("panic", node="b13n1")
    night.passes(s=5)
    if pressed:
        secrets(night, 60)
    night.passes(s=20)
    if pressed:
        night.replies("vera", "1")
    for text in ("1", f"1 {code}", f"2 {code}", f"3 {code}", f"9 {code}", code, "5", "que paso?", "PRUEBA b12n1"):
        night.replies("mario", text)
        night.replies("nelly", text)
        night.replies("sergio", text)
        night.passes(s=3)
    acts: tuple[Act, ...] = (Take(), Note("p-0000000000", "d"), Close("mistake", "p-0000000000", "d"))
    for n, act in enumerate(acts):
        night.does(OperatorDid(f"c{n}", "mario", act, ident))
    night.press("panic")
    night.passes(s=200)
    if pressed:
        night.replies("vera", "2")
    night.does(NodeAsked("b12n1", Ask(boot_of("b12n11"), "a1", "b1")))
    night.does(NodeBeat("b12n2", Beat(boot_of("b12n21"), 60, 0, faults=(NodeFault("stuck", "b1"),))))
    night.does(PartFailed("modem/sim1", "hung"))
    night.zone = ZoneController("z3", night.registry, night.policy, folded(night.entries))
    night.does(Started("1.0"))
    if pressed:
        secrets(night, 70)
    night.passes(s=3 * 3600)
    night.replies("mario", f"1 {code}")
    night.replies("mario", "2")
    if pressed:
        night.replies("vera", "5")
    night.passes(s=12 * 3600)
    return night


def reached(night: Night) -> dict[str, list[object]]:
    """All that was sent to him and his, word for word."""
    return {name: list(night.unread.get(name, [])) for name in sorted(OUT)}


def on_record(night: Night, path: Path) -> dict[str, Any]:
    """What somebody who may read all but the sealed chain finds in the records: the open chain's export, and every table's open rows."""
    store = Store.open(f"sqlite:///{path}", "z3")
    store.commit([Addition(*entry) for entry in night.entries])
    found: dict[str, Any] = {"export": [(one.seq, one.at_ms, msgspec.json.encode(one.body)) for one in store.entries(Chain.OPEN)]}
    with store.engine.connect() as connection:
        for table in (tables.PRESS, tables.INCIDENT, tables.NOTICE, tables.FAULT):
            found[table.name] = sorted(map(str, connection.execute(select(table).where(table.c.chain == "open"))))
        found["node_state"] = sorted(map(str, connection.execute(select(tables.NODE_STATE))))
    store.close()
    return found


@pytest.fixture(scope="module")
def nights() -> tuple[Night, Night]:
    [opened] = probe().bodies(IncidentOpened)
    return lives(pressed=True, ident=opened.incident, code=opened.code), lives(pressed=False, ident=opened.incident, code=opened.code)


def probe() -> Night:
    """The silent incident's id and code are functions of the press: he may know them."""
    night = Night(network())
    night.births("b12n1")
    night.press("violence")
    return night


def test_what_reaches_him_and_his_is_what_a_night_without_the_press_gives_them(nights: tuple[Night, Night]) -> None:
    told, without = nights
    assert len(reached(told)["mario"]) > 20, "he is told of everything else"
    assert reached(told) == reached(without)
    assert [notice for notice in told.notices() if notice.member in OUT] == [notice for notice in without.notices() if notice.member in OUT]


def test_all_the_others_of_the_circle_are_told(nights: tuple[Night, Night]) -> None:
    told, without = nights
    assert {"vera", "vilma", "desk"} <= {notice.member for notice in told.notices()} - OUT
    assert "vera" not in {notice.member for notice in without.notices()}


def test_all_that_he_could_look_at_or_count_is_the_same(nights: tuple[Night, Night], tmp_path: Path) -> None:
    told, without = nights
    assert told.open_side() == without.open_side()
    assert told.shown() == without.shown()
    with_it, without_it = on_record(told, tmp_path / "a.db"), on_record(without, tmp_path / "b.db")
    assert with_it.pop("export") == without_it.pop("export")
    assert with_it == without_it


def test_what_he_does_to_it_by_its_id_is_refused_as_if_it_had_never_been(nights: tuple[Night, Night]) -> None:
    told, without = nights
    refused = [effect for effect in told.done if isinstance(effect, Refused)]
    assert [one.code for one in refused] == ["unknown"] * 3
    assert refused == [effect for effect in without.done if isinstance(effect, Refused)]


def test_without_the_exclusion_he_would_be_told() -> None:
    [opened] = probe().bodies(IncidentOpened)
    told = lives(pressed=True, ident=opened.incident, code=opened.code, excludes=())
    templates = {notice.template for notice in told.notices() if notice.member == "mario" and notice.id.startswith(opened.incident)}
    assert templates & {"alarm", "police"}, "the comparison above can fail"
