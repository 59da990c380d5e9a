"""What a service tells systemd: that it is ready, and that it is alive. As sd_notify(3) says."""

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Mapping

logger = logging.getLogger(__name__)


class Supervisor:
    """systemd, or nobody when the process was not started by it."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._socket: socket.socket | None = None
        address = environment.get("NOTIFY_SOCKET", "")
        period_us = environment.get("WATCHDOG_USEC", "")
        self._period_s = int(period_us) / 1_000_000 / 3 if period_us.isdecimal() else None
        if address:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._socket.setblocking(False)
            try:
                self._socket.connect("\0" + address[1:] if address.startswith("@") else address)
            except OSError as fault:
                logger.warning("supervisor: NOTIFY_SOCKET cannot be reached (%s); systemd will not know of us", fault)
                self._socket = None

    def ready(self) -> None:
        """The service serves; from here on the watchdog is answered as long as the loop turns."""
        self._say("READY=1")
        self._beat()

    def stopping(self) -> None:
        """The end has begun."""
        self._say("STOPPING=1")

    def _beat(self) -> None:
        if self._period_s is not None and self._socket is not None:
            self._say("WATCHDOG=1")
            asyncio.get_running_loop().call_later(self._period_s, self._beat)

    def _say(self, text: str) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):  # a full or vanished socket is systemd's trouble: it restarts us
                self._socket.send(text.encode())
