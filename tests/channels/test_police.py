"""`cuadra simulate police` as a process of its own, told by the gateway's channel."""

import asyncio
import json
import sys
from pathlib import Path

from gateway.channels.channel import Never, Sent, TryLater
from gateway.channels.dc09 import Dc09Channel, Dc09Settings
from tests.channels.tellings import telling

KEY = "30313233343536373839414243444546"
COMMAND = "import simulators.police as p; p.app()"


async def start(*options: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", COMMAND, *options, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE, env={"PYTHONUNBUFFERED": "1", "TZ": "UTC"},
    )


async def line_with(process: asyncio.subprocess.Process, word: str) -> str:
    """The next line on its output that holds `word`."""
    assert process.stdout is not None
    async with asyncio.timeout(20):
        while line := (await process.stdout.readline()).decode():
            if word in line:
                return line
    raise AssertionError(f"it ended without a line with {word!r}")


async def test_an_operator_sees_alarms_in_words_and_can_give_the_receiver_a_bad_day(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    process = await start("--port", "0", "--account", "1234", "--key", KEY, "--keep", str(file))
    try:
        port = int((await line_with(process, "police receiver on")).split(":")[1].split(",")[0])
        address = f"dc09://1234@127.0.0.1:{port}?format=adm-cid&key={KEY}"
        dc09 = Dc09Channel(Dc09Settings(connect_s=1, reply_s=1), lambda: ())
        assert isinstance(await dc09.send(telling(address)), Sent)
        shown = await line_with(process, "PÁNICO")
        assert "cuenta 1234, zona 7" in shown
        assert "cifrado" in shown

        async def say(command: str) -> None:
            assert process.stdin is not None
            process.stdin.write(f"{command}\nlist\n".encode())
            await process.stdin.drain()
            await line_with(process, "link tests")

        await say("duh")
        assert isinstance(await dc09.send(telling(address, number=2)), Never)
        await say("nak")
        assert isinstance(await dc09.send(telling(address, number=2)), TryLater)
        await say("die")
        assert isinstance(await dc09.send(telling(address, number=2)), TryLater)
        await say("start")
        await say("answer")
        assert isinstance(await dc09.send(telling(address, number=2, step="cancelled")), Sent)
        assert "PÁNICO: FIN" in await line_with(process, "PÁNICO")
        kept = [json.loads(line) for line in file.read_text().splitlines()]
        assert [(event["code"], event["zone"], event["seq"]) for event in kept] == [("1120", 7, 1), ("3120", 7, 2)]
        assert process.stdin is not None
        process.stdin.write(b"quit\n")
        assert await asyncio.wait_for(process.wait(), 10) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_it_goes_on_when_nobody_sits_at_its_keyboard() -> None:
    process = await start("--port", "0")
    try:
        port = int((await line_with(process, "police receiver on")).split(":")[1].split(",")[0])
        assert process.stdin is not None
        process.stdin.close()
        dc09 = Dc09Channel(Dc09Settings(), lambda: ())
        assert isinstance(await dc09.send(telling(f"dc09://1234@127.0.0.1:{port}")), Sent)
        assert process.returncode is None
    finally:
        process.kill()
        await process.wait()


async def test_a_wrong_option_is_named() -> None:
    process = await start("--key", "xyz")
    _, errors = await process.communicate()
    assert process.returncode != 0
    assert b"--key: not a key" in errors
