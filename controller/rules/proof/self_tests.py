"""The daily self-test: whatever can be tried at a node without a sound, on the way that an order and a press take.

A tap at rest is answered "today's test passed" only on the word of one that did. A node is tested when it has come, once a
day, and again soon after a test that failed or was never answered.
"""

from typing import Final

from controller.entries import Chain, OrderSent
from controller.messages import SelfTest
from controller.rules.desk import Desk
from controller.rules.effects import SendOrder
from controller.rules.inputs import NodeDone
from controller.rules.mending.faults import end_fault, raise_fault
from controller.rules.remembered import DAY_MS, NodeLife

FAILED: Final = "test-failed"
NOT_TESTED: Final = "not-tested"
EVERY_MS: Final = DAY_MS
BELIEVED_MS: Final = 26 * 3_600_000
"""A passed test is believed a little longer than the next one takes to come."""
AGAIN_MS: Final = 600_000
UNANSWERED_MAX: Final = 3
"""So many tests without an answer, and it is a fault."""
AT_ONCE_MAX: Final = 20
"""At a look: what the nodes of a zone answer must not come in one wave."""


def look(desk: Desk) -> None:
    """Test the nodes whose test is due."""
    due = [node for node, life in desk.state.nodes.items() if node in desk.registry.nodes and _due(desk, life)]
    for node in due[:AT_ONCE_MAX]:
        if desk.state.nodes[node].tests_unanswered >= UNANSWERED_MAX:
            raise_fault(desk, f"node/{node}", FAILED, "no answer")
        send(desk, node)


def send(desk: Desk, node: str) -> None:
    """Have the node try what it can."""
    life = desk.state.nodes[node]
    ident = desk.order_id("test", node)
    desk.record(Chain.OPEN, OrderSent(node, life.boot, ident, "self-test"))
    desk.then(SendOrder(node, life.boot, ident, SelfTest()))


def answered(desk: Desk, event: NodeDone) -> None:
    """What the node says of an order, already on record: if it was its newest test, whether it passed."""
    life = desk.state.nodes.get(event.node)
    if life is None or event.done.id != life.test:
        return
    if event.done.done:
        end_fault(desk, f"node/{event.node}", FAILED)
    else:
        raise_fault(desk, f"node/{event.node}", FAILED, event.done.why)


def passed_lately(desk: Desk, node: str) -> bool:
    """Whether this life of the node has passed a test that is still believed."""
    life = desk.state.nodes.get(node)
    return life is not None and 0 <= desk.now.utc_ms - life.test_passed_at_ms < BELIEVED_MS


def _due(desk: Desk, life: NodeLife) -> bool:
    if not life.boot or life.gone:
        return False
    since_passed_ms, since_sent_ms = desk.now.utc_ms - life.test_passed_at_ms, desk.now.utc_ms - life.test_sent_at_ms
    # A time that lies ahead was told by a clock that has been put back since.
    return not 0 <= since_passed_ms < EVERY_MS and not 0 <= since_sent_ms < AGAIN_MS
