"""Texts out and in, over one modem that is well."""

import asyncio
import re
from pathlib import Path

from gateway.channels.channel import Delivered, Never, Sent, TryLater, Wrote
from simulators.modem_simulator import Pace
from tests.sms.conftest import JUAN, ROSA, Street

ALARM = "PANICO Mz C, AA.HH. Virgen de Lourdes. Reunirse: cancha. 21:14. K7F3. Responda 1 si va, 0 si no puede"


async def test_an_alarm_reaches_the_phone_and_its_delivery_is_reported(street: Street) -> None:
    street.modem()
    gateway = street.gateway()
    outcome = await gateway.tells(ALARM, key="n-7")
    assert isinstance(outcome, Sent)
    assert re.fullmatch(r"sim1:\d+@\d+", outcome.ref)
    assert ROSA[3:] not in outcome.ref
    assert (await street.network.phone(ROSA).expects("K7F3")).text == ALARM
    await gateway.says(Delivered("n-7", delivered=True))
    assert gateway.faults() == []


async def test_a_member_answers_and_the_text_is_deleted_only_then(street: Street) -> None:
    modem = street.modem()
    gateway = street.gateway()
    street.network.phone(ROSA).replies("1 K7F3")
    await gateway.tells(ALARM)
    await gateway.says(Wrote("sms", ROSA, "1 K7F3"))
    await gateway.until(lambda: not modem.memory)
    reads = [n for n, asked in enumerate(modem.asked) if asked.startswith("AT+CMGR=")]
    assert "AT+CMGD=" in modem.asked[reads[-1] + 1] or any(a.startswith("AT+CMGD=") for a in modem.asked[reads[-1] :])


async def test_a_long_text_in_accents_goes_in_parts_and_arrives_whole(street: Street) -> None:
    street.modem()
    gateway = street.gateway()
    text = "Atención: simulacro de sismo el sábado a las 10:00 — reúnanse en la cancha. 🏃 " * 2
    outcome = await gateway.tells(text, key="n-2")
    assert isinstance(outcome, Sent)
    assert outcome.ref.count(",") == 2
    assert (await street.network.phone(ROSA).expects("simulacro")).text == text
    await gateway.says(Delivered("n-2", delivered=True))
    assert len(gateway.delivered()) == 1


async def test_a_text_beyond_the_limit_is_cut_not_refused(street: Street) -> None:
    street.modem()
    gateway = street.gateway(parts_max=2)
    assert isinstance(await gateway.tells("x" * 1000), Sent)
    received = await street.network.phone(ROSA).expects("x")
    assert received.text == "x" * 302 + "..."


async def test_a_long_text_that_comes_in_is_joined_and_a_stranger_and_a_name_are_passed_on(street: Street) -> None:
    modem = street.modem()
    gateway = street.gateway()
    await gateway.is_well()
    long = "Vi a dos hombres en la esquina de la bodega, uno con casaca roja. " * 4
    street.network.bring(JUAN, modem.number, long)
    street.network.bring("7711", modem.number, "Saldo: S/ 3.20")
    street.network.bring("CLARO", modem.number, "Recarga")
    street.network.bring("987000111", modem.number, "hola")
    for address, text in ((JUAN, long), ("7711", "Saldo: S/ 3.20"), ("CLARO", "Recarga"), ("+51987000111", "hola")):
        await gateway.says(Wrote("sms", address, text))
    await gateway.until(lambda: not modem.memory)


async def test_what_lay_in_the_memory_before_the_start_is_read(street: Street) -> None:
    modem = street.modem()
    street.network.bring(ROSA, modem.number, "2")
    gateway = street.gateway()
    await gateway.says(Wrote("sms", ROSA, "2"))


async def test_a_text_whose_announcement_was_lost_is_found_by_polling(street: Street) -> None:
    modem = street.modem()
    gateway = street.gateway()
    await gateway.is_well()
    modem.memory[9] = modem.memory.get(9, (0, "07911599999999F9040B911589674523F100006210511243650005C8329BFD06"))
    await gateway.says(Wrote("sms", ROSA, "Hello"))
    await gateway.until(lambda: not modem.memory)


async def test_a_message_that_nobody_can_read_blocks_nothing(street: Street) -> None:
    modem = street.modem()
    modem.memory[1] = (0, "0791159999")
    modem.memory[2] = (0, "07911599999999F9040B911589674523F100006210511243650005C8329BFD06")
    gateway = street.gateway()
    await gateway.says(Wrote("sms", ROSA, "Hello"))
    await gateway.until(lambda: not modem.memory)


