"""`cuadra simulate phones`, as a person uses it: watch a text, type the reply, break a modem."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from controller.errors import BadConfig
from gateway.channels.channel import Pressed, Rang, Sent, Wrote
from gateway.channels.sms_settings import ModemSettings, SmsSettings
from simulators.phone_console import COMMANDS, HELP, OF_PHONES, obey, phones
from tests.sms.conftest import QUICK, ROSA, Gateway, Street

PHONES = (sys.executable, "-c", "from simulators.phone_network import app; app()")


async def test_a_person_sees_the_text_types_a_reply_and_quits(tmp_path: Path) -> None:
    link = tmp_path / "modem1"
    process = await asyncio.create_subprocess_exec(
        *PHONES, "--modems", "2", "--link", str(link), "--times", "0.01", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            for name in ("modem1", "modem2"):
                assert (await process.stdout.readline()).decode().strip().endswith(str(tmp_path / name))
            await process.stdout.readline()
            gateway = Gateway(SmsSettings((ModemSettings("one", link),), timing=QUICK))
            gateway.start()
            assert isinstance(await gateway.tells("PANICO Mz C K7F3"), Sent)
            assert f"{ROSA}: PANICO Mz C K7F3" in (await process.stdout.readline()).decode()
            process.stdin.write(f"{ROSA}: 1 K7F3\n".encode())
            await gateway.says(Wrote("sms", ROSA, "1 K7F3"))
            process.stdin.write(b"unplug modem1\n")
            await gateway.reports("unplugged", modem="one")
            process.stdin.write(b"plug modem1\n")
            await gateway.reports("unplugged", faulty=False, modem="one")
            process.stdin.write(b"unplug nobody\nquit\n")
            assert b"not understood" in await process.stdout.readline()
            assert await process.wait() == 0
            await gateway.stop()
        assert not link.is_symlink()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize("spoil", ["file", "second", "port", "nowhere"])
def test_nothing_that_is_there_is_replaced_by_a_modem(tmp_path: Path, spoil: str) -> None:
    link = tmp_path / "modem1"
    kept = tmp_path / ("modem2" if spoil == "second" else "modem1")
    match spoil:
        case "port":
            kept.symlink_to("/dev/null")  # a real modem's name below /dev/serial is a link, too
        case "nowhere":
            kept.write_text("kept")
            link = kept / "modem1"
        case _:
            kept.write_text("kept")
    with pytest.raises(BadConfig, match=r"--link: .*; expected .*; choose another"):
        phones(modems=2, link=link)
    assert kept.readlink() == Path("/dev/null") if spoil == "port" else kept.read_text() == "kept"


async def test_each_fault_can_be_typed_and_is_explained(street: Street) -> None:
    modem = street.modem()
    for command in COMMANDS:
        assert f"  {command} M" in HELP or f"| {command} M" in HELP
        assert obey(street.network, f"{command} sim1 7") == ""
    assert modem.rssi == 7
    assert modem.faults.errors == ["+CMS ERROR: 7"]
    assert "is no number" in obey(street.network, "error sim1 many")
    assert obey(street.network, f"off {ROSA}") == ""
    assert not street.network.phone(ROSA).on


async def test_phones_can_be_called_and_call(street: Street) -> None:
    street.modem()
    gateway = street.gateway(modems=(ModemSettings("sim1", street.folder / "sim1", calls="dtmf"),))
    await gateway.is_well()
    for what in OF_PHONES:
        assert f"  {what} +51987654321" in HELP or f"| {what}" in HELP
    for line in (f"off {ROSA}", f"on {ROSA}", f"busy {ROSA}", f"free {ROSA}", f"pickup {ROSA} 1"):
        assert obey(street.network, line) == ""
    assert await gateway.rings() == Sent("sim1")
    assert Pressed("c-1", "1") in gateway.news
    assert obey(street.network, f"ignore {ROSA}") == ""
    assert "expected one of sim1" in obey(street.network, f"ring {ROSA} sim9")
    assert obey(street.network, f"ring {ROSA} sim1") == ""
    await gateway.says(Rang("sms", ROSA, going=False))


async def test_a_script_may_be_a_file(tmp_path: Path) -> None:
    script = tmp_path / "script.txt"
    script.write_bytes(b"off +51987654321\nunplug nobody\nquit\n")
    with script.open("rb") as file:
        process = await asyncio.create_subprocess_exec(*PHONES, "--link", str(tmp_path / "modem1"), stdin=file,
                                                       stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
        said, complaints = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0, complaints
    assert b"not understood" in said
    assert complaints == b""


async def test_with_nobody_to_type_it_serves_until_it_is_stopped(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *PHONES, "--link", str(tmp_path / "modem1"), "--reply", "1", "--reply-after", "0", "--times", "0.01",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            await process.stdout.readline()
            gateway = Gateway(SmsSettings((ModemSettings("one", tmp_path / "modem1"),), timing=QUICK))
            gateway.start()
            assert isinstance(await gateway.tells("PANICO Mz C K7F3"), Sent)
            await gateway.says(Wrote("sms", ROSA, "1"))
            await gateway.stop()
            process.send_signal(signal.SIGINT)
            _, complaints = await process.communicate()
        assert complaints == b""
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
