"""Whatever Apprise reaches (Telegram, WhatsApp, e-mail, ntfy, ...): one Apprise URL for each member.

Apprise blocks, so each try runs in a worker thread of this channel's own, and there are only so many. `Sent` means that
Apprise says so; there is no idempotency key, so a try that was given up may have arrived, and the next one repeats it.
"""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Final

import apprise
from msgspec import Meta, Struct

from gateway.channels.channel import Never, Outcome, Report, Sent, Telling, TryLater

FOREIGN_LOGGERS: Final = ("apprise", "urllib3", "requests")
"""They write URLs, and so people's keys, into the log: they are silenced."""


class AppriseSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[apprise]` of gateway.toml.

    total_s: a try is given up after so long; its thread goes on until the service's own time-out and is not used meanwhile.
    """

    total_s: Annotated[float, Meta(gt=0, le=120)] = 20.0
    concurrency: Annotated[int, Meta(ge=1, le=32)] = 4
    attempts_max: Annotated[int, Meta(ge=1, le=100)] = 4


class AppriseChannel:
    """The channel `apprise`. hanging: worker threads in use, those included whose try was given up."""

    name = "apprise"

    def __init__(self, settings: AppriseSettings) -> None:
        self.concurrency = settings.concurrency
        self.attempts_max = settings.attempts_max
        self.timeout_s = settings.total_s + 5
        self._total_s = settings.total_s
        # Twice the hands: a thread that hangs beyond its time-out must not take a hand's place at once.
        self._threads_max = 2 * settings.concurrency
        self._threads = ThreadPoolExecutor(self._threads_max, thread_name_prefix="apprise")
        self.hanging = 0
        self._asset = apprise.AppriseAsset(app_id="Cuadra", app_desc="Cuadra", app_url="", async_mode=False, storage_mode="memory")
        for name in FOREIGN_LOGGERS:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)

    async def send(self, telling: Telling) -> Outcome:
        """Try once; what happened after a time-out is not known."""
        if self.hanging >= self._threads_max:
            return TryLater("every worker still waits for a service that does not answer", 5000)
        self.hanging += 1
        task = asyncio.get_running_loop().run_in_executor(self._threads, self._notify, telling)
        task.add_done_callback(self._freed)
        try:
            async with asyncio.timeout(self._total_s):
                return await asyncio.shield(task)
        except TimeoutError:
            return TryLater(f"the service did not answer in {self._total_s:g} s; it may have arrived")

    async def run(self, report: Report) -> None:  # noqa: ARG002 (Apprise has nothing to say by itself)
        """Keep the threads until cancelled."""
        try:
            # Apprise loads its plugins at the first use, for more than a second: not when somebody needs help.
            await asyncio.get_running_loop().run_in_executor(self._threads, self._load)
            await asyncio.Event().wait()
        finally:
            self._threads.shutdown(wait=False, cancel_futures=True)

    def _freed(self, task: "asyncio.Future[Outcome]") -> None:
        self.hanging -= 1
        if not task.cancelled():
            task.exception()  # seen; a try that was given up has nobody left to see it

    def _load(self) -> None:
        apprise.Apprise.instantiate("json://localhost", asset=self._asset)

    def _notify(self, telling: Telling) -> Outcome:
        """In a worker thread."""
        try:
            service = apprise.Apprise.instantiate(telling.address, asset=self._asset, suppress_exceptions=True)
            if not isinstance(service, apprise.NotifyBase):
                return Never("Apprise cannot use this URL; check it with the apprise command")
            sender = apprise.Apprise(asset=self._asset)
            sender.add(service)
            sent = sender.notify(body=telling.text, title=telling.title, body_format=apprise.NotifyFormat.TEXT)
        except Exception as fault:  # a plugin's defect stays its own; its text may hold the address
            return TryLater(f"Apprise failed ({type(fault).__name__})")
        return Sent() if sent else TryLater("Apprise says that the service did not accept it")
