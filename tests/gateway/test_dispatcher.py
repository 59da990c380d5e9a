"""The dispatcher: a lane a channel, the most urgent first, honest ends, and no more in flight than there are hands."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from msgspec import structs

from controller.errors import CuadraError
from controller.rules.effects import QueueNotice
from controller.rules.inputs import NoticeTried, Tried
from gateway.channels.channel import Never, Outcome, Report, Sent, Telling, TryLater
from gateway.dispatcher import Dispatcher
from tests.gateway.facts import clock, notice, until


class Line:
    """A channel whose answers the test decides."""

    def __init__(self, name: str, concurrency: int = 1) -> None:
        self.name, self.concurrency, self.timeout_s, self.attempts_max = name, concurrency, 0.2, 3
        self.sent: list[str] = []
        self.given_up: list[str] = []
        self.answers: list[Outcome | Exception] = []
        self.open = asyncio.Event()
        self.open.set()

    def give_up(self, key: str) -> None:
        self.given_up.append(key)

    async def send(self, telling: Telling) -> Outcome:
        self.sent.append(telling.key)
        await self.open.wait()
        answer = self.answers.pop(0) if self.answers else Sent("r")
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def run(self, report: Report) -> None:
        raise NotImplementedError(report)


class Post:
    """A dispatcher with two lines, and the outcomes it told."""

    def __init__(self) -> None:
        self.slow, self.quick = Line("sms"), Line("webhook", 2)
        self.outcomes: list[NoticeTried] = []
        self.durable = asyncio.Event()
        self.durable.set()
        self.dispatcher = Dispatcher({"sms": self.slow, "webhook": self.quick}, self.compose, self.settle, lambda: clock().utc_ms)

    def compose(self, effect: QueueNotice) -> Telling:
        if effect.notice.id == "lost":
            raise CuadraError("member rosa has no address for webhook in the registry")
        return Telling(effect.notice.id, effect.attempt, effect.notice.number, "address", "text", "title", "es")

    async def settle(self, outcome: NoticeTried) -> None:
        self.outcomes.append(outcome)
        await self.durable.wait()

    def told(self, name: str) -> Callable[[], bool]:
        return lambda: any(outcome.notice == name for outcome in self.outcomes)

    def ended(self, name: str) -> NoticeTried:
        return next(outcome for outcome in self.outcomes if outcome.notice == name)


@pytest.fixture
async def post() -> AsyncIterator[Post]:
    post = Post()
    running = asyncio.create_task(post.dispatcher.run())
    yield post
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_the_most_urgent_goes_first_and_a_slow_channel_holds_up_no_other(post: Post) -> None:
    post.slow.open.clear()
    post.dispatcher.queue(notice("first", channel="sms", priority=5))
    await until(lambda: post.slow.sent)
    for name, priority in (("late", 9), ("urgent", 0)):
        post.dispatcher.queue(notice(name, channel="sms", priority=priority))
    post.dispatcher.queue(notice("other"))
    await until(lambda: post.outcomes)
    assert post.ended("other").tried is Tried.SENT
    post.slow.open.set()
    await until(lambda: len(post.outcomes) == 4)
    assert post.slow.sent == ["first", "urgent", "late"], "what is under way is left alone; then the most urgent"


async def test_no_more_is_in_flight_than_there_are_hands(post: Post) -> None:
    post.durable.clear()
    for number in range(10):
        post.dispatcher.queue(notice(f"n{number}"))
    await until(lambda: len(post.outcomes) == 2)
    for _ in range(20):
        await asyncio.sleep(0)
    assert post.quick.sent == ["n0", "n1"], "a hand waits until its last outcome is on disk"
    post.durable.set()
    await until(lambda: len(post.quick.sent) == 10)


async def test_every_end_is_honest(post: Post) -> None:
    post.quick.answers = [TryLater("busy", 250), Never("no such number"), ConnectionError("secret address"), TryLater("busy")]
    post.quick.answers.append(TryLater("unplugged", 30_000, stuck=True))
    for name, attempt in (("busy", 1), ("gone", 1), ("broken", 1), ("given up", 3), ("stuck", 3), ("lost", 1)):
        post.dispatcher.queue(notice(name, attempt=attempt))
        await until(post.told(name))
    assert post.ended("busy") == NoticeTried("busy", 1, Tried.TRY_LATER, why="busy", retry_in_ms=250)
    assert post.ended("stuck") == NoticeTried("stuck", 3, Tried.TRY_LATER, why="unplugged", retry_in_ms=30_000, stuck=True)
    assert post.ended("gone") == NoticeTried("gone", 1, Tried.NEVER, why="no such number")
    assert post.ended("broken").tried is Tried.TRY_LATER
    assert "secret" not in post.ended("broken").why
    assert post.ended("given up").tried is Tried.NEVER
    assert post.ended("lost").tried is Tried.NEVER
    assert "rosa" in post.ended("lost").why


async def test_a_channel_that_never_answers_is_given_up_for_now(post: Post) -> None:
    post.quick.open.clear()
    post.dispatcher.queue(notice("n"))
    await until(lambda: post.outcomes)
    assert post.ended("n").tried is Tried.TRY_LATER
    assert "0.2 s" in post.ended("n").why


async def test_a_channel_that_is_not_there_is_said(post: Post) -> None:
    post.dispatcher.queue(notice("n", channel="dc09"))
    await until(lambda: post.outcomes)
    assert post.ended("n").tried is Tried.NEVER
    assert "dc09" in post.ended("n").why


async def test_a_try_that_can_be_ended_is_ended_when_its_notice_is_taken_back(post: Post) -> None:
    post.slow.open.clear()
    post.dispatcher.queue(notice("rings", channel="sms"))
    post.dispatcher.queue(notice("waits", channel="sms"))
    await until(lambda: post.slow.sent == ["rings"])
    post.dispatcher.stop("waits")
    assert post.slow.given_up == []
    post.dispatcher.stop("rings")
    assert post.slow.given_up == ["rings"]


async def test_a_notice_waits_until_it_is_due_and_can_be_taken_back(post: Post) -> None:
    soon = clock().utc_ms + 60
    post.dispatcher.queue(notice("later", due_at_ms=soon))
    post.dispatcher.queue(notice("never", due_at_ms=soon))
    post.dispatcher.stop("never")
    post.dispatcher.queue(notice("now"))
    await until(lambda: len(post.outcomes) == 2)
    assert clock().utc_ms >= soon
    assert post.quick.sent == ["now", "later"]
    post.quick.open.clear()
    for name in ("a", "b", "c"):
        post.dispatcher.queue(notice(name))
    await until(lambda: len(post.quick.sent) == 4)
    post.dispatcher.stop("c")
    post.quick.open.set()
    await until(lambda: len(post.outcomes) == 4)
    assert "c" not in post.quick.sent


async def every_hand_had_its_turn() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


@pytest.mark.parametrize(("channel", "reason"), [("webhook", "POLICE"), ("webhook", "FIRST"), ("sms", "POLICE")])
async def test_the_end_never_overtakes_the_alarm(post: Post, channel: str, reason: str) -> None:
    line = post.quick if channel == "webhook" else post.slow
    line.answers = [TryLater("HTTP 503")]
    alarm = notice("alarm", channel=channel, priority=9, incident="i", reason=reason)
    post.dispatcher.queue(alarm)
    await until(post.told("alarm"))
    for name, incident in (("closed", "i"), ("another's", "j")):
        post.dispatcher.queue(notice(name, channel=channel, incident=incident, reason="ENDED"))
    await until(post.told("another's"))
    await every_hand_had_its_turn()
    assert line.sent == ["alarm", "another's"]
    post.dispatcher.queue(structs.replace(alarm, attempt=2))
    await until(post.told("closed"))
    assert line.sent == ["alarm", "another's", "alarm", "closed"]


async def test_what_follows_goes_when_the_alarm_failed_for_good_or_was_taken_back(post: Post) -> None:
    post.quick.answers = [Never("HTTP 404")]
    post.dispatcher.queue(notice("failed", incident="i"))
    post.dispatcher.queue(notice("after failed", incident="i"))
    await until(post.told("after failed"))
    post.dispatcher.queue(notice("waits", incident="j", due_at_ms=clock().utc_ms + 3_600_000))
    post.dispatcher.queue(notice("after waits", incident="j"))
    post.dispatcher.queue(notice("last", incident="j"))
    post.dispatcher.stop("after waits")
    post.dispatcher.stop("waits")
    await until(post.told("last"))
    assert "after waits" not in post.quick.sent
    post.quick.open.clear()
    post.quick.answers = [TryLater("HTTP 503")]
    post.dispatcher.queue(notice("under way", incident="k"))
    post.dispatcher.queue(notice("after it", incident="k"))
    await until(lambda: "under way" in post.quick.sent)
    post.dispatcher.stop("under way")
    await every_hand_had_its_turn()
    assert "after it" not in post.quick.sent
    post.quick.open.set()
    await until(post.told("after it"))


async def test_faults_leave_the_last_hand_of_a_lane_to_presses(post: Post) -> None:
    post.quick.open.clear()
    for n in range(5):
        post.dispatcher.queue(notice(f"f{n}", channel="webhook", priority=900))
    await until(lambda: post.quick.sent == ["f0"])
    await asyncio.sleep(0.02)
    assert post.quick.sent == ["f0"]
    post.dispatcher.queue(notice("press", channel="webhook", priority=10))
    await until(lambda: post.quick.sent == ["f0", "press"])
    post.quick.open.set()
    await until(lambda: post.quick.sent == ["f0", "press", "f1", "f2", "f3", "f4"])


async def test_with_one_hand_a_press_waits_for_the_text_under_way_and_for_no_other(post: Post) -> None:
    post.slow.open.clear()
    for n in range(1000):
        post.dispatcher.queue(notice(f"f{n}", channel="sms", priority=900))
    await until(lambda: post.slow.sent == ["f0"])
    post.dispatcher.queue(notice("press", channel="sms", priority=10))
    post.slow.open.set()
    await until(post.told("f999"))
    assert post.slow.sent[:2] == ["f0", "press"]
