"""Standard input for the stand-ins: the same from a terminal, a pipe or a file, and the event loop never waits for it."""

import asyncio
import io
import sys
import threading


def typed(size: int | None = None) -> "asyncio.Queue[str]":
    """Standard input, line by line or (`size`) key by key; an empty text is its end. Call it on the running loop, once.

    What is no UTF-8 comes as replacement characters.
    """
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str] = asyncio.Queue()
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")

    def read() -> None:
        while True:
            text = sys.stdin.readline() if size is None else sys.stdin.read(size)
            try:
                loop.call_soon_threadsafe(lines.put_nowait, text)
            except RuntimeError:  # the loop has ended before the terminal
                return
            if not text:
                return

    # asyncio's own pipes refuse a file. A daemon: a terminal that nobody types at does not keep the process from ending.
    threading.Thread(target=read, name="typed", daemon=True).start()
    return lines
