"""A DC-09 receiver that nobody here wrote: pysiaalarm."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pysiaalarm.account import SIAAccount
from pysiaalarm.aio.client import SIAClient
from pysiaalarm.event import SIAEvent

from tests.mosquitto import free_port


@asynccontextmanager
async def their_receiver(key: bytes | None, account: str = "1234") -> AsyncIterator[tuple[int, list[SIAEvent], SIAClient]]:
    """Its port, what it has taken so far, and itself; whoever dialled must have hung up when this ends.

    Not by its own `async with`, which swallows what fails inside.
    """
    port, events = free_port(), list[SIAEvent]()

    async def keep(event: SIAEvent) -> None:
        events.append(event)

    known = SIAAccount(account, key.decode() if key else None, allowed_timeband=(40, 20))
    client = SIAClient("127.0.0.1", port, [known], function=keep)  # type: ignore[abstract]  # its __new__ picks the subclass
    await client.async_start()
    try:
        yield port, events, client
    finally:
        await client.async_stop()
