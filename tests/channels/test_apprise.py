"""Apprise, the library itself, against a web server of its `json://` kind."""

import asyncio
import logging
import time

import pytest

from gateway.channels.apprise import AppriseChannel, AppriseSettings
from gateway.channels.channel import Never, Sent, TryLater
from tests.channels.tellings import News, telling
from tests.channels.waiting import running, until
from tests.channels.web_server import WebServer


def json_url(server: WebServer) -> str:
    return server.url.replace("http://", "json://s3cret:pw@").removesuffix("?token=t0ken")


async def test_a_member_is_told_by_whatever_apprise_reaches() -> None:
    async with WebServer() as server:
        assert await AppriseChannel(AppriseSettings()).send(telling(json_url(server))) == Sent()
        body = server.requests[0].json()
        assert (body["title"], body["message"]) == ("PANICO", telling("x").text)


async def test_what_the_service_refuses_is_tried_later() -> None:
    async with WebServer() as server:
        server.status = 500
        assert isinstance(await AppriseChannel(AppriseSettings()).send(telling(json_url(server))), TryLater)


@pytest.mark.parametrize("address", ["", "nonsense", "nowhere://x", "tgram://", "json://"])
async def test_a_url_that_apprise_cannot_use_never_works(address: str) -> None:
    assert isinstance(await AppriseChannel(AppriseSettings()).send(telling(address)), Never)


async def test_a_service_that_hangs_is_given_up_and_takes_only_its_own_threads() -> None:
    async with WebServer() as server:
        server.delay_s = 1.5
        channel = AppriseChannel(AppriseSettings(total_s=0.2, concurrency=1))
        started = time.monotonic()
        outcomes = [await channel.send(telling(json_url(server), number=n)) for n in (1, 2, 3)]
        assert time.monotonic() - started < 1
        assert all(isinstance(outcome, TryLater) for outcome in outcomes)
        assert "every worker" in str(outcomes[2]), "threads are bounded"
        assert len(server.requests) == 2
        server.delay_s = 0
        await until(lambda: not channel.hanging, "the hung threads come back")
        assert await channel.send(telling(json_url(server), number=3)) == Sent()


async def test_the_loop_goes_on_while_apprise_blocks() -> None:
    # The server answers on this very loop: if Apprise blocked it, no answer would ever come.
    async with WebServer() as server:
        channel = AppriseChannel(AppriseSettings(concurrency=4))
        async with running(channel.run(News())):
            outcomes = await asyncio.gather(*(channel.send(telling(json_url(server), number=n)) for n in range(1, 5)))
        assert outcomes == [Sent()] * 4


async def test_neither_apprise_nor_we_log_an_address_or_a_text(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "gateway"):
        async with WebServer() as server:
            channel = AppriseChannel(AppriseSettings())
            for status in (200, 500):
                server.status = status
                await channel.send(telling(json_url(server)))
            await channel.send(telling("tgram://b0gus"))
    said = "\n".join(record.getMessage() for record in caplog.records if record.name != "aiohttp.access")
    assert not any(word in said for word in ("s3cret", "127.0.0.1", "b0gus", "PANICO"))
