"""What every test may use."""

import pytest

from tests.typed import Cuadra, typed

pytest_plugins = ["tests.postgres", "tests.zone"]


@pytest.fixture
def cuadra(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cuadra:
    """The command as somebody types it."""
    return typed(monkeypatch, capsys)
