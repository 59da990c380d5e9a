"""What a gateway's log says of a broker that is not there, or does not let it in: what to look at, and not every second."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from controller.broker_settings import BrokerSettings
from gateway.broker import Broker
from tests.mosquitto import Mosquitto


def until(so: Callable[[], bool]) -> None:
    ends = time.monotonic() + 20
    while not so():
        assert time.monotonic() < ends
        time.sleep(0.05)


def test_a_broker_that_is_not_there_is_told_once_and_taken_when_it_comes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tmp_path.chmod(0o755)
    mosquitto = Mosquitto(tmp_path)
    ups: list[bool] = []
    broker = Broker(BrokerSettings("127.0.0.1", mosquitto.port), "z3", lambda: None, ups.append)
    broker.start()
    try:
        until(lambda: "cannot be reached; expected it to listen there" in caplog.text)
        time.sleep(1.5)  # the next try is after a second
        assert caplog.text.count("cannot be reached") == 1
        with mosquitto:
            until(lambda: ups == [True])
    finally:
        broker.stop()


def test_a_broker_that_refuses_the_gateway_is_told_with_what_to_do(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "password").write_text("none that the broker knows\n")
    (tmp_path / "password").chmod(0o600)
    with Mosquitto(tmp_path, lines=["allow_anonymous false"]) as mosquitto, caplog.at_level(logging.ERROR):
        broker = Broker(BrokerSettings("127.0.0.1", mosquitto.port, "gateway", tmp_path / "password"), "z3", lambda: None, lambda _up: None)
        broker.start()
        try:
            until(lambda: "expected it to know the user 'gateway'" in caplog.text)
        finally:
            broker.stop()
