"""Calls out and in, over pseudo-terminals: phones that are picked up, let ring, switched off, and members who ring back."""

import asyncio
import logging
from typing import Literal

import pytest

from gateway.channels.channel import Never, Paced, PickedUp, Pressed, Rang, Sent, TryLater
from gateway.channels.sms_settings import ModemSettings
from gateway.modem.voice import CallTiming
from simulators.modem_calls import Voice
from tests.sms.conftest import JUAN, QUICK_CALLS, ROSA, Gateway, Street


def modem_of(street: Street, name: str = "sim1", *, calls: Literal["none", "ring", "dtmf"] = "dtmf", going: bool = False) -> ModemSettings:
    return ModemSettings(name, street.folder / name, calls=calls, role="going" if going else "texts")


async def calling(street: Street, *modems: ModemSettings, timing: CallTiming = QUICK_CALLS) -> Gateway:
    """A gateway that is well on these modems, by default on one that hears digits."""
    modems = modems or (modem_of(street),)
    gateway = street.gateway(modems=modems, calls=timing)
    await gateway.is_well(len(modems))
    return gateway


@pytest.mark.parametrize(("digits", "says_begin"), [("DTMF", False), ("RXDTMF", True), ("QTONEDET", False)])
async def test_who_answers_hears_tones_and_presses_1(street: Street, digits: str, says_begin: bool) -> None:
    modem = street.modem()
    modem.calls.voice = Voice(digits, says_begin)
    gateway = await calling(street)
    rosa = street.network.phone(ROSA).line
    rosa.picks_up(presses="1", presses_after_s=20)
    assert await gateway.rings() == Sent("sim1")
    assert gateway.news == [PickedUp("c-1"), Pressed("c-1", "1")]
    call = (await rosa.rings()).call
    assert call.tones[:1] == ["1"], "a tone says which digit is wanted"
    assert not call.is_up, "it was hung up"
    assert gateway.faults() == []


async def test_a_phone_that_rings_and_is_not_picked_up_has_rung(street: Street) -> None:
    street.modem()
    gateway = await calling(street)
    assert await gateway.rings() == Sent("sim1")
    assert gateway.news == []
    rosa = street.network.phone(ROSA).line
    assert (await rosa.rings()).missed
    await gateway.stop()
    longer = await calling(street, timing=CallTiming(dial_s=0.5, ring_s=5, look_s=0.02))
    assert await longer.rings() == Sent("sim1"), "the network says NO ANSWER before our patience ends"
    assert (await rosa.rings(times=2)).missed


async def test_who_answers_and_presses_nothing_is_picked_up_and_left_in_peace(street: Street) -> None:
    street.modem()
    gateway = await calling(street)
    street.network.phone(ROSA).line.picks_up()
    assert await gateway.rings() == Sent("sim1")
    assert gateway.news == [PickedUp("c-1")]


async def test_busy_and_switched_off_are_tried_again_and_a_refused_ring_has_rung(street: Street) -> None:
    street.modem()
    gateway = await calling(street)
    phone = street.network.phone(ROSA)
    phone.line.busy = True
    assert await gateway.rings() == TryLater("sim1: busy", after_ms=30_000)
    phone.switch_off()
    assert await gateway.rings() == TryLater("sim1: unreachable", after_ms=60_000)
    phone.switch_on()
    phone.line.busy, phone.line.rejects_after_s = False, 5
    assert await gateway.rings() == Sent("sim1")


async def test_a_modem_that_only_rings_hangs_up_when_somebody_answers(street: Street) -> None:
    street.modem().calls.voice = Voice("")
    gateway = await calling(street, modem_of(street, calls="ring"), timing=CallTiming(ring_s=0.3, talk_s=30, look_s=0.02))
    rosa = street.network.phone(ROSA).line
    rosa.picks_up(presses="1")
    async with asyncio.timeout(5):
        assert await gateway.rings() == Sent("sim1"), "whoever answers is not left listening to nothing"
    assert gateway.news == [PickedUp("c-1")]


async def test_a_modem_that_should_hear_digits_and_cannot_is_a_fault(street: Street) -> None:
    street.modem().calls.voice = Voice("")
    gateway = await calling(street)
    await gateway.reports("no-digits")


async def test_no_service_number_is_ever_dialled(street: Street) -> None:
    modem = street.modem()
    gateway = await calling(street)
    for number in ("105", "+105", "116", "rosa", ""):
        assert isinstance(await gateway.rings(to=number), Never)
    assert not any(asked.startswith("ATD") for asked in modem.asked)


async def test_a_call_waits_for_the_texts_and_one_that_rings_makes_way_for_a_text(street: Street) -> None:
    modem = street.modem()
    gateway = await calling(street, timing=CallTiming(dial_s=0.5, ring_s=5, talk_s=0.4, look_s=0.02))
    outcomes = asyncio.gather(gateway.tells("uno", key="t-1"), gateway.rings(), gateway.tells("dos", to=JUAN, key="t-2"))
    await street.network.phone(ROSA).line.rings()
    asked = [one.split("=")[0][:4] for one in modem.asked if one.startswith(("AT+CMGS", "ATD"))]
    assert asked == ["AT+C", "AT+C", "ATD+"]
    late = await gateway.tells("tres", key="t-3")
    assert isinstance(late, Sent)
    assert [type(one) for one in await outcomes] == [Sent, TryLater, Sent]
    assert "gave-way" in str((await outcomes)[1])


