"""The checker goes red on each kind of broken promise, and on nothing else."""

import json
import sqlite3
from pathlib import Path

import psycopg
import pytest

from tests.street import outside
from tests.street.outside import Journal, Kill, Post, PressId

SAVED = [PressId(f"n{number}", "b0" * 16, 1) for number in range(1, 4)]
HANDS = 2


class Story:
    """Three presses that were saved, recorded, and told once each."""

    def __init__(self) -> None:
        self.presses = {press: [f"i-{press.node}"] for press in SAVED}
        self.queued = {f"i-{press.node}-1" for press in SAVED}
        self.settled = set(self.queued)
        self.posts = [Post(f"i-{press.node}-1", f"i-{press.node}", f"patrol, i-{press.node}, opened") for press in SAVED]
        self.kills: list[Kill] = []

    def faults(self) -> list[str]:
        kept = Journal(self.presses, frozenset(self.queued), frozenset(self.settled))
        return list(outside.judge(frozenset(SAVED), kept, self.posts, self.kills, HANDS).faults)

    def goes_red(self, *words: str) -> None:
        [fault] = self.faults()
        assert all(word in fault for word in words), fault


@pytest.fixture
def story() -> Story:
    return Story()


def test_promises_that_were_kept_are_no_fault(story: Story) -> None:
    story.presses[PressId("n9", "b9" * 16, 1)] = ["i-n1"]  # sent, and killed before its light said anything: it may be there
    assert story.faults() == []
    outside.Verdict((), "all is well").must_be_clean()


def test_a_saved_press_that_is_missing(story: Story) -> None:
    del story.presses[SAVED[1]]
    story.goes_red("not in the journal: 1", "n2/b0b0b0b0/1")


def test_a_press_twice_in_the_journal(story: Story) -> None:
    story.presses[SAVED[0]] *= 2
    story.goes_red("more than once: 1", "n1/")


def test_a_press_of_which_nobody_was_told(story: Story) -> None:
    story.posts.pop()
    story.goes_red("never notified: 1", "n3/")


def test_a_press_that_is_in_no_incident_is_not_told_by_the_news_of_another(story: Story) -> None:
    story.presses[SAVED[2]] = [""]
    story.posts.append(Post("i-n1-1", "", "the technician, a fault"))
    story.kills.append(Kill(frozenset({"i-n1-1"})))
    story.goes_red("never notified: 1", "n3/")


def test_a_notice_that_nobody_carries_on(story: Story) -> None:
    story.settled.discard("i-n2-1")
    story.goes_red("without an outcome: 1", "i-n2-1")


def test_a_repeat_of_what_was_in_flight_is_allowed_once_for_each_kill(story: Story) -> None:
    story.posts.append(story.posts[0])
    story.kills.append(Kill(frozenset({"i-n1-1", "i-n2-1"})))
    assert story.faults() == []
    story.posts.append(story.posts[0])
    story.goes_red("more often", "i-n1-1 (3 times, in flight at 1 kills)")
    story.kills.append(Kill(frozenset({"i-n1-1"})))
    assert story.faults() == []


def test_a_repeat_of_what_was_not_in_flight(story: Story) -> None:
    story.kills.append(Kill(frozenset({"i-n2-1", "i-n3-1"})))
    story.posts.append(story.posts[0])
    story.goes_red("more often", "i-n1-1 (2 times, in flight at 0 kills)")


def test_more_in_flight_than_there_are_hands(story: Story) -> None:
    story.kills.append(Kill(frozenset(story.queued)))
    story.goes_red("more than 2 notices in flight", "kill 1: 3")


def test_a_repeat_under_another_key(story: Story) -> None:
    story.queued.add("i-n1-2")
    story.settled.add("i-n1-2")
    story.posts.append(story.posts[0]._replace(key="i-n1-2"))
    story.goes_red("another key: 1", "i-n1-1 and i-n1-2")


def test_a_notice_that_is_on_no_record(story: Story) -> None:
    story.posts.append(Post("i-n4-1", "i-n4", "patrol, i-n4, opened"))
    story.goes_red("does not have: 1", "i-n4-1")


def test_a_verdict_says_all_faults(story: Story) -> None:
    del story.presses[SAVED[1]]
    story.presses[SAVED[0]] *= 2
    verdict = outside.Verdict(story.faults(), "3 saved")
    with pytest.raises(AssertionError, match=r"3 saved\n.*saved and not in the journal(.|\n)*more than once"):
        verdict.must_be_clean()


def test_the_nodes_record_is_read_up_to_a_torn_line(tmp_path: Path) -> None:
    line = json.dumps({"what": "saved", "node": "n1", "boot": "b1", "seq": 1, "at_us": 5})
    first, second = tmp_path / "1.jsonl", tmp_path / "2.jsonl"
    first.write_text(line.replace('"saved"', '"made"') + "\n" + line + "\n" + line.replace("n1", "n2")[:40])
    second.write_text(line.replace('"saved"', '"receipted"').replace("n1", "n3") + "\n")
    assert outside.promised([first, second]) == {PressId("n1", "b1", 1), PressId("n3", "b1", 1)}


ENTRIES = [
    {"kind": "press", "body": {"node": "n1", "boot": "b1", "seq": 7, "incident": "i1", "meaning": "opens"}},
    {"kind": "incident.opened", "body": {"incident": "i1", "node": "n1", "boot": "b1", "seq": 7}},
    {"kind": "notices.queued", "body": {"incident": "i1", "notices": [{"id": "i1-1"}, {"id": "i1-2"}]}},
    {"kind": "notice.moved", "body": {"notice": "i1-1", "to": "notified"}},
    {"kind": "notice.moved", "body": {"notice": "i1-2", "to": "waiting"}},
]


def test_the_journal_is_read_on_both_databases(database_url: str) -> None:
    sqlite = database_url.startswith("sqlite:")
    connection = sqlite3.connect(database_url.removeprefix("sqlite:///")) if sqlite else psycopg.connect(database_url)
    connection.execute(f"CREATE TABLE journal (chain TEXT, seq INTEGER, bytes {'BLOB' if sqlite else 'BYTEA'})")
    for seq, entry in enumerate(ENTRIES):
        mark = "?" if sqlite else "%s"
        connection.execute(f"INSERT INTO journal VALUES ('open', {mark}, {mark})", (seq, json.dumps(entry).encode()))  # noqa: S608 (numbers and marks)
    connection.commit()
    connection.close()
    assert outside.journal(database_url) == Journal({PressId("n1", "b1", 7): ["i1"]}, frozenset({"i1-1", "i1-2"}), frozenset({"i1-1"}))
