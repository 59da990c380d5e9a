"""Modems that die quietly, and everything else that goes wrong between a gateway and a phone."""

import asyncio
import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.channels.channel import Delivered, Never, PartState, Sent, TryLater, Wrote
from gateway.modem.at import PortGone, _open
from simulators.modem_simulator import Pace
from tests.sms.conftest import QUICK, ROSA, Street

ALARM = "PANICO Mz C. 21:14. K7F3. Responda 1 si va"


async def test_a_hung_modem_is_noticed_restarted_and_reported(street: Street) -> None:
    modem = street.modem()
    gateway = street.gateway()
    await gateway.is_well()
    modem.faults.hung = True
    await gateway.reports("hung")
    await gateway.reports("hung", faulty=False)
    assert modem.restarts >= 1
    assert isinstance(await gateway.tells(ALARM), Sent)


async def test_a_modem_that_no_restart_helps_stays_reported_once_and_the_other_works(street: Street) -> None:
    modem = street.modem("sim1")
    street.modem("sim2")
    gateway = street.gateway("sim1", "sim2")
    await gateway.is_well(2)
    modem.faults.hung = modem.faults.hung_for_good = True
    await gateway.reports("hung")
    for n in range(4):
        outcome = await gateway.tells(ALARM, key=f"n-{n}")
        assert isinstance(outcome, Sent)
        assert outcome.ref.startswith("sim2:")
    assert [news.code for news in gateway.faults()] == ["hung"]


async def test_a_modem_that_echoes_garbage_is_hung(street: Street) -> None:
    modem = street.modem()
    gateway = street.gateway()
    await gateway.is_well()
    modem.faults.echoes_only = True
    await gateway.reports("hung")
    modem.faults.echoes_only = False
    await gateway.reports("hung", faulty=False)


async def test_a_port_that_is_not_this_user_s_says_so_and_accuses_no_other_program(tmp_path: Path) -> None:
    port = tmp_path / "ttyUSB0"
    port.touch(mode=0o000)
    if os.getuid() == 0:
        os.seteuid(65534)
    try:
        with pytest.raises(PortGone, match=r"may not be opened by this user.*dialout"):
            _open(port, 115200)
    finally:
        if os.getuid() == 0:
            os.seteuid(0)


async def test_a_modem_is_unplugged_and_found_again_when_it_is_back(street: Street) -> None:
    modem = street.modem()
    gateway = street.gateway()
    await gateway.is_well()
    modem.unplug()
    await gateway.reports("unplugged")
    modem.plug()
    await gateway.reports("unplugged", faulty=False)
    assert isinstance(await gateway.tells(ALARM), Sent)
    assert [(news.code, news.faulty) for news in gateway.faults()] == [("unplugged", True), ("unplugged", False)]


async def test_no_text_waits_for_modems_that_are_all_broken(street: Street) -> None:
    modem = street.modem()
    gateway = street.gateway(wait_s=60.0)
    await gateway.is_well()
    modem.registration = 2
    await gateway.reports("no-network")
    for n in range(10):
        assert await gateway.tells(ALARM, key=f"n-{n}") == TryLater("no modem works (sim1 searching)", after_ms=30_000, stuck=True)
    modem.registration = 5
    await gateway.reports("no-network", faulty=False)
    assert isinstance(await gateway.tells(ALARM, key="n-0", attempt=2), Sent)
    assert (await street.network.phone(ROSA).expects("K7F3")).text == ALARM, "it surely had not gone: no mark"


async def test_a_text_that_waits_goes_back_when_the_last_modem_breaks(street: Street) -> None:
    street.network.pace.send_s = 60.0
    modem = street.modem()
    gateway = street.gateway(wait_s=60.0)
    first = asyncio.get_running_loop().create_task(gateway.tells(ALARM, key="n-1"))
    await gateway.until(lambda: any(asked.startswith("AT+CMGS=") for asked in modem.asked))
    second = asyncio.get_running_loop().create_task(gateway.tells(ALARM, key="n-2"))
    await asyncio.sleep(0.05)
    modem.unplug()
    outcome = await second
    assert isinstance(outcome, TryLater)
    assert outcome.stuck
    assert "may have gone" in str(await first)


