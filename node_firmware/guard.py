"""The siren's guard: a process of its own that switches the siren off when the node no longer can.

A siren's pin stays as it is when the process that set it is killed or hangs. The node therefore starts this process and
beats to it, once a second, over a socket pair, from the same event loop that serves the siren:

- the socket closes: the node has died (`kill -9`, out of memory, a crash). The siren goes off at once.
- no beat for 5 s: the node hangs. It is killed, and then the siren goes off: within 10 s in all. The killing comes
  first, because with `lgpio` only one process can hold a line, and because a node that woke up again would know
  nothing of it.

With `lgpio` the kernel gives a dead process's lines back (and may leave them as they were), and the guard claims the
siren's. When it is taken, a new node was quicker; that one switched the siren off by opening it. With `pigpio` (and the
simulators' pins) anybody may write, and the guard simply does. With `mock` the pins died with the node.

The guard lives in a session of its own, ignores the signals with which a service is stopped, imports all it needs
before it is needed, keeps all of itself in memory, touches no disk, and ends when its node has. It answers each beat, so
that the node notices when its guard is gone. A node in an uninterruptible wait cannot be killed before that wait ends: the wiring's cut-off
timer is for that.
"""

import contextlib
import logging
import os
import select
import signal
import socket
import sys
import time
from typing import Final

import msgspec
from msgspec import Struct

from controller.errors import Unavailable
from node_firmware import memory
from node_firmware.config import PinsSettings, SirenPins
from node_firmware.pins import open_factory, preload, siren_off

logger = logging.getLogger(__name__)

BEAT_S: Final = 1.0
HUNG_S: Final = 5.0
"""Together with the time to kill and to open the pin this stays well under the 10 s promised."""
_TRY_S: Final = 8.0
_RETRY_S: Final = 0.1


def drop(pins: PinsSettings, siren: SirenPins, *, try_s: float = 0.0) -> None:
    """Switch the siren off. try_s: how long to try while another process holds its pin.

    Raises Unavailable when it could not be had.
    """
    until = time.monotonic() + try_s
    while True:
        try:
            siren_off(open_factory(pins), siren)
        except Exception as fault:  # each driver raises its own kinds
            if time.monotonic() >= until:
                raise Unavailable(
                    f"the siren's pin {siren.pin} cannot be had ({fault}); expected the node to have ended; "
                    "if another node process runs, that one has switched it off at its start"
                ) from fault
            time.sleep(_RETRY_S)
        else:
            return


class Watched(Struct, frozen=True):
    """What a guard must know: the node's process, and its siren."""

    process: int
    pins: PinsSettings
    siren: SirenPins


def watch(watched: Watched, beats: socket.socket) -> None:
    """Guard the node's process until it has ended, over our end of the socket pair."""
    node = watched.process
    try:
        node_fd = os.pidfd_open(node)
    except ProcessLookupError:
        node_fd = -1
    beats.settimeout(HUNG_S)
    try:
        while beat := beats.recv(64):
            with contextlib.suppress(TimeoutError):
                beats.send(beat)
    except TimeoutError:
        logger.critical("guard: no beat of node process %d for %.0f s: killing it and dropping the siren", node, HUNG_S)
        _kill(node_fd)
    except OSError as fault:
        logger.warning("guard: the node's end of the line broke (%s)", fault)
    drop(watched.pins, watched.siren, try_s=_TRY_S)
    logger.info("guard: node process %d has ended; the siren is off", node)


def _kill(node_fd: int) -> None:
    if node_fd < 0:
        return
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(node_fd, signal.SIGKILL)
    select.select([node_fd], [], [], _TRY_S)


def main() -> None:
    """Be the guard: `python -m node_firmware.guard WATCHED`, its JSON; stdin is our end of the socket pair."""
    for sign in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGABRT, signal.SIGPIPE):
        signal.signal(sign, signal.SIG_IGN)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    watched = msgspec.json.decode(sys.argv[1], type=Watched)
    preload(watched.pins)
    memory.lock(unused=True)
    watch(watched, socket.socket(fileno=os.dup(0)))


if __name__ == "__main__":
    main()
