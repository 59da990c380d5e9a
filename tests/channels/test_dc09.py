"""Telling a DC-09 receiver: our stand-in with its bad days, a receiver that nobody here wrote, and a foreign dialler."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import my_dc09_spt.dc09_spt as foreign  # type: ignore[import-untyped]  # ships no types
import pytest

from gateway.channels.channel import Never, Sent, TryLater
from gateway.channels.dc09 import Dc09Channel, Dc09Settings
from simulators.police import Mood, PoliceReceiver
from tests.channels.foreign_receiver import their_receiver
from tests.channels.tellings import News, telling
from tests.channels.waiting import running, until
from tests.mosquitto import free_port

KEYS = {bits: (b"0123456789ABCDEF" * 2)[: bits // 8] for bits in (128, 192, 256)}
QUICK = Dc09Settings(connect_s=1, reply_s=0.3, poll_s=0.2, misses=2, busy_s=2)


def channel(*addresses: str, settings: Dc09Settings = QUICK) -> Dc09Channel:
    return Dc09Channel(settings, lambda: addresses)


@asynccontextmanager
async def police(key: bytes | None = None, port: int = 0) -> AsyncIterator[PoliceReceiver]:
    receiver = PoliceReceiver({"1234": key}, port=port)
    await receiver.start()
    try:
        yield receiver
    finally:
        await receiver.stop()


def address(port: int, form: str = "sia-dcs", key: bytes | None = None) -> str:
    return f"dc09://1234@127.0.0.1:{port}?format={form}" + (f"&key={key.hex()}" if key else "")


@pytest.mark.parametrize("key", [None, *KEYS.values()])
@pytest.mark.parametrize(("form", "code"), [("adm-cid", "1120"), ("sia-dcs", "PA")])
async def test_an_alarm_reaches_the_police(form: str, code: str, key: bytes | None) -> None:
    async with police(key) as receiver:
        outcome = await channel().send(telling(address(receiver.port, form, key), number=41))
        assert outcome == Sent("0041")
        event = await receiver.expects(code, zone=7)
        assert (event.account, event.seq, event.encrypted, event.words) == ("1234", 41, key is not None, "pánico")


async def test_a_repeated_notice_bears_the_same_sequence_and_is_reported_once() -> None:
    async with police() as receiver:
        dc09 = channel()
        for attempt in (1, 2):
            assert await dc09.send(telling(address(receiver.port), number=3, attempt=attempt)) == Sent("0003")
        assert len(receiver.received) == len(receiver.repeats) == 1
        assert receiver.connections == 1


async def test_a_nak_gives_the_receivers_time_and_the_message_goes_again_with_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with police(KEYS[128]) as receiver:
        receiver.clock_off_s = 3600
        dc09 = channel()
        with caplog.at_level(logging.DEBUG):
            assert await dc09.send(telling(address(receiver.port, key=KEYS[128]))) == Sent("0001")
            assert receiver.refusals == 1
            assert await dc09.send(telling(address(receiver.port, key=KEYS[128]), number=2)) == Sent("0002")
        assert receiver.refusals == 1, "the receiver's time is kept"
        assert KEYS[128].hex() not in caplog.text
        assert "dc09://" not in caplog.text


async def test_a_receiver_that_refuses_or_does_not_know_us_is_tried_later() -> None:
    async with police(KEYS[128]) as receiver:
        assert isinstance(await channel().send(telling(address(receiver.port, key=KEYS[256]))), TryLater)
        receiver.mood = Mood.NAK
        outcome = await channel().send(telling(address(receiver.port, key=KEYS[128])))
        assert isinstance(outcome, TryLater)
        assert "NAK" in outcome.why


async def test_what_a_receiver_does_not_understand_is_not_sent_again() -> None:
    async with police() as receiver:
        receiver.mood = Mood.DUH
        outcome = await channel().send(telling(address(receiver.port)))
        assert isinstance(outcome, Never)
        assert "DUH" in outcome.why


@pytest.mark.parametrize("mood", [Mood.SILENT, Mood.HANG_UP])
async def test_a_receiver_that_says_nothing_is_tried_later_and_works_again(mood: Mood) -> None:
    async with police() as receiver:
        dc09 = channel()
        assert isinstance(await dc09.send(telling(address(receiver.port), number=1)), Sent)
        receiver.mood = mood
        assert isinstance(await dc09.send(telling(address(receiver.port), number=2)), TryLater)
        receiver.mood = Mood.ANSWER
        assert await dc09.send(telling(address(receiver.port), number=2, attempt=2)) == Sent("0002")
        assert [event.seq for event in receiver.received] == [1, 2]
        # What was taken without a word comes again under its own number, and is shown to nobody twice.
        assert {event.seq for event in receiver.repeats} == ({2} if mood is Mood.SILENT else set())


async def test_a_receiver_that_closes_after_each_answer_loses_nothing() -> None:
    async with police() as receiver:
        dc09 = channel()
        for number in range(1, 6):
            assert isinstance(await dc09.send(telling(address(receiver.port), number=number)), Sent)
            receiver.hang_up()
        assert [event.seq for event in receiver.received] == [1, 2, 3, 4, 5]


async def test_a_late_answer_is_not_taken_for_the_next_messages() -> None:
    async with police() as receiver:
        receiver.delay_s = 0.5
        dc09 = channel()
        assert isinstance(await dc09.send(telling(address(receiver.port), number=1)), TryLater)
        receiver.delay_s = 0
        assert await dc09.send(telling(address(receiver.port), number=2)) == Sent("0002")
        assert receiver.connections == 2, "what comes late on the old connection is heard by nobody"


async def test_nobody_listening_is_tried_later_and_a_bad_address_never() -> None:
    outcome = await channel().send(telling(address(free_port())))
    assert isinstance(outcome, TryLater)
    assert outcome.after_ms is not None
    assert 4_000 < outcome.after_ms <= 5_000, "it may be starting again: six tries at once would all be lost"
    assert isinstance(await channel().send(telling("dc09://nobody")), Never)


async def test_many_at_once_go_one_after_another_over_one_connection() -> None:
    async with police() as receiver:
        dc09 = channel()
        outcomes = await asyncio.gather(*(dc09.send(telling(address(receiver.port), number=n)) for n in range(1, 51)))
        assert outcomes == [Sent(f"{n:04d}") for n in range(1, 51)]
        assert receiver.connections == 1


async def test_a_clear_acknowledgement_of_a_sealed_message_proves_nothing() -> None:
    async def forge(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r")
        writer.write(b'\n1EB60014"ACK"0001R1L0#1234[]\r')
        await writer.drain()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(forge, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    dc09 = channel()
    assert await dc09.send(telling(address(port))) == Sent("0001")
    dc09.close()
    assert isinstance(await dc09.send(telling(address(port, key=KEYS[128]))), TryLater)
    server.close()


async def test_a_dead_line_is_noticed_said_once_and_well_again() -> None:
    port, news = free_port(), News()
    line = f"receiver/127.0.0.1:{port}"
    async with police(KEYS[128], port) as receiver, running(channel(address(port, key=KEYS[128])).run(news)):
        await until(lambda: receiver.polls >= 3, "three link tests")
        assert news.said == []
        await receiver.stop()
        await until(lambda: bool(news.said), "the dead line is noticed")
        assert news.said == [(line, "no-answer", True)]
        await receiver.start()
        await until(lambda: len(news.said) == 2, "the line works again")
        assert news.said[1] == (line, "no-answer", False)


async def test_a_silent_press_is_not_the_moment_at_which_a_lines_fault_begins_or_ends() -> None:
    port, news = free_port(), News()
    dc09 = channel(address(port), settings=Dc09Settings(connect_s=1, reply_s=1, poll_s=3600, misses=2))

    async def tells(number: int, *, silent: bool) -> object:
        return await dc09.send(telling(address(port), number=number, silent=silent))

    async with police(port=port) as receiver, running(dc09.run(news)):
        await until(lambda: receiver.polls == 1, "the first link test")
        await receiver.stop()
        for number in range(1, 4):
            assert isinstance(await tells(number, silent=True), TryLater)
        assert news.said == []
        for number in range(4, 6):
            assert isinstance(await tells(number, silent=False), TryLater)
        assert [said[1:] for said in news.said] == [("no-answer", True)]
        await receiver.start()
        assert isinstance(await tells(6, silent=True), Sent)
        assert len(news.said) == 1
        assert isinstance(await tells(7, silent=False), Sent)
        assert [said[1:] for said in news.said] == [("no-answer", True), ("no-answer", False)]


async def test_a_receiver_that_does_not_know_the_key_is_a_fault_of_its_own() -> None:
    news = News()
    async with police(KEYS[128]) as receiver:
        addresses = [address(receiver.port, key=KEYS[256])]
        async with running(Dc09Channel(QUICK, lambda: addresses).run(news)):
            await until(lambda: bool(news.said), "the refusal is noticed")
            assert news.said == [(f"receiver/127.0.0.1:{receiver.port}", "refused", True)]
            addresses.clear()
            await until(lambda: len(news.said) == 2, "a line that is gone has no fault")


async def test_an_alarm_is_a_link_test_too() -> None:
    async with police() as receiver:
        settings = Dc09Settings(connect_s=1, reply_s=1, poll_s=0.5)
        dc09 = channel(address(receiver.port), settings=settings)
        async with running(dc09.run(News())):
            await until(lambda: receiver.polls == 1, "the first link test")
            for number in range(1, 11):
                assert isinstance(await dc09.send(telling(address(receiver.port), number=number)), Sent)
                await asyncio.sleep(0.1)
            assert receiver.polls == 1


async def test_a_link_test_that_waited_behind_an_alarm_is_not_needed_any_more() -> None:
    async with police() as receiver:
        dc09 = channel(address(receiver.port), settings=Dc09Settings(connect_s=1, reply_s=2, poll_s=0.5))
        async with running(dc09.run(News())):
            await until(lambda: receiver.polls == 1, "the first link test")
            receiver.delay_s = 0.7
            assert isinstance(await dc09.send(telling(address(receiver.port))), Sent)
            receiver.delay_s = 0
            await asyncio.sleep(0.2)
            assert receiver.polls == 1


@pytest.mark.parametrize("key", [None, *KEYS.values()])
@pytest.mark.parametrize("form", ["adm-cid", "sia-dcs"])
async def test_a_foreign_receiver_takes_it(form: str, key: bytes | None) -> None:
    async with their_receiver(key) as (port, events, client):
        dc09 = channel()
        assert await dc09.send(telling(address(port, form, key), number=12)) == Sent("0012")
        assert await dc09.send(telling(address(port, form, key), number=13, step="cancelled")) == Sent("0013")
        dc09.close()  # their server waits for every dialler to hang up
    alarm, over = events
    assert (alarm.code, alarm.account, alarm.sequence) == ("PA", "1234", "0012")
    # Its `ri` is the zone in Contact ID and the area in SIA, where the zone stands behind the code.
    assert int((alarm.ri if form == "adm-cid" else alarm.message) or 0) == 7
    assert over.code in {"PH", "PR"}
    assert client.counts.error_crc == client.counts.error_format == client.counts.error_timestamp == 0
    if form == "sia-dcs":
        assert alarm.x_data == "X077W02.370][Y12S03.642"


@pytest.mark.parametrize("form", ["adm-cid", "sia-dcs"])
async def test_a_foreign_receiver_takes_tests_and_drills_for_no_alarm(form: str) -> None:
    """A canary (a test), and a drill from its beginning to its end. That receiver does not know Contact ID 607, and reads it from the bytes."""
    async with their_receiver(None) as (port, events, _):
        dc09 = channel()
        said: list[dict[str, object]] = [{"step": "test"}, {"drill": True}, {"drill": True, "step": "cancelled"}]
        for n, changes in enumerate(said, 1):
            assert isinstance(await dc09.send(telling(address(port, form), n, 1, **changes)), Sent)
        dc09.close()
    canary, began, ended = events
    assert canary.code == "RP"
    if form == "sia-dcs":
        assert (began.code, ended.code) == ("TS", "TE")
    else:
        assert [(event.event_qualifier, event.event_type) for event in (began, ended)] == [("1", "607"), ("3", "607")]


async def test_a_foreign_receivers_time_is_taken_over() -> None:
    async with their_receiver(KEYS[128]) as (port, events, client):
        dc09 = Dc09Channel(QUICK, lambda: (), clock=lambda: time.time() - 500)
        assert await dc09.send(telling(address(port, key=KEYS[128]))) == Sent("0001")
        dc09.close()
    assert len(events) == 1
    assert client.counts.error_timestamp == 1


@pytest.mark.parametrize("key", [None, KEYS[256]])
async def test_a_foreign_receiver_answers_our_link_tests(key: bytes | None) -> None:
    news = News()
    async with their_receiver(key) as (port, events, _), running(channel(address(port, key=key)).run(news)):
        await until(lambda: len(events) >= 3, "three link tests")
        assert news.said == []
        assert {event.code for event in events} == {"RP"}


@pytest.mark.parametrize("key", [None, KEYS[128], KEYS[256]])
async def test_a_foreign_dialler_reaches_our_receiver(key: bytes | None) -> None:
    async with police(key) as receiver:
        dialler = foreign.dc09_spt("1234")
        dialler.set_path("main", "primary", "127.0.0.1", receiver.port, account="1234", key=key, receiver=1, line=0,
                         type="TCP")
        await asyncio.to_thread(dialler.send_msg, "ADM-CID", {"code": 120, "q": 1, "area": 1, "zone": 7})
        event = await receiver.expects("1120", zone=7)
        assert event.encrypted is (key is not None)
        await asyncio.to_thread(dialler.send_msg, "SIA-DCS", {"code": "PA", "zone": 7})
        assert (await receiver.expects("PA")).zone == 7
        await until(lambda: dialler.notSent() == 0, "their queue is empty")
        assert receiver.dropped == receiver.refusals == 0
