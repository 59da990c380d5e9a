"""SIMs that are ill though their modem is well: one whose texts reach nobody, one with nothing left; and how fast it all goes."""

import asyncio
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.channels.channel import Outcome, Rang, Sent, Vanished
from gateway.channels.sms_settings import ModemSettings, SmsSettings
from gateway.modem.credit import CreditSettings, amount
from gateway.modem.vanishing import Vanishing
from simulators.modem_simulator import ModemSimulator
from tests.sms.conftest import QUICK, Gateway, Street

PEOPLE = tuple(f"+5190000010{n}" for n in range(6))
IMPATIENT = replace(QUICK, vanish_s=0.8, vanish_probe_s=0.4)


def vanished(gateway: Gateway) -> list[Vanished]:
    return [one for one in gateway.news if isinstance(one, Vanished)]


async def tells_all(gateway: Gateway, first: str = "t", to: tuple[str, ...] = PEOPLE[:3]) -> list[str]:
    """Tell three people; the modems that did."""
    outcomes: list[Outcome] = await asyncio.gather(*(gateway.tells("PANICO", to=one, key=f"{first}-{n}") for n, one in enumerate(to)))
    return [one.ref.partition(":")[0] for one in outcomes if isinstance(one, Sent)]


async def test_texts_of_which_nothing_is_heard_are_a_fault_and_others_take_over_until_a_report_comes(street: Street) -> None:
    first, second, third = street.modem("sim1"), street.modem("sim2"), street.modem("sim3")
    first.operator = second.operator = "UNO"
    third.operator = "OTRO"
    own = tuple(ModemSettings(name, street.folder / name, own_number=modem.number) for name, modem in
                (("sim1", first), ("sim2", second), ("sim3", third)))
    second.unplug()
    third.unplug()
    gateway = street.gateway(modems=own, timing=IMPATIENT)
    await gateway.is_well()
    await tells_all(gateway, "before")
    await gateway.until(lambda: len(gateway.delivered()) == 3)
    first.faults.swallows = True
    assert await tells_all(gateway, "lost") == ["sim1"] * 3
    second.plug()
    third.plug()
    await gateway.is_well(3)
    await gateway.reports("texts-vanish")
    assert vanished(gateway) == [Vanished(("lost-0", "lost-1", "lost-2"), elsewhere=True)]
    assert set(await tells_all(gateway, "after")) == {"sim3"}, "another operator's modem, though one of the same is well"
    first.faults.swallows = False
    await gateway.reports("texts-vanish", faulty=False)
    assert "sim1" in await tells_all(gateway, "again", PEOPLE)


async def test_a_reply_is_a_sign_and_so_is_an_earlier_process_with_reports(street: Street) -> None:
    modem = street.modem()
    gateway = street.gateway(timing=IMPATIENT)
    await gateway.is_well()
    street.network.reports_lost = True
    gateway.channel.brings_reports("sim1")
    await tells_all(gateway)
    street.network.phone(PEOPLE[1]).writes("1", modem.number)
    await gateway.until(gateway.wrote)
    await asyncio.sleep(1.0)
    assert gateway.faults() == []
    await tells_all(gateway, "u")
    await gateway.reports("texts-vanish")
    assert vanished(gateway) == [Vanished(("u-0", "u-1", "u-2"), elsewhere=False)]
    street.network.phone(PEOPLE[1]).line.calls(modem.number)
    await gateway.says(Rang("sms", PEOPLE[1], going=False))


async def test_without_a_number_of_its_own_it_is_believed_again_after_a_while(street: Street) -> None:
    street.modem()
    gateway = street.gateway(timing=IMPATIENT)
    await gateway.is_well()
    gateway.channel.brings_reports("sim1")
    street.network.reports_lost = True
    await tells_all(gateway)
    await gateway.reports("texts-vanish")
    await gateway.reports("texts-vanish", faulty=False)


def test_what_counts_as_vanished() -> None:
    sim = Vanishing()
    for n in range(5):
        sim.accepted(f"n-{n}", f"+5190000010{n}", n)
    assert not sim.has_vanished(500, 150), "a network without reports says nothing by silence"
    sim.reported()
    for n in range(2):
        sim.accepted(f"n-{n}", f"+5190000010{n}", 1000 + n)
    assert not sim.has_vanished(1200, 150), "two phones may be off"
    sim.accepted("n-2", "+51900000100", 1100)
    assert not sim.has_vanished(1149, 150)
    assert sim.has_vanished(1150, 150)
    assert not sim.has_vanished(1700, 150), "what was long ago says nothing any more"
    for n in range(9):
        sim.accepted(f"m-{n}", "+51900000100", 2000)
    assert not sim.has_vanished(2200, 150), "one phone that is off"
    assert not sim.wrote("+51999999999")
    assert sim.wrote("900000100")


