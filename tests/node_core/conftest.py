import pytest

from tests.node_core.block import Block


@pytest.fixture
def block() -> Block:
    """A node that has started, without a link."""
    return Block().starts()


@pytest.fixture
def linked(block: Block) -> Block:
    """A node with a link to a gateway that receipts at once."""
    block.gateway = True
    return block.links().forgets()
