"""What a technician at a node can have done by a text: `PRUEBA <node>`, `PRUEBA <node> FIN`, `SIRENA <node>`.

The answer is sent when the node has said what it made of the order, so that nobody holds a button for a test that is none.
"""

import unicodedata
from collections.abc import Iterable
from typing import Final

from controller.entries import Chain, OrderAnswered, OrderSent, ReplyReceived
from controller.messages import AnyOrder, SirenTest, TestMode
from controller.registry import Role
from controller.rules.desk import Desk
from controller.rules.effects import SendOrder
from controller.rules.inputs import MemberWrote, NodeDone
from controller.rules.mending.faults import raise_fault
from controller.rules.remembered import OrderBy
from controller.rules.replying.test_modes import A_DAY, SEEN_FROM
from controller.rules.telling import Way, answer, way_back

MAY: Final = frozenset({Role.TECHNICIAN, Role.COORDINATOR})
TEST_MODE_S: Final = 900
"""The press of a button in earnest is a test for so long at the most; silent buttons are never in test mode."""
ANSWER_MS: Final = 30_000
"""A node that has not answered after this never got the order, which lives 15 s."""
NO_ANSWER: Final = "no answer"
OFTEN: Final = "tested-often"
_WORDS: Final = {"PRUEBA": "test-mode", "TEST": "test-mode", "SIRENA": "siren-test", "SIREN": "siren-test"}
_END: Final = frozenset({"FIN", "END", "OFF"})
_SAID: Final = {"test-mode": "test_mode_you", "test-mode-end": "test_mode_over_you", "siren-test": "siren_test_you"}
_ORDERS: Final[dict[str, AnyOrder]] = {"test-mode": TestMode(TEST_MODE_S), "test-mode-end": TestMode(0), "siren-test": SirenTest()}


def ordered(desk: Desk, event: MemberWrote) -> bool:
    """Whether the text is such an order by somebody who may give it; then it is on record, and under way."""
    member = desk.registry.members.get(event.member or "")
    words = unicodedata.normalize("NFKC", event.text[:200]).split()
    order = _WORDS.get(words[0].upper().strip(".:,")) if words else None
    if member is None or order is None or not MAY.intersection(member.roles) or len(words) not in {2, 3}:
        return False
    if len(words) == 3:
        if words[2].upper().strip(".") not in _END or order != "test-mode":
            return False
        order = "test-mode-end"
    way = way_back(desk, event, member.id)
    node = words[1].lower().strip(".,")
    desk.record(Chain.OPEN, ReplyReceived(
        event.channel, order, member.id, text_ref=event.text_ref or "", digest=event.text_digest, mark=event.mark))
    life = desk.state.nodes.get(node)
    if node not in desk.registry.nodes or life is None or not life.boot or life.gone:
        _answer(desk, way, "node_away_you", node)
        return True
    if order == "test-mode" and not may_test(desk, [node]):
        _answer(desk, way, "test_mode_often_you", node)
        return True
    ident = desk.order_id(order, node)
    desk.record(Chain.OPEN, OrderSent(node, life.boot, ident, order, by=member.id, channel=way.channel, place=way.place))
    desk.then(SendOrder(node, life.boot, ident, _ORDERS[order]))
    return True


def may_test(desk: Desk, nodes: Iterable[str]) -> bool:
    """Whether these nodes may be put into test mode once more today: nobody mutes a block for long, nor unseen: others hear when it is often."""
    lately = {node: desk.state.tested.lately(node, desk.now.utc_ms) for node in nodes}
    for node, times in lately.items():
        if times + 1 >= SEEN_FROM:
            raise_fault(desk, f"node/{node}", OFTEN)
    return all(times < A_DAY for times in lately.values())


def answered(desk: Desk, event: NodeDone) -> None:
    """The node says what it made of an order: whoever gave it is told. Called before the answer goes on record."""
    sent = desk.state.orders_by.get(event.done.id)
    if sent is not None and sent.body.node == event.node:
        _answer(desk, _way(sent), _SAID[sent.body.order] if event.done.done else "order_refused_you", event.node)


def came(desk: Desk, node: str) -> None:
    """A new life of the node begins, and is in no test mode: whoever believes that is told. Called before that life is on record."""
    sent = desk.state.test_modes.get(node)
    if sent is not None and 0 <= desk.now.utc_ms - sent.at_ms < TEST_MODE_S * 1000:
        _answer(desk, _way(sent), "test_mode_over_you", node)


def look(desk: Desk) -> None:
    """Whoever waits for a node that does not answer is told that."""
    for ident, sent in list(desk.state.orders_by.items()):
        if not 0 <= desk.now.utc_ms - sent.at_ms < ANSWER_MS:
            desk.record(Chain.OPEN, OrderAnswered(sent.body.node, ident, 0, NO_ANSWER))
            _answer(desk, _way(sent), "node_away_you", sent.body.node)


def _way(sent: OrderBy) -> Way:
    return Way(sent.body.by, sent.body.channel, sent.body.place)


def _answer(desk: Desk, way: Way, template: str, node: str) -> None:
    found = desk.registry.members.get(way.member)
    if found is None or all(contact.channel != way.channel for contact in found.contacts):
        return
    answer(desk, Chain.OPEN, way, template, {"subject": f"node/{node[:40]}"})
