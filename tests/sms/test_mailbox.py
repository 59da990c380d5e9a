"""A text stays in the modem until it is on record, and holds up nothing meanwhile."""

from datetime import UTC, datetime, timedelta

from gateway.channels.channel import Delivered, Sent, Wrote
from simulators.phone_pdu import encode_delivers, encode_report
from tests.sms.conftest import JUAN, ROSA, Street

AT = datetime(2026, 9, 22, 2, 14, 7, tzinfo=UTC)


async def test_a_text_is_deleted_when_it_is_on_record_and_not_before(street: Street) -> None:
    modem = street.modem()
    gateway = street.gateway()
    gateway.records = False
    await gateway.is_well()
    street.network.bring(ROSA, modem.number, "1")
    street.network.bring(ROSA, modem.number, "voy corriendo " * 20)
    await gateway.says(Wrote("sms", ROSA, "voy corriendo " * 20))
    assert isinstance(await gateway.tells("PANICO", to=JUAN), Sent), "what is not on record holds up no text"
    polls = modem.asked.count("AT+CMGL=4")
    await gateway.until(lambda: modem.asked.count("AT+CMGL=4") > polls + 1)
    assert len(gateway.wrote()) == 2, "handed on once"
    assert len([pdu for _, pdu in modem.memory.values()]) >= 3
    gateway.unrecorded[0].set_result(None)
    await gateway.until(lambda: len(modem.memory) == 2)
    gateway.unrecorded[1].set_result(None)
    await gateway.until(lambda: not modem.memory)


async def test_a_text_that_was_not_on_record_when_the_process_ended_is_read_again_as_the_same(street: Street) -> None:
    modem = street.modem()
    first = street.gateway()
    first.records = False
    await first.is_well()
    street.network.bring(ROSA, modem.number, "1")
    street.network.bring(ROSA, modem.number, "voy corriendo " * 20)
    await first.says(Wrote("sms", ROSA, "voy corriendo " * 20))
    await first.stop()
    again = street.gateway()
    await again.says(Wrote("sms", ROSA, "voy corriendo " * 20))
    await again.says(Wrote("sms", ROSA, "1"))
    assert again.origins == first.origins
    assert len(set(first.origins)) == 2
    await again.until(lambda: not modem.memory)


async def test_the_same_words_a_second_later_are_another_text_and_without_a_time_none_is_known_again(street: Street) -> None:
    modem = street.modem()
    gateway = street.gateway()
    await gateway.is_well()
    for at in (AT, AT + timedelta(seconds=1)):
        for pdu in encode_delivers(ROSA, "1", 1, at):
            modem.receive(pdu, "CMTI")
    modem.receive("07911599999999F9040B911589674523F100000000000000000005C8329BFD06", "CMTI")
    await gateway.until(lambda: len(gateway.wrote()) == 3)
    assert gateway.origins == ["1@20260922021407", "1@20260922021408", ""]
    assert gateway.written_at_ms == [int(AT.timestamp() * 1000), int(AT.timestamp() * 1000) + 1000, 0]


async def test_what_will_not_be_on_record_is_handed_on_again(street: Street) -> None:
    modem = street.modem()
    gateway = street.gateway()
    gateway.records = False
    await gateway.is_well()
    street.network.bring(ROSA, modem.number, "1")
    await gateway.says(Wrote("sms", ROSA, "1"))
    gateway.records = True
    gateway.unrecorded[0].cancel()
    await gateway.until(lambda: len(gateway.wrote()) == 2)
    await gateway.until(lambda: not modem.memory)


async def test_while_nothing_can_be_put_on_record_there_is_still_room_for_the_next(street: Street) -> None:
    modem = street.modem(capacity=8)
    gateway = street.gateway()
    gateway.records = False
    await gateway.is_well()
    for number in range(20):
        street.network.bring(ROSA, modem.number, f"voy {number}")
    # What the network kept while the memory was full comes in the order of the places that become free.
    await gateway.until(lambda: {news.text for news in gateway.wrote()} == {f"voy {number}" for number in range(20)})
    assert len(gateway.wrote()) == 20
    await gateway.until(lambda: len(modem.memory) == 3)


async def test_a_text_is_deleted_in_its_own_memory_also_while_reports_are_read_from_another(street: Street) -> None:
    modem = street.modem(reports_in="SR")
    gateway = street.gateway()
    gateway.records = False
    await gateway.is_well()
    for words in ("voy", "1"):
        street.network.bring(ROSA, modem.number, words)
        await gateway.says(Wrote("sms", ROSA, words))
    street.network.reports_lost = True
    outcomes = [await gateway.tells("PANICO", to=JUAN, key=key) for key in ("n-1", "n-2")]
    gateway.at[Delivered("n-1", delivered=True)] = lambda: gateway.unrecorded[1].set_result(None)
    for outcome in outcomes:
        assert isinstance(outcome, Sent)
        modem.receive(encode_report(int(outcome.ref.split(":")[1].split("@")[0]), JUAN, AT, AT, 0), "CDSI")
    await gateway.says(Delivered("n-2", delivered=True))
    await gateway.until(lambda: list(modem.memory) == [1] and not modem.memories.of["SR"])
    polls = modem.asked.count("AT+CMGL=4")
    await gateway.until(lambda: modem.asked.count("AT+CMGL=4") > polls + 1)
    assert [news.text for news in gateway.wrote()] == ["voy", "1"], "neither comes again"


async def test_a_report_whose_announcement_nobody_heard_is_found_in_the_memory_of_reports(street: Street) -> None:
    modem = street.modem(reports_in="SR")
    gateway = street.gateway()
    await gateway.is_well()
    street.network.reports_lost = True
    outcome = await gateway.tells("PANICO", to=JUAN, key="n-1")
    assert isinstance(outcome, Sent)
    modem.memories.receive(encode_report(int(outcome.ref.split(":")[1].split("@")[0]), JUAN, AT, AT, 0), "CDSI")
    await gateway.says(Delivered("n-1", delivered=True))
    await gateway.until(lambda: not modem.memories.of["SR"])
