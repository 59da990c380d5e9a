"""What people write: whose address it is, the text put away, what it says given to the rules."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Final

from controller.errors import Unavailable
from controller.records.private import Private
from controller.rules.inputs import MemberWrote
from gateway.channels.channel import Wrote
from gateway.contacts import Contacts

logger = logging.getLogger(__name__)

TEXT_MAX: Final = 1000
"""So many characters of a text are put away."""


class Replies:
    """Texts on their way to the rules: those of one address one after the other, in the order in which they came."""

    def __init__(self, contacts: Contacts, private: Private, put: Callable[[MemberWrote], None]) -> None:
        self._contacts = contacts
        self._private = private
        self._put = put
        self._last: dict[str, asyncio.Task[None]] = {}

    def came(self, news: Wrote) -> None:
        """Take a text; the rules get what it says even when it cannot be put away now."""
        task = asyncio.get_running_loop().create_task(self._give(news, self._last.get(news.address)))
        self._last[news.address] = task
        task.add_done_callback(partial(self._given, news.address))

    async def _give(self, news: Wrote, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        text_ref, digest = None, ""
        try:
            sender = await asyncio.to_thread(self._contacts.whose, news.channel, news.address)
            text_ref, digest = await asyncio.to_thread(self._private.put_text, sender.member or "", news.text[:TEXT_MAX])
        except Unavailable as fault:
            logger.warning("a text came and cannot be put away: %s", fault)
            sender = self._contacts.whose_in_memory(news.channel, news.address)
        self._put(MemberWrote(news.channel, sender.member, news.text, sender.ref, text_ref, digest, sender.shared))

    def _given(self, address: str, task: asyncio.Task[None]) -> None:
        if self._last.get(address) is task:
            del self._last[address]
