"""A broker and a block for each test that asks for them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mosquitto import Mosquitto
from tests.node.block import Block


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    tmp_path.chmod(0o755)
    with Mosquitto(tmp_path) as mosquitto:
        yield mosquitto


@pytest.fixture
def block(tmp_path: Path) -> Iterator[Block]:
    """A block whose broker is not there."""
    made = Block(tmp_path, host="broker.cuadra.invalid")
    yield made
    made.close()


@pytest.fixture
def linked(tmp_path: Path, broker: Mosquitto) -> Iterator[Block]:
    """A block with a broker."""
    made = Block(tmp_path, broker.port)
    yield made
    made.close()
