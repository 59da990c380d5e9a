"""What the unattended demo says of a press belongs to that press."""

import random
from pathlib import Path

from controller.entries import IncidentOpened, NoticeMoved, NoticeQueued, NoticesQueued, PressRecorded
from simulators.demo_book import Book
from simulators.demo_broker import BrokerKind
from simulators.demo_district import District, Outcome, Plan
from simulators.demo_zone import Press, Told, ZoneHere
from simulators.phone_network import Pace
from simulators.police import Received

BOOT = "b" * 32


class Night:
    """A zone of the demo in which nothing runs: its journal and its receiver hold what the test puts there."""

    def __init__(self, folder: Path) -> None:
        self.zone = ZoneHere(folder, "z1", "Zona 1", 3, 1, Pace(), plugged=True, told=lambda _told: None, answers=lambda: None,
                             chance=random.Random(1))
        self.book = self.zone.book = Book(f"sqlite:///{folder}/gateway.db", "z1")
        self.district = District([self.zone], BrokerKind.MOSQUITTO, Plan(zones=1, blocks=3), random.Random(1))

    def press(self, place: int, kind: str, incident: str) -> Press:
        """A button of the n-th block is pressed, on record, and opens an incident."""
        block = self.zone.blocks[place]
        press = Press(block, "b1", kind)
        self.book.take(PressRecorded(block.node, BOOT, 1, "b1", kind, "hold", "", 0, 0, "opens", incident), press.at_ms + 10)
        self.book.take(IncidentOpened(incident, block.block, kind, "K7F3", block.node, BOOT, 1, "b1", 0, 0, "", ""), press.at_ms + 10)
        return press

    def signal(self, incident: str, number: int, *, acknowledged_at_ms: int | None) -> None:
        """The police's line is told of it, and answers at that time."""
        self.book.take(NoticesQueued((NoticeQueued(f"{incident}-1", "z1pnp", "dc09", "alarm", "FIRST", 0, number),), incident), 0)
        if acknowledged_at_ms is not None:
            self.zone.police.received.append(Received(acknowledged_at_ms, "1001", number, "ADM-CID", "1123", 5, "", "", (), False))
            self.book.take(NoticeMoved(f"{incident}-1", "notified", 1, f"{number:04d}"), acknowledged_at_ms)

    def outcome(self, press: Press) -> Outcome:
        return self.district.outcome(press)


def test_each_press_is_shown_the_acknowledgement_of_its_own_signal(tmp_path: Path) -> None:
    night = Night(tmp_path)
    first, second = night.press(0, "panic", "first"), night.press(1, "panic", "second")
    # The second one's signal overtakes the first one's.
    night.signal("second", 1, acknowledged_at_ms=second.at_ms + 100)
    night.signal("first", 2, acknowledged_at_ms=first.at_ms + 9000)
    assert (night.outcome(first).police, night.outcome(second).police) == (9000, 100)


def test_a_press_of_which_the_police_have_acknowledged_nothing_is_shown_none(tmp_path: Path) -> None:
    night = Night(tmp_path)
    unheard, called, medical = night.press(0, "panic", "unheard"), night.press(1, "panic", "called"), night.press(2, "medical", "medical")
    night.signal("unheard", 1, acknowledged_at_ms=None)
    night.signal("called", 2, acknowledged_at_ms=called.at_ms + 100)
    assert [night.outcome(press).police for press in (unheard, called, medical)] == [None, 100, None]


async def test_whoever_answers_for_a_block_was_told_of_its_own_alarm(tmp_path: Path) -> None:
    night = Night(tmp_path)
    first, second = "PANICO Mz A. Clave K7F3. 1=voy 0=no puedo.", "PANICO Mz B. Clave X46Y. 1=voy 0=no puedo."
    night.zone.phones.modem("sim1", tmp_path / "modem1")
    night.zone.texts += [Told("z1", "z1rep01", "+51900000111", first, 0), Told("z1", "z1pat1", "+51900000121", second, 0)]
    assert night.zone.reply("1", "K7F3") == "z1rep01"
    assert night.zone.reply("1", "X46Y") == "z1pat1"
    assert night.zone.reply("1", "Q2Q2") == "", "nobody was told of that one yet"
    night.zone.phones.close()