async def test_unplugged_in_the_middle_of_a_text_it_may_have_gone_and_the_next_try_says_so(street: Street) -> None:
    street.network.pace.send_s = 60.0
    modem = street.modem()
    gateway = street.gateway()
    sending = asyncio.get_running_loop().create_task(gateway.tells(ALARM, key="n-5"))
    await gateway.until(lambda: any(asked.startswith("AT+CMGS=") for asked in modem.asked))
    await asyncio.sleep(0.05)
    modem.unplug()
    outcome = await sending
    assert isinstance(outcome, TryLater)
    assert "may have gone" in outcome.why
    await gateway.reports("unplugged")
    for again in range(2):
        waiting = await gateway.tells(ALARM, key="n-5", attempt=2)
        assert isinstance(waiting, TryLater), again
        assert waiting.stuck, "that it did not go now says nothing of the try before"
    street.network.pace.send_s = 6.0
    modem.plug()
    await gateway.reports("unplugged", faulty=False)
    assert isinstance(await gateway.tells(ALARM, key="n-5", attempt=2), Sent)
    assert (await street.network.phone(ROSA).expects("K7F3")).text == f"(2) {ALARM}"


async def test_what_an_earlier_process_may_have_sent_is_marked_also_when_it_waits_for_a_modem_first(street: Street) -> None:
    gateway = street.gateway()
    await gateway.reports("unplugged")
    for text, attempt in (("earlier", 2), ("fresh", 1)):
        waiting = await gateway.tells(text, key=text, attempt=attempt)
        assert isinstance(waiting, TryLater)
        assert waiting.stuck
    street.modem()
    await gateway.reports("unplugged", faulty=False)
    for text, attempt, comes in (("earlier", 2, "(2) earlier"), ("fresh", 1, "fresh")):
        assert isinstance(await gateway.tells(text, key=text, attempt=attempt), Sent)
        assert (await street.network.phone(ROSA).expects(text)).text == comes


async def test_a_refusal_after_a_try_that_may_have_gone_leaves_the_mark(street: Street) -> None:
    modem = street.modem()
    modem.faults.lost_answers = 1
    gateway = street.gateway()
    assert isinstance(await gateway.tells(ALARM), TryLater)
    modem.faults.errors = ["+CMS ERROR: 42"]
    assert isinstance(await gateway.tells(ALARM, attempt=2), TryLater)
    assert isinstance(await gateway.tells(ALARM, attempt=3), Sent)
    await street.network.phone(ROSA).expects("(3)")


async def test_a_text_that_the_modem_never_acknowledges_is_repeated_with_a_mark(street: Street) -> None:
    modem = street.modem()
    modem.faults.lost_answers = 1
    gateway = street.gateway()
    outcome = await gateway.tells(ALARM)
    assert isinstance(outcome, TryLater)
    assert isinstance(await gateway.tells(ALARM, attempt=2), Sent)
    phone = street.network.phone(ROSA)
    await phone.expects("(2)")
    assert [received.text for received in phone.texts] == [ALARM, f"(2) {ALARM}"]


async def test_no_prompt_is_asked_for_again_and_then_the_text_goes_to_the_other_modem(street: Street) -> None:
    modem = street.modem("sim1")
    modem.faults.no_prompt = True
    gateway = street.gateway("sim1")
    await gateway.is_well()
    sending = asyncio.get_running_loop().create_task(gateway.tells(ALARM))
    await gateway.reports("hung")
    outcome = await sending
    assert isinstance(outcome, TryLater)
    modem.faults.no_prompt = False
    await gateway.reports("hung", faulty=False)
    assert isinstance(await gateway.tells(ALARM, attempt=2), Sent)
    phone = street.network.phone(ROSA)
    assert (await phone.expects("K7F3")).text == ALARM, "no prompt: it surely had not gone"
    street.modem("sim2")
    both = street.gateway("sim2")
    await both.is_well()
    assert isinstance(await both.tells(ALARM), Sent)


async def test_what_one_sim_may_not_another_sends_within_the_same_try(street: Street) -> None:
    barred = street.modem("sim1")
    gateway = street.gateway("sim1", "sim2", timing=replace(QUICK, send_s=5.0, supervise_s=60.0, poll_s=60.0))
    await gateway.is_well()
    await gateway.reports("unplugged", modem="sim2")
    barred.faults.errors = ["+CMS ERROR: 8"] * 9
    barred.faults.slow = 20.0  # the other is plugged in while this one is at it, and is well before it ends
    sending = asyncio.get_running_loop().create_task(gateway.tells(ALARM))
    await gateway.until(lambda: any(asked.startswith("AT+CMGS=") for asked in barred.asked))
    street.modem("sim2")
    await gateway.is_well(2)
    barred.faults.slow = 1.0
    outcome = await sending
    assert isinstance(outcome, Sent)
    assert outcome.ref.startswith("sim2:")
    assert len(barred.faults.errors) == 8, "a modem is asked once"