async def test_with_a_second_modem_the_text_goes_there_and_the_phone_rings_on(street: Street) -> None:
    street.modem("sim1")
    street.modem("sim2")
    gateway = await calling(street, modem_of(street), modem_of(street, "sim2", calls="none"))
    ringing = asyncio.ensure_future(gateway.rings())
    await street.network.phone(ROSA).line.rings()
    sent = await gateway.tells("tres", key="t-3")
    assert isinstance(sent, Sent)
    assert sent.ref.startswith("sim2:")
    assert await ringing == Sent("sim1")


async def test_the_modem_that_hears_digits_calls_while_it_is_free(street: Street) -> None:
    street.modem("sim1").calls.voice = Voice("")
    street.modem("sim2")
    gateway = await calling(street, modem_of(street, calls="ring"), modem_of(street, "sim2"))
    for phone in (ROSA, JUAN):
        assert await gateway.rings(phone) == Sent("sim2")
    assert set(await asyncio.gather(gateway.rings(ROSA, key="c-2"), gateway.rings(JUAN, key="c-3"))) == {Sent("sim1"), Sent("sim2")}


async def test_a_call_that_is_taken_back_stops_ringing(street: Street) -> None:
    street.modem()
    gateway = await calling(street, timing=CallTiming(dial_s=0.5, ring_s=30, talk_s=0.4, look_s=0.02))
    ringing = asyncio.ensure_future(gateway.rings())
    rung = await street.network.phone(ROSA).line.rings()
    gateway.calls.give_up("c-1")
    assert isinstance(await ringing, TryLater)
    assert not rung.call.is_up


async def test_a_modem_that_goes_away_in_the_middle_says_so_and_calls_again_when_it_is_back(street: Street) -> None:
    modem = street.modem()
    gateway = await calling(street)
    ringing = asyncio.ensure_future(gateway.rings())
    await street.network.phone(ROSA).line.rings()
    modem.unplug()
    assert isinstance(await ringing, TryLater)
    await gateway.reports("unplugged")
    assert await gateway.rings(attempt=2) == TryLater("no modem that may call works", after_ms=30_000, stuck=True)
    modem.plug()
    await gateway.is_well()
    assert await gateway.rings(attempt=2) == Sent("sim1")


async def test_without_a_network_nobody_is_called(street: Street) -> None:
    modem = street.modem()
    gateway = await calling(street)
    modem.calls.dials_no_carrier = True
    assert await gateway.rings() == TryLater("sim1: unreachable", after_ms=60_000)


async def test_a_member_rings_the_number_of_the_texts_and_pays_nothing(street: Street) -> None:
    modem = street.modem()
    gateway = await calling(street)
    rung = street.network.phone(ROSA).line.calls(modem.number)
    await gateway.says(Rang("sms", ROSA, going=False))
    assert rung is not None
    await gateway.until(lambda: rung.rejected)
    assert not rung.call.answered
    assert len(gateway.news) == 1


async def test_the_second_number_says_going_unless_it_told_that_member_something(street: Street) -> None:
    street.modem("sim1")
    second = street.modem("sim2")
    gateway = await calling(street, modem_of(street), modem_of(street, "sim2", going=True))
    street.network.phone(ROSA).line.calls(second.number)
    await gateway.says(Rang("sms", ROSA, going=True))
    street.network.modems[0].unplug()
    await gateway.reports("unplugged")
    assert isinstance(await gateway.tells("solo queda el segundo", to=JUAN), Sent)
    street.network.phone(JUAN).line.calls(second.number)
    await gateway.says(Rang("sms", JUAN, going=False))


async def test_texts_come_from_the_second_number_only_when_no_other_can_send(street: Street) -> None:
    street.modem("sim1")
    street.modem("sim2")
    gateway = await calling(street, modem_of(street), modem_of(street, "sim2", going=True))
    sent = await asyncio.gather(*(gateway.tells(f"texto {n}", key=f"t-{n}") for n in range(4)))
    assert {one.ref[:4] for one in sent if isinstance(one, Sent)} == {"sim1"}


async def test_a_hidden_number_is_refused_too(street: Street) -> None:
    modem = street.modem()
    gateway = await calling(street)
    hidden = street.network.phone("")
    rung = hidden.line.calls(modem.number)
    await gateway.says(Rang("sms", "", going=False))
    assert rung is not None
    assert rung.rejected


async def test_who_misses_the_call_rings_back_and_is_heard(street: Street) -> None:
    street.modem()
    gateway = await calling(street)
    street.network.phone(ROSA).line.calls_back_after_s = 10
    assert await gateway.rings() == Sent("sim1")
    await gateway.says(Rang("sms", ROSA, going=False))


async def test_no_number_is_ever_logged(street: Street, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    modem = street.modem()
    gateway = await calling(street)
    modem.faults.hung = True
    outcome = await gateway.rings()
    await gateway.reports("hung")
    street.network.phone(JUAN).line.calls(modem.number)
    assert ROSA[3:] not in caplog.text + str(outcome) + str(gateway.news)


async def test_how_many_calls_a_minute_can_be_made_is_said(street: Street) -> None:
    modem = street.modem()
    gateway = await calling(street, timing=CallTiming(ring_s=25))
    await gateway.until(lambda: Paced("call", 2.0) in gateway.paces)
    modem.unplug()
    await gateway.until(lambda: Paced("call", 0) in gateway.paces)
