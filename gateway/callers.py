"""Who rings and is not answered: whose number it is, given to the rules without it."""

import asyncio
import logging
from collections.abc import Callable

from controller.errors import Unavailable
from controller.rules.inputs import MemberCalled
from gateway.channels.channel import Rang
from gateway.contacts import Contacts

logger = logging.getLogger(__name__)


class Callers:
    """Calls on their way to the rules. put(event): gives them one."""

    def __init__(self, contacts: Contacts, put: Callable[[MemberCalled], None]) -> None:
        self._contacts = contacts
        self._put = put
        self._tasks: set[asyncio.Task[None]] = set()

    def came(self, news: Rang) -> None:
        """Somebody rang."""
        task = asyncio.get_running_loop().create_task(self._give(news))
        self._tasks.add(task)
        task.add_done_callback(self._given)

    async def _give(self, news: Rang) -> None:
        member = None
        if news.address:
            try:
                member = await asyncio.to_thread(self._contacts.caller, news.address)
            except Unavailable as fault:
                logger.warning("who rang is looked up in memory: %s", fault)
                member = self._contacts.caller_in_memory(news.address)
        self._put(MemberCalled(member, news.going))

    def _given(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        fault = None if task.cancelled() else task.exception()
        if fault is not None:  # its text may hold a number: only its kind is said
            logger.error("a call that came cannot be given to the rules (%s)", type(fault).__name__)
