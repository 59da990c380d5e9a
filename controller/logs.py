"""A service's log, written by a thread of its own: standard error may be a pipe to something that hangs with the disk."""

import logging
import logging.handlers
import queue
import sys
from typing import Final

LINES_MAX: Final = 5000
TALKATIVE: Final = ("alembic",)
"""Libraries whose everyday work is nobody's news."""


class _Dropping(logging.handlers.QueueHandler):
    """Puts each record into the queue, and drops it when that is full: the alarm goes before its log."""

    def enqueue(self, record: logging.LogRecord) -> None:
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            self.dropped += 1

    dropped = 0


def start(*, verbose: bool) -> logging.handlers.QueueListener:
    """Send the log to standard error; `stop()` of what is returned writes the rest."""
    lines: queue.Queue[logging.LogRecord] = queue.Queue(LINES_MAX)
    writer = logging.StreamHandler(sys.stderr)
    writer.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers = [_Dropping(lines)]
    root.setLevel(logging.DEBUG if verbose else logging.INFO)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.DEBUG if verbose else logging.WARNING)
    listener = logging.handlers.QueueListener(lines, writer)
    listener.start()
    return listener