async def test_a_phone_that_is_off_is_reported_when_it_is_on_again(street: Street) -> None:
    street.modem()
    gateway = street.gateway()
    phone = street.network.phone(ROSA)
    phone.switch_off()
    assert isinstance(await gateway.tells(ALARM), Sent)
    assert gateway.delivered() == []
    phone.switch_on()
    await gateway.says(Delivered("n-1", delivered=True))


async def test_a_report_that_comes_after_a_restart_still_finds_its_notice(street: Street) -> None:
    street.modem()
    gateway = street.gateway()
    phone = street.network.phone(ROSA)
    phone.switch_off()
    outcome = await gateway.tells(ALARM, key="n-9")
    assert isinstance(outcome, Sent)
    await gateway.stop()
    phone.switch_on()
    later = street.gateway()
    later.channel.expect("n-9", outcome.ref, ROSA)
    await later.says(Delivered("n-9", delivered=True))


async def test_a_modem_that_stores_no_reports_says_them_directly(street: Street) -> None:
    street.modem(reports_stored=False)
    gateway = street.gateway()
    await gateway.tells(ALARM)
    await gateway.says(Delivered("n-1", delivered=True))
    assert not gateway.channel.modems[0].identity.reports_stored


async def test_no_phone_number_is_refused_for_good(street: Street) -> None:
    street.modem()
    gateway = street.gateway()
    for address in ("rosa", "+51 987", "", "+5198765432112345678"):
        assert isinstance(await gateway.tells(ALARM, to=address), Never)


async def test_what_a_silent_press_has_sent_shows_in_no_pace(street: Street) -> None:
    street.network.pace = Pace(times=0.05)
    street.modem("sim1")
    gateway = street.gateway("sim1")
    await gateway.is_well()
    before = gateway.channel.texts_a_minute
    for n in range(3):
        assert isinstance(await gateway.tells(ALARM, to=f"+5190000010{n}", key=f"s-{n}", secret=True), Sent)
    assert gateway.channel.texts_a_minute == before
    await gateway.tells(ALARM)
    assert gateway.channel.texts_a_minute > before


async def test_two_modems_share_the_work_in_the_callers_order(street: Street) -> None:
    street.network.pace = Pace(times=0.05)
    street.modem("sim1")
    street.modem("sim2")
    gateway = street.gateway("sim1", "sim2")
    await gateway.is_well(2)
    assert gateway.channel.concurrency == 2
    numbers = [f"+5190000010{n}" for n in range(6)]
    outcomes = await asyncio.gather(*(gateway.tells(ALARM, to=n, key=n) for n in numbers))
    used = [outcome.ref.split(":")[0] for outcome in outcomes if isinstance(outcome, Sent)]
    assert sorted(used) == ["sim1"] * 3 + ["sim2"] * 3
    assert used[:2] != [used[0]] * 2
    assert 100 < gateway.channel.texts_a_minute / 2 < 200, "6 s a text, twenty times as fast, and what the line takes"


async def test_a_pin_is_given_and_a_wrong_one_only_once(street: Street, tmp_path: Path) -> None:
    modem = street.modem(pin="1234")
    pin_file = tmp_path / "pin"
    pin_file.write_text("9999\n")
    gateway = street.gateway(pin_file=pin_file)
    await gateway.reports("sim")
    await gateway.stop()
    again = street.gateway(pin_file=pin_file)
    await again.reports("sim")
    await again.until(lambda: modem.asked.count("AT+CPIN?") > 3)
    assert modem.pins_tried == ["9999"]
    pin_file.write_text("1234\n")
    await again.reports("sim", faulty=False)
    assert modem.pins_tried == ["9999", "1234"]


async def test_when_no_modem_is_there_the_notice_goes_back_with_the_reason(street: Street) -> None:
    gateway = street.gateway(wait_s=0.3)
    outcome = await gateway.tells(ALARM)
    assert isinstance(outcome, TryLater)
    assert "sim1 unplugged" in outcome.why
    await gateway.reports("unplugged")
    street.modem()
    await gateway.reports("unplugged", faulty=False)
    assert isinstance(await gateway.tells(ALARM, attempt=2), Sent)
    assert (await street.network.phone(ROSA).expects("K7F3")).text == ALARM, "it surely had not gone: no mark"
