"""A channel's life beside its sending: one that fails is started again, and the others do not notice."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from controller.rules.inputs import PartFailed, PartRecovered
from gateway.channels.channel import Channel, Report

logger = logging.getLogger(__name__)

FAILED: Final = "channel-failed"
AGAIN_S: Final = 5.0
WELL_S: Final = 60.0
"""A channel that was started again and lives so long is well."""


async def live(
    channel: Channel, report: Report, put: Callable[[PartFailed | PartRecovered], object], again_s: float = AGAIN_S, well_s: float = WELL_S,
) -> None:
    """Let it live until cancelled. put: takes the fault that it failed, and that it is well again."""
    subject = f"gateway/{channel.name}"
    failed = False
    while True:
        well = asyncio.get_running_loop().call_later(well_s, put, PartRecovered(subject, FAILED)) if failed else None
        try:
            await channel.run(report)
        except Exception as fault:  # its text may hold an address: only its kind is said
            logger.error("channel %s: %s; started again", channel.name, type(fault).__name__)
            put(PartFailed(subject, FAILED))
            failed = True
        finally:
            if well is not None:
                well.cancel()
        await asyncio.sleep(again_s)
