"""A card that has lost a press: no receipt was given, nothing waits, and the night's tally names it all the same."""

import sqlite3
from contextlib import closing
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from controller.entries import Chain, FaultRaised, TallyAgreed, TallyGap
from controller.messages import Done, Order, Tally, digest_of, encode
from controller.rules.effects import SendOrder
from controller.rules.inputs import NodeDone, PressArrived
from controller.rules.proof.counted import parsed
from node_firmware import effects, inputs
from node_firmware.inputs import PressKept
from node_firmware.outbox import Found, Outbox
from tests.node_core.block import Block
from tests.rules.night import Night, boot_of

FIRST, SECOND = (boot_of("b12n11"), boot_of("b12n11s")), (boot_of("b12n12"), boot_of("b12n12s"))


def opened(folder: Path) -> tuple[Outbox, Found, SimpleQueue[Any]]:
    answers: SimpleQueue[Any] = SimpleQueue()
    outbox, found = Outbox(folder, answers.put), SimpleQueue[Found]()
    outbox.start(found.put)
    return outbox, found.get(timeout=10), answers


@pytest.mark.parametrize("name", ["panic", "hidden"])
@pytest.mark.parametrize("lost", ["", "2", "3", "1-3"])
def test_a_row_that_the_card_lost_is_named(tmp_path: Path, name: str, lost: str) -> None:
    outbox, _, answers = opened(tmp_path)
    before = Block().starts(boot=FIRST[0], silent_boot=FIRST[1])
    for _ in range(3):
        before.presses(name)
    for keep in before.seen(effects.KeepPress):
        outbox.put(keep)
        assert isinstance(answers.get(timeout=10), PressKept)
    outbox.stop(5)
    if lost:
        with closing(sqlite3.connect(tmp_path / "outbox.sqlite", isolation_level=None)) as card:
            for first, last in parsed(lost):
                card.execute("DELETE FROM press WHERE seq BETWEEN ? AND ?", (first, last))
    outbox, found, _ = opened(tmp_path)
    outbox.stop(5)

    node = Block().starts(boot=SECOND[0], silent_boot=SECOND[1], waiting=found.waiting, streams=found.streams).links()
    night = Night()
    night.tally_answer = lambda _node, _life: None
    night.births("b12n1", "2")
    for sent in node.seen(effects.PublishPress):
        night.does(PressArrived("b12n1", sent.press, digest_of(encode(sent.press)), sent.age_ms))
    night.sends()
    for word in "23":
        night.replies("rosa" if name == "panic" else "vera", word)
    night.passes(6 * 3600)
    asked = [one for one in night.done if isinstance(one, SendOrder) and isinstance(one.order, Tally)][-1]
    node.gives(inputs.OrderCame(Order(asked.id, asked.boot, asked.order, 10**6)))
    night.does(NodeDone("b12n1", node.published(Done)[-1]))

    chain = Chain.OPEN if name == "panic" else Chain.SEALED
    stream = FIRST[name == "hidden"]
    if lost:
        assert night.bodies(TallyGap, chain) == night.bodies(TallyGap) == [TallyGap("b12n1", stream, lost)]
        assert [body.code for body in night.bodies(FaultRaised, chain)] == [f"press-lost:{lost}"]
    else:
        assert not night.bodies(TallyGap)
        assert [(proven.last, proven.waiting) for proven in night.bodies(TallyAgreed, chain)[-1].streams if proven.boot == stream] == [(3, 3)]