@pytest.mark.parametrize(
    ("error", "attempt", "expected"),
    [
        ("+CMS ERROR: 42", 1, TryLater("sim1: +CMS ERROR 42 (congestion)", 5_000)),
        ("+CMS ERROR: 500", 2, TryLater("sim1: +CMS ERROR 500 (unknown)", 15_000)),
        ("+CME ERROR: 14", 5, TryLater("sim1: +CME ERROR 14 (SIM busy)", 45_000)),
        ("+CMS ERROR: 38", 2, TryLater("sim1: +CMS ERROR 38 (network out of order)", 15_000)),
        ("+CMS ERROR: 38", 3, Never("sim1: +CMS ERROR 38 (network out of order)")),
        ("+CMS ERROR: 1", 1, Never("sim1: +CMS ERROR 1 (unassigned number)")),
        ("+CMS ERROR: 8", 1, Never("sim1: +CMS ERROR 8 (operator determined barring)")),
        ("+CMS ERROR: 304", 1, Never("sim1: +CMS ERROR 304 (bad PDU parameter)")),
        ("+CMS ERROR: 733", 1, TryLater("sim1: +CMS ERROR 733 (the maker's own)", 5_000)),
        ("ERROR", 1, TryLater("sim1: ERROR", 5_000)),
    ],
)
async def test_an_error_says_what_can_be_hoped_for(
    street: Street, error: str, attempt: int, expected: TryLater | Never
) -> None:
    modem = street.modem()
    modem.faults.errors = [error]
    gateway = street.gateway()
    assert await gateway.tells(ALARM, attempt=attempt) == expected
    assert isinstance(await gateway.tells(ALARM, key="n-2"), Sent), "the modem itself is well"


async def test_a_modem_failure_restarts_it(street: Street) -> None:
    modem = street.modem()
    modem.faults.errors = ["+CMS ERROR: 300"]
    gateway = street.gateway()
    assert isinstance(await gateway.tells(ALARM), TryLater)
    await gateway.reports("hung", faulty=False)
    assert modem.restarts == 1


async def test_a_lost_network_is_noticed_and_found_again(street: Street) -> None:
    modem = street.modem()
    gateway = street.gateway(wait_s=0.3)
    await gateway.is_well()
    modem.registration = 2
    await gateway.reports("no-network")
    outcome = await gateway.tells(ALARM)
    assert isinstance(outcome, TryLater)
    assert "sim1 searching" in outcome.why
    modem.registration = 5
    await gateway.reports("no-network", faulty=False)
    assert isinstance(await gateway.tells(ALARM, attempt=2), Sent)


async def test_a_weak_signal_is_a_fault_and_no_reason_not_to_send(street: Street) -> None:
    modem = street.modem()
    modem.rssi = 6
    gateway = street.gateway()
    await gateway.says(PartState("modem/sim1", "weak-signal", faulty=True, detail="-101 dBm"))
    assert isinstance(await gateway.tells(ALARM), Sent)
    modem.rssi = 20
    await gateway.reports("weak-signal", faulty=False)


async def test_a_full_memory_is_emptied_and_what_the_network_kept_comes(street: Street) -> None:
    modem = street.modem(capacity=3)
    modem.fill_memory("07911599999999F9040B911589674523F100006210511243650005C8329BFD06")
    street.network.bring(ROSA, modem.number, "1")
    gateway = street.gateway()
    await gateway.says(Wrote("sms", ROSA, "1"))
    await gateway.until(lambda: not modem.memory)


async def test_what_a_modem_will_not_delete_is_handed_on_once(street: Street) -> None:
    modem = street.modem()
    modem.faults.keeps_all = True
    gateway = street.gateway()
    await gateway.is_well()
    street.network.bring(ROSA, modem.number, "1")
    street.network.bring(ROSA, modem.number, "voy " * 60)
    await gateway.says(Wrote("sms", ROSA, "voy " * 60))
    polls = modem.asked.count("AT+CMGL=4")
    await gateway.until(lambda: modem.asked.count("AT+CMGL=4") > polls + 1)
    assert [news.text for news in gateway.wrote()] == ["1", "voy " * 60]
    modem.faults.keeps_all = False
    await gateway.until(lambda: not modem.memory)


async def test_a_memory_full_of_halves_is_reported(street: Street) -> None:
    modem = street.modem(capacity=2)
    half = "07911599999999F9440B911589674523F1000062105112436500080500037702016831"
    modem.fill_memory(half)
    gateway = street.gateway()
    await gateway.reports("memory-full")


async def test_what_a_modem_says_between_two_lines_of_an_answer_confuses_nobody(street: Street) -> None:
    modem = street.modem()
    gateway = street.gateway()
    await gateway.is_well()
    for said in ("RING", '+CMTI: "SM",29', "+CREG: 1", "OVER-VOLTAGE WARNNING", "^RSSI: 18"):
        modem.faults.says_between = said
        assert isinstance(await gateway.tells(ALARM), Sent)
    assert gateway.faults() == []


