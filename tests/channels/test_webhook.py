"""Webhook against a real HTTP server and its bad days."""

import asyncio
import hashlib
import hmac
import logging
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import pytest

from gateway.channels.channel import Never, Sent, TryLater
from gateway.channels.webhook import WebhookChannel, WebhookSettings
from tests.certificates import certificate
from tests.channels.tellings import News, telling
from tests.channels.waiting import running, until
from tests.channels.web_server import WebServer
from tests.mosquitto import free_port

QUICK = WebhookSettings(connect_s=1, total_s=0.5)
NOW_S = 1_768_480_500


async def test_a_post_is_signed_keyed_and_says_everything_once() -> None:
    async with WebServer() as server:
        webhook = WebhookChannel(QUICK, clock=lambda: NOW_S)
        assert await webhook.send(telling(server.url + "#s3cret", number=5)) == Sent("200")
        (request,) = server.requests
        assert request.path == "/hook?token=t0ken"
        assert request.headers["Content-Type"] == "application/json"
        assert request.headers["Idempotency-Key"] == "abcdefghij-5"
        said = dict(part.split("=") for part in request.headers["X-Cuadra-Signature"].split(","))
        proof = hmac.new(b"s3cret", said["t"].encode() + b"." + request.body, hashlib.sha256).hexdigest()
        assert (said["t"], said["v1"]) == (str(NOW_S), proof)
        body = request.json()
        assert (body["version"], body["key"], body["language"]) == (1, "abcdefghij-5", "es")
        assert (body["event"]["step"], body["event"]["place"]["block"]) == ("opened", "b12")
        assert "s3cret" not in str(request)


async def test_without_a_secret_nothing_is_signed() -> None:
    async with WebServer() as server:
        assert isinstance(await WebhookChannel(QUICK).send(telling(server.url)), Sent)
        assert "X-Cuadra-Signature" not in server.requests[0].headers


async def test_every_try_has_the_same_key_and_bytes_and_the_connection_is_kept() -> None:
    async with WebServer() as server:
        webhook = WebhookChannel(QUICK)
        for attempt in range(1, 6):
            assert isinstance(await webhook.send(telling(server.url, attempt=attempt)), Sent)
        assert len({(request.body, request.headers["Idempotency-Key"]) for request in server.requests}) == 1
        assert len(server.connections) == 1


@pytest.mark.parametrize(("status", "outcome"), [
    (200, Sent), (201, Sent), (204, Sent), (301, TryLater), (302, TryLater), (400, Never), (401, Never), (404, Never),
    (410, Never), (408, TryLater), (425, TryLater), (429, TryLater), (500, TryLater), (502, TryLater), (503, TryLater),
])
async def test_what_each_status_means(status: int, outcome: type) -> None:
    async with WebServer() as server:
        server.status, server.headers = status, {"Location": server.url}
        server.answer = b"" if status == 204 else b"ok"
        assert isinstance(await WebhookChannel(QUICK).send(telling(server.url)), outcome)
        assert len(server.requests) == 1, "no redirect is followed"


@pytest.mark.parametrize(("wish", "after_ms"), [
    ("7", 7000), ("86400", 300_000), (format_datetime(datetime.fromtimestamp(NOW_S + 30, UTC), usegmt=True), 30_000),
    ("soon", None), ("0", 1),
])
async def test_a_server_that_is_busy_may_say_for_how_long_but_not_for_ever(wish: str, after_ms: int | None) -> None:
    async with WebServer() as server:
        server.status, server.headers = 429, {"Retry-After": wish}
        outcome = await WebhookChannel(QUICK, clock=lambda: NOW_S).send(telling(server.url))
        assert outcome == TryLater("HTTP 429", after_ms)


async def test_a_slow_server_is_tried_later() -> None:
    async with WebServer() as server:
        server.delay_s = 1.5
        assert isinstance(await WebhookChannel(QUICK).send(telling(server.url)), TryLater)


async def test_a_broken_connection_is_tried_again_at_once_under_the_same_key() -> None:
    async with WebServer() as server:
        server.resets = 1
        assert isinstance(await WebhookChannel(QUICK).send(telling(server.url)), Sent)
        assert len({request.headers["Idempotency-Key"] for request in server.requests}) == 1
        assert len(server.requests) == 2
        server.resets = 9
        assert isinstance(await WebhookChannel(QUICK).send(telling(server.url)), TryLater)
        assert len(server.requests) == 4


