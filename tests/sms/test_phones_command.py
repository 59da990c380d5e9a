"""`cuadra simulate phones`, as a person uses it: watch a text, type the reply, break a modem."""

import asyncio
import sys
from pathlib import Path

from gateway.channels.channel import Sent, Wrote
from gateway.channels.sms import ModemSettings, SmsSettings
from simulators.phone_console import COMMANDS, HELP, obey
from tests.sms.conftest import QUICK, ROSA, Gateway, Street


async def test_a_person_sees_the_text_types_a_reply_and_quits(tmp_path: Path) -> None:
    link = tmp_path / "modem1"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from simulators.phone_network import app; app()", "--modems", "2", "--link", str(link),
        "--times", "0.01", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
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