async def test_noise_on_the_line_stops_nothing_and_is_reported(street: Street) -> None:
    modem = street.modem()
    gateway = street.gateway()
    await gateway.is_well()
    for _ in range(20):
        modem.garbage(200)
        outcome = await gateway.tells(ALARM)
        assert isinstance(outcome, Sent | TryLater)
    await gateway.reports("garbled")
    await gateway.reports("garbled", faulty=False)
    assert isinstance(await gateway.tells(ALARM), Sent)


async def test_a_modem_that_restarts_by_itself_is_set_up_again(street: Street) -> None:
    modem = street.modem()
    gateway = street.gateway()
    await gateway.is_well()
    await asyncio.sleep(0.06)  # beyond the boot time in which such lines belong to our own restart
    asked = len(modem.asked)
    modem.say("RDY")
    await gateway.until(lambda: "ATE0" in modem.asked[asked:])
    await gateway.until(lambda: any(a.startswith("AT+CNMI=") for a in modem.asked[asked:]))
    assert gateway.faults() == []


async def test_a_defect_in_one_modems_driver_leaves_the_other_working(
    street: Street, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    street.modem("sim1")
    street.modem("sim2")
    gateway = street.gateway("sim1", "sim2")
    await gateway.is_well(2)
    broken = gateway.channel.modems[0].life

    def fails(*_: object) -> list[PartState]:
        raise KeyError(ROSA)

    monkeypatch.setattr(broken, "observe", fails)
    await gateway.reports("hung")
    assert isinstance(await gateway.tells(ALARM), Sent)
    assert "KeyError" in caplog.text
    assert ROSA not in caplog.text


async def test_giving_up_a_try_leaves_the_modem_in_order(street: Street) -> None:
    street.network.pace = Pace(times=0.02)
    street.modem()
    gateway = street.gateway()
    await gateway.is_well()
    sending = asyncio.get_running_loop().create_task(gateway.tells(ALARM, key="n-1"))
    await asyncio.sleep(0.05)
    sending.cancel()
    assert isinstance(await gateway.tells(ALARM, key="n-2"), Sent)
    assert isinstance(await gateway.tells(ALARM, key="n-1", attempt=2), Sent)
    assert (await street.network.phone(ROSA).expects("(2)")).text.startswith("(2) PANICO")


async def test_a_stranger_to_the_port_is_told_apart_from_an_absent_modem(street: Street, tmp_path: Path) -> None:
    (tmp_path / "sim1").write_text("this is no modem")
    gateway = street.gateway()
    await gateway.reports("unplugged")
    assert "cannot be opened" in gateway.faults()[0].detail


async def test_a_report_of_failure_is_told_once(street: Street) -> None:
    modem = street.modem()
    street.network.reports_lost = True
    gateway = street.gateway()
    outcome = await gateway.tells(ALARM)
    assert isinstance(outcome, Sent)
    ref = int(outcome.ref.split(":")[1].split("@")[0])
    head = f"07911599999999F906{ref:02X}0B911589674523F16210512143650262105121437502"
    for status in ("30", "46", "46", "00"):
        modem.receive(head + status, "CDSI")
    await gateway.says(Delivered("n-1", delivered=False, why="its validity has ended (status 46)"))
    await gateway.until(lambda: not modem.memory)
    assert len(gateway.delivered()) == 1


async def test_a_report_for_another_number_is_nobodys(street: Street) -> None:
    modem = street.modem()
    street.network.reports_lost = True
    gateway = street.gateway()
    outcome = await gateway.tells(ALARM, to="+51911111111")
    assert isinstance(outcome, Sent)
    ref = int(outcome.ref.split(":")[1].split("@")[0])
    modem.receive(f"07911599999999F906{ref:02X}0B911589674523F1621051214365026210512143750200", "CDSI")
    await gateway.until(lambda: not modem.memory)
    assert gateway.delivered() == []


@pytest.mark.parametrize(("length", "mark"), [(100, "(2) "), (157, "(2)"), (158, "2 "), (159, "(2) ")])
async def test_a_mark_costs_no_second_part_where_a_shorter_one_fits(street: Street, length: int, mark: str) -> None:
    street.modem()
    gateway = street.gateway()
    outcome = await gateway.tells("x" * length, attempt=2)
    assert isinstance(outcome, Sent)
    assert outcome.ref.count(",") == (1 if length == 159 else 0)
    assert (await street.network.phone(ROSA).expects("x")).text == mark + "x" * length