async def test_nobody_listening_is_tried_later_and_no_address_never() -> None:
    webhook = WebhookChannel(QUICK)
    assert isinstance(await webhook.send(telling(f"http://127.0.0.1:{free_port()}/")), TryLater)
    for address in ("", "ftp://x/", "http://", "http://x:99999/", "https://[::1", "mailto:x@y"):
        assert isinstance(await webhook.send(telling(address)), Never), address


@pytest.mark.parametrize(("part", "pause_s"), [(b"x" * 10_000, 0.001), (b"x", 0.05)], ids=["fast", "slow"])
async def test_an_endless_answer_changes_nothing(part: bytes, pause_s: float) -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65_536)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        try:
            while True:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(pause_s)
        except ConnectionError:
            ended.set()

    ended = asyncio.Event()
    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    assert await WebhookChannel(QUICK).send(telling(f"http://127.0.0.1:{port}/")) == Sent("200")
    await asyncio.wait_for(ended.wait(), 5)
    server.close()


async def test_thousands_go_side_by_side() -> None:
    async with WebServer() as server:
        webhook = WebhookChannel(WebhookSettings())
        outcomes = await asyncio.gather(*(webhook.send(telling(server.url + "#k", number=n)) for n in range(1, 1001)))
        assert set(map(type, outcomes)) == {Sent}
        assert len({request.headers["Idempotency-Key"] for request in server.requests}) == 1000
        assert len(server.connections) <= WebhookSettings().connections


async def test_the_log_shows_no_address_no_secret_and_no_text(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        async with WebServer() as server:
            webhook = WebhookChannel(QUICK)
            for status in (200, 404, 500):
                server.status = status
                outcome = await webhook.send(telling(server.url + "#s3cret"))
                assert "127.0.0.1" not in str(outcome)
        await webhook.send(telling("http://127.0.0.1:1/t0ken"))
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("gateway")]
    assert not any(word in line for line in ours for word in ("t0ken", "s3cret", "127.0.0.1", "PANICO"))


async def test_an_expired_certificate_is_flagged_and_never_mutes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:
    tls, renewed, news = certificate(tmp_path, until_s=-3600), certificate(tmp_path, until_s=3600), News()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    webhook = WebhookChannel(QUICK)
    async with WebServer(tls) as server, WebServer(renewed) as again, running(webhook.run(news)):
        assert await webhook.send(telling(server.url)) == Sent("200")
        assert await webhook.send(telling(server.url, number=2)) == Sent("200")
        await until(lambda: news.said == [("webhook/certificate", "expired", True)], "it is said once")
        assert await webhook.send(telling(again.url, number=3)) == Sent("200")
        assert news.said[1:] == [("webhook/certificate", "expired", False)]
    [said] = [record.getMessage() for record in caplog.records if "expired" in record.getMessage()]
    assert telling("").key.partition("-")[0] not in said, "the notice may be a silent press's"


async def test_a_certificate_of_nobody_we_trust_is_not_spoken_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    async with WebServer(certificate(tmp_path, until_s=3600, trusted=False)) as server:
        assert isinstance(await WebhookChannel(QUICK).send(telling(server.url)), TryLater)
        assert server.requests == []


async def test_a_certificate_in_order_is_said_once_since_the_last_life_may_have_seen_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    news = News()
    tls = certificate(tmp_path, until_s=3600)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    webhook = WebhookChannel(QUICK)
    async with WebServer(tls) as server, running(webhook.run(news)):
        assert await webhook.send(telling(server.url)) == Sent("200")
        assert await webhook.send(telling(server.url, number=2)) == Sent("200")
    assert news.said == [("webhook/certificate", "expired", False)]


async def test_what_a_silent_press_shows_of_a_certificate_is_no_news(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:
    expired, renewed, news = certificate(tmp_path, until_s=-3600), certificate(tmp_path, until_s=3600), News()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    webhook = WebhookChannel(QUICK)
    async with WebServer(expired) as server, WebServer(renewed) as again, running(webhook.run(news)):
        for url in (again.url, server.url):
            assert await webhook.send(telling(url, silent=True)) == Sent("200")
        assert news.said == []
        assert await webhook.send(telling(server.url, number=2)) == Sent("200")
        assert await webhook.send(telling(again.url, number=3, silent=True)) == Sent("200")
        assert news.said == [("webhook/certificate", "expired", True)], "neither raised nor ended"
    assert len([record for record in caplog.records if "expired" in record.getMessage()]) == 1
