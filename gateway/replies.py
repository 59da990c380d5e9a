"""What people write: whose address it is, the text put away, what it says given to the rules, until that is on record."""

import asyncio
import itertools
import logging
from collections.abc import Callable
from functools import partial
from typing import Final

from controller.errors import Unavailable
from controller.records.private import Private
from controller.rules.inputs import MemberWrote, ZoneInput
from gateway.channels.channel import Wrote
from gateway.contacts import Contacts

logger = logging.getLogger(__name__)

TEXT_MAX: Final = 1000
"""So many characters of a text are put away."""


class Replies:
    """Texts on their way to the record: those of one address one after the other, in the order in which they came.

    put(event): gives the rules an input; instead(event): what they are given for it. has_read(mark): whether the text with
    this mark is on record.
    """

    def __init__(
        self, contacts: Contacts, private: Private, put: Callable[[ZoneInput], None], instead: Callable[[MemberWrote], MemberWrote],
        has_read: Callable[[str], bool],
    ) -> None:
        self._contacts = contacts
        self._private = private
        self._put = put
        self._instead = instead
        self._has_read = has_read
        self._handles = itertools.count(1)
        self._on_record: dict[str, asyncio.Future[None]] = {}
        self._last: dict[str, asyncio.Task[None]] = {}

    def came(self, news: Wrote) -> asyncio.Future[None]:
        """Take a text; the rules get what it says even when it cannot be put away now.

        Returns what is done when it is on record, and cancelled when it cannot be given to the rules.
        """
        handle, loop = str(next(self._handles)), asyncio.get_running_loop()
        on_record = self._on_record[handle] = loop.create_future()
        task = loop.create_task(self._give(news, handle, self._last.get(news.address)))
        self._last[news.address] = task
        task.add_done_callback(partial(self._given, news.address, handle))
        return on_record

    def release(self, handle: str) -> None:
        """It is on record."""
        on_record = self._on_record.pop(handle, None)
        if on_record is not None and not on_record.done():
            on_record.set_result(None)

    async def _give(self, news: Wrote, handle: str, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        # Without its time a "1" of today is not to be told from one of yesterday.
        mark = self._private.mark(news.channel, news.address, news.origin, news.text) if news.origin else ""
        text_ref, digest = None, ""
        try:
            sender = await asyncio.to_thread(self._contacts.whose, news.channel, news.address)
            if not self._has_read(mark):
                text_ref, digest = await asyncio.to_thread(self._private.put_text, sender.member or "", news.text[:TEXT_MAX])
        except Unavailable as fault:
            logger.warning("a text came and cannot be put away: %s", fault)
            sender = self._contacts.whose_in_memory(news.channel, news.address)
        event = MemberWrote(news.channel, sender.member, news.text, sender.ref, text_ref, digest, sender.shared, mark, handle,
                            sender.sharers, news.written_at_ms)
        self._put(self._instead(event))

    def _given(self, address: str, handle: str, task: asyncio.Task[None]) -> None:
        if self._last.get(address) is task:
            del self._last[address]
        fault = None if task.cancelled() else task.exception()
        if fault is not None:  # its text may hold an address: only its kind is said
            logger.error("a text that came cannot be given to the rules (%s); it is read again", type(fault).__name__)
            self._on_record.pop(handle).cancel()
