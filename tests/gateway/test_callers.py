"""Who rings, on the way to the rules: known by their number, which goes no further."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from controller.errors import Unavailable
from controller.records.private import Private
from controller.records.store import Store
from controller.registry import Contact
from controller.rules.inputs import MemberCalled
from gateway.callers import Callers
from gateway.channels.channel import Rang
from gateway.contacts import Contacts
from tests.gateway.facts import until
from tests.rules.night import registry

ROSA, SHARED, STRANGER = "+51987654321", "+51911111111", "+51900000009"


class Desk:
    """Callers before records of their own: rosa has a number, juan and elva share one."""

    def __init__(self, folder: Path) -> None:
        self.store = Store.open(f"sqlite:///{folder / 'gateway.db'}", "z3")
        self.private = Private.open(self.store.engine, "z3", folder / "people.key")
        network = registry()
        members = dict(network.members)
        for name, channel, number in (("rosa", "call", ROSA), ("juan", "sms", SHARED), ("elva", "call", SHARED)):
            members[name] = replace(members[name], contacts=(Contact(channel, self.private.put(name, channel, number)),))
        self.contacts = Contacts(self.private, replace(network, members=members))
        self.given: list[MemberCalled] = []
        self.callers = Callers(self.contacts, self.given.append)

    def has(self, calls: int) -> bool:
        return len(self.given) == calls


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.store.close()


@pytest.mark.parametrize("records", [True, False])
async def test_who_rings_is_known_by_the_number_of_either_channel_also_without_the_records(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, records: bool,
) -> None:
    def away(*_: str) -> None:
        raise Unavailable("the database is away")

    if not records:
        monkeypatch.setattr(desk.private, "find", away)
    for n, (number, going) in enumerate(((ROSA, True), (ROSA, False), (SHARED, True), (STRANGER, True), ("", False)), 1):
        desk.callers.came(Rang("sms", number, going))
        await until(partial(desk.has, n))
    assert desk.given == [MemberCalled("rosa", going=True), MemberCalled("rosa"), MemberCalled(None, going=True), MemberCalled(None, going=True),
                          MemberCalled(None)]


async def test_a_text_from_a_number_that_is_also_called_is_answered_where_texts_go(desk: Desk) -> None:
    sms = desk.private.put("rosa", "sms", ROSA)
    network = registry()
    both = (Contact("call", desk.contacts.whose("call", ROSA).ref or ""), Contact("sms", sms))
    desk.contacts.use(replace(network, members={"rosa": replace(network.members["rosa"], contacts=both)}))
    assert desk.contacts.whose("sms", ROSA).ref == sms
