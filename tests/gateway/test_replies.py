"""What people write, on its way to the record."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.errors import Unavailable
from controller.records.private import Private
from controller.records.store import Store
from controller.registry import PrivateRef
from controller.rules.inputs import MemberWrote, ZoneInput
from gateway.channels.channel import Wrote
from gateway.contacts import Contacts, Sender
from gateway.quarantine import Quarantine
from gateway.replies import Replies
from tests.gateway.facts import until
from tests.rules.night import registry

NUMBER, OTHER = "+51987654321", "+51912345678"


class Desk:
    """Replies before records of their own."""

    def __init__(self, folder: Path) -> None:
        self.store = Store.open(f"sqlite:///{folder / 'gateway.db'}", "z3")
        self.private = Private.open(self.store.engine, "z3", folder / "people.key")
        self.contacts = Contacts(self.private, registry())
        self.quarantine = Quarantine(folder / "quarantine")
        self.given: list[MemberWrote] = []
        self.read: set[str] = set()
        self.replies = Replies(self.contacts, self.private, self._put, self.quarantine.text_instead, self.read.__contains__)

    def _put(self, event: ZoneInput) -> None:
        assert isinstance(event, MemberWrote)
        self.given.append(event)

    def texts(self) -> list[str]:
        return [event.text for event in self.given]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.store.close()


async def test_what_one_person_writes_keeps_its_order_and_holds_up_nobody_else(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    hangs, whose = threading.Event(), desk.contacts.whose

    def slow(channel: str, address: str) -> Sender:
        if address == NUMBER:
            hangs.wait(10)
        return whose(channel, address)

    monkeypatch.setattr(desk.contacts, "whose", slow)
    for text in ("1", "2", "0"):
        desk.replies.came(Wrote("sms", NUMBER, text, f"1@{text}"))
    desk.replies.came(Wrote("sms", OTHER, "hola", "1@1"))
    await until(lambda: desk.texts() == ["hola"])
    hangs.set()
    await until(lambda: desk.texts() == ["hola", "1", "2", "0"])


async def test_a_stranger_keeps_one_reference_and_an_advertiser_has_none(desk: Desk) -> None:
    for address in (NUMBER, NUMBER, "7711", "CLARO"):
        desk.replies.came(Wrote("sms", address, "hola"))
    await until(lambda: len(desk.given) == 4)
    refs: set[PrivateRef | None] = {event.sender_ref for event in desk.given}
    assert len(refs) == 2
    ref = next(ref for ref in refs if ref is not None)
    assert desk.contacts.stranger(ref) == NUMBER
    later = Contacts(desk.private, registry())
    later.take_up([ref])
    assert later.stranger(ref) == NUMBER


async def test_a_text_is_waited_for_until_it_is_released(desk: Desk) -> None:
    on_record = desk.replies.came(Wrote("sms", NUMBER, "1", "1@1"))
    await until(lambda: desk.given)
    assert not on_record.done()
    desk.replies.release(desk.given[0].handle)
    await asyncio.wait_for(on_record, 1)


async def test_a_text_that_is_on_record_is_not_put_away_twice(desk: Desk) -> None:
    desk.replies.came(Wrote("sms", NUMBER, "1", "1@1"))
    await until(lambda: desk.given)
    desk.read.add(desk.given[0].mark)
    desk.replies.came(Wrote("sms", NUMBER, "1", "1@1"))
    await until(lambda: len(desk.given) == 2)
    first, second = desk.given
    assert first.mark == second.mark
    assert first.text_ref is not None
    assert second.text_ref is None


async def test_what_cannot_be_put_away_is_heard_all_the_same(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> Sender:
        raise Unavailable("the disk is full")

    monkeypatch.setattr(desk.contacts, "whose", away)
    desk.replies.came(Wrote("sms", NUMBER, "1", "1@1"))
    await until(lambda: desk.given)
    assert (desk.given[0].text, desk.given[0].text_ref, len(desk.given[0].mark)) == ("1", None, 32)


async def test_a_text_on_which_the_rules_failed_is_recorded_and_does_not_end_the_next_life(desk: Desk, tmp_path: Path) -> None:
    desk.replies.came(Wrote("sms", NUMBER, "1", "1@1"))
    await until(lambda: desk.given)
    desk.quarantine.put(desk.given[0])
    desk.store.close()
    again = Desk(tmp_path)
    again.replies.came(Wrote("sms", NUMBER, "1", "1@1"))
    again.replies.came(Wrote("sms", NUMBER, "1", "1@2"))
    await until(lambda: len(again.given) == 2)
    again.store.close()
    assert [(event.text, event.mark == desk.given[0].mark) for event in again.given] == [("", True), ("1", False)]
    assert again.given[0].text_ref is not None, "it can still be read"
