"""The node's side of its siren's guard: starts it, beats to it, notices when it is gone."""

import asyncio
import contextlib
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Final

import msgspec

from node_firmware.config import PinsSettings, SirenPins
from node_firmware.guard import BEAT_S, HUNG_S, Watched

logger = logging.getLogger(__name__)

START_S: Final = 15.0
"""How long a new guard may take to its first answer: a Python start on a busy Pi Zero."""
PAUSE_S: Final = 1.0


class Guarding:
    """Keeps one guard alive as long as the node lives. seen: called on the event loop when it is there, or gone."""

    def __init__(self, pins: PinsSettings, siren: SirenPins, seen: Callable[[bool], None]) -> None:
        watched = msgspec.json.encode(Watched(os.getpid(), pins, siren)).decode()
        self._command = [sys.executable, "-m", "node_firmware.guard", watched]
        self._seen = seen
        self._up: bool | None = None

    async def run(self) -> None:
        """Guard after guard, until cancelled. The last one sees the node end by itself."""
        while True:
            ours, theirs = socket.socketpair()
            ours.setblocking(False)
            process = None
            try:
                # In a thread: starting a program waits for the disk that it is read from.
                process = await asyncio.to_thread(self._start, theirs)
                theirs.close()
                await self._beat(ours)
            except OSError as fault:
                logger.error("guard: cannot be started (%s); the siren has none", fault)
            finally:
                theirs.close()
                # Closing our end is what makes a guard drop the siren: only when it is no longer ours.
                if process is not None and not asyncio.current_task().cancelling():  # type: ignore[union-attr]  # we run in a task
                    process.kill()
                    ours.close()
            self._say(False)
            await asyncio.sleep(PAUSE_S)

    def _start(self, theirs: socket.socket) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(self._command, stdin=theirs.fileno(), start_new_session=True)  # noqa: S603 (our own program)

    async def _beat(self, ours: socket.socket) -> None:
        """Return when it no longer answers."""
        loop = asyncio.get_running_loop()
        patience_s = START_S
        while True:
            with contextlib.suppress(BlockingIOError):
                ours.send(b".")
            answered_until = loop.time() + patience_s
            next_beat = loop.time() + BEAT_S
            try:
                async with asyncio.timeout_at(answered_until):
                    while not await loop.sock_recv(ours, 64):
                        return
            except (TimeoutError, ConnectionError):
                return
            patience_s = HUNG_S
            self._say(True)
            await asyncio.sleep(max(0.0, next_beat - loop.time()))

    def _say(self, up: bool) -> None:
        if up != self._up:
            self._up = up
            logger.log(logging.INFO if up else logging.ERROR, "guard: %s", "answers" if up else "gone; starting another")
            self._seen(up)