async def test_a_sim_with_little_left_is_a_fault_until_it_is_charged(street: Street) -> None:
    modem = street.modem()
    modem.calls.codes["*147#"] = "Movistar: saldo S/ 2.10\r\nVence 30/11\r\n1. Recargar"
    credit = CreditSettings("*147#", min=5, pattern=r"S/ ?(\d+(?:[.,]\d+)?)")
    gateway = street.gateway(modems=(ModemSettings("sim1", street.folder / "sim1", credit=credit),))
    await gateway.reports("credit")
    assert "2.1 is left" in gateway.faults()[0].detail
    assert gateway.faults() == gateway.faults()[:1], "an answer of several lines is no noise"
    assert isinstance(await gateway.tells("PANICO"), Sent)
    assert modem.asked.count('AT+CUSD=1,"*147#",15') == 1, "once a day"


@pytest.mark.parametrize(("line", "left"), [
    ('+CUSD: 0,"Saldo S/ 12.50",15', 12.5),
    ('+CUSD: 0,"Saldo S/12,5 vence 30/11",15', 12.5),
    (f'+CUSD: 0,"{"Saldo S/ 7".encode("utf-16-be").hex().upper()}",72', 7.0),
    ('+CUSD: 0,"Marque otra vez",15', None), ("+CUSD: 4", None), ('+CUSD: 2,"",15', None),
])
def test_an_operators_answer_is_read(line: str, left: float | None) -> None:
    assert amount(line, r"S/ ?(\d+(?:[.,]\d+)?)") == left


def test_a_pattern_without_an_amount_is_refused() -> None:
    for pattern in ("S/ [0-9]+", "("):
        modems = (ModemSettings("sim1", Path("/dev/ttyUSB0"), credit=CreditSettings("*1#", 5, pattern)),)
        assert any("credit.pattern" in fault for fault in SmsSettings(modems).faults())


async def test_a_refusal_that_smells_of_credit_has_it_asked_again_at_once(street: Street) -> None:
    modem = street.modem()
    modem.calls.codes["*147#"] = "Saldo S/ 20"
    gateway = street.gateway(modems=(ModemSettings("sim1", street.folder / "sim1", credit=CreditSettings("*147#", min=5)),))
    await gateway.until(lambda: 'AT+CUSD=1,"*147#",15' in modem.asked)
    driver = gateway.channel.modems[0]
    driver._credit._asked_at -= 700  # noqa: SLF001 (ten minutes pass)
    modem.calls.codes["*147#"] = "Saldo S/ 0"
    modem.faults.errors = ["+CMS ERROR: 38"]
    await gateway.tells("PANICO")
    await gateway.reports("credit")


async def test_the_pace_is_said_when_it_has_changed_much(street: Street) -> None:
    modem = street.modem()
    gateway = street.gateway(timing=replace(QUICK, vanish_s=3.0))

    def said() -> list[float]:
        return [one.per_minute for one in gateway.paces if one.channel == "sms"]

    await gateway.is_well()
    assert said() == [], "until a text has shown it, the policy's own figure holds"
    await tells_all(gateway)
    await gateway.until(lambda: said() != [])
    assert said()[-1] > 60
    modem.unplug()
    await gateway.until(lambda: said()[-1] == 0)


def looked_twice(modem: ModemSimulator, before: int) -> bool:
    return modem.asked.count("AT+CSQ") > before + 1


async def test_a_signal_that_swings_is_weak_once(street: Street) -> None:
    modem = street.modem()
    gateway = street.gateway()
    await gateway.is_well()
    for rssi in (9, 11, 9, 12, 9):
        modem.rssi = rssi
        asked = modem.asked.count("AT+CSQ")
        await gateway.until(partial(looked_twice, modem, asked))
    assert [one.code for one in gateway.faults()] == ["weak-signal"]
    modem.rssi = 13
    await gateway.reports("weak-signal", faulty=False)
