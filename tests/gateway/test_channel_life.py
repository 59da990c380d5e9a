"""A channel whose life ends in a fault is started again, and said to be well when it stays so."""

import asyncio

from controller.rules.inputs import PartFailed, PartRecovered
from gateway.channel_life import live
from gateway.channels.channel import Outcome, Report, Sent, Telling
from tests.gateway.facts import until


class Frail:
    """A channel that fails so many times as it begins to live."""

    name, concurrency, timeout_s, attempts_max = "sms", 1, 1.0, 1

    def __init__(self, times: int) -> None:
        self.times = times
        self.lives = 0

    async def send(self, _telling: Telling) -> Outcome:
        return Sent()

    async def run(self, _report: Report) -> None:
        self.lives += 1
        if self.lives <= self.times:
            raise OSError("the address of somebody")
        await asyncio.Event().wait()


async def test_a_channel_that_failed_and_lives_on_is_well_again() -> None:
    said: list[PartFailed | PartRecovered] = []
    channel = Frail(2)
    life = asyncio.create_task(live(channel, lambda _: None, said.append, again_s=0.001, well_s=0.05))
    await until(lambda: len(said) == 3)
    life.cancel()
    assert said == [PartFailed("gateway/sms", "channel-failed")] * 2 + [PartRecovered("gateway/sms", "channel-failed")]
    assert channel.lives == 3
