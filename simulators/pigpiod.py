"""A pigpio daemon for a `PinBoard`: the real one's socket protocol, as far as gpiozero's PiGPIOFactory speaks it.

Each command is 16 bytes, four little-endian words (command, p1, p2, length of what follows), and so is each answer, with
the result in place of the last word. A connection that asked for notifications gets 12-byte reports in band:
sequence, flags, tick in µs, the first 32 levels.
"""

import asyncio
import contextlib
import struct
import time
from enum import IntEnum
from typing import Final

from simulators.pin_board import PINS, PULL_UP, Change, PinBoard

_COMMAND: Final = struct.Struct("<IIII")
_REPORT: Final = struct.Struct("<HHII")
_BAD_PIN, _BAD_MODE, _BAD_LEVEL, _BAD_PULL, _BAD_HANDLE, _UNKNOWN = -3, -4, -5, -6, -25, -88
PI_3B: Final = 0xA02082
PIGPIO_VERSION: Final = 79
FOLLOWING_MAX: Final = 65_536


class Command(IntEnum):
    """The daemon's commands that are served, by pigpio's own numbers."""

    MODE_SET = 0
    MODE_GET = 1
    PULL = 2
    READ = 3
    WRITE = 4
    BANK = 10
    TICK = 16
    REVISION = 17
    NOTIFY_BEGIN = 19
    NOTIFY_CLOSE = 21
    VERSION = 26
    GLITCH_FILTER = 97
    NOISE_FILTER = 98
    NOTIFY_OPEN = 99


class _Listener:
    """A connection that wants to hear of changes."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.bits = 0
        self.sequence = 0

    def tell(self, bank: int) -> None:
        self.writer.write(_REPORT.pack(self.sequence & 0xFFFF, 0, tick(), bank))
        self.sequence += 1


def tick() -> int:
    """The daemon's clock: µs, 32 bits, wraps every 72 minutes."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000 & 0xFFFFFFFF


class Pigpiod:
    """Serves one board. Any number of processes may connect, as with the real one."""

    def __init__(self, board: PinBoard) -> None:
        self.board = board
        self._listeners: dict[int, _Listener] = {}
        self._next_handle = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        board.watchers.append(self._changed)

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port (another one when `port` is 0)."""
        self._server = await asyncio.start_server(self._serve, host, port)
        found: int = self._server.sockets[0].getsockname()[1]
        return found

    async def stop(self) -> None:
        """Cut every connection."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.close()

    def _changed(self, change: Change) -> None:
        if change.pin < 32:
            bank = self.board.bank()
            for listener in self._listeners.values():
                if listener.bits >> change.pin & 1:
                    listener.tell(bank)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        ours: list[int] = []
        try:
            while True:
                command, p1, p2, following = _COMMAND.unpack(await reader.readexactly(_COMMAND.size))
                if following > FOLLOWING_MAX:
                    return
                await reader.readexactly(following)
                result = self._open(writer, ours) if command == Command.NOTIFY_OPEN else self._answer(command, p1, p2)
                writer.write(_COMMAND.pack(command, p1, p2, result & 0xFFFFFFFF))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            for handle in ours:
                self._listeners.pop(handle, None)
            self._writers.discard(writer)
            with contextlib.suppress(ConnectionError):
                writer.close()

    def _open(self, writer: asyncio.StreamWriter, ours: list[int]) -> int:
        handle, self._next_handle = self._next_handle, self._next_handle + 1
        self._listeners[handle] = _Listener(writer)
        ours.append(handle)
        return handle

    def _answer(self, command: int, p1: int, p2: int) -> int:
        match command:
            case Command.BANK:
                return self.board.bank()
            case Command.TICK:
                return tick()
            case Command.REVISION:
                return PI_3B
            case Command.VERSION:
                return PIGPIO_VERSION
            case Command.NOTIFY_BEGIN:
                if p1 not in self._listeners:
                    return _BAD_HANDLE
                self._listeners[p1].bits = p2
                return 0
            case Command.NOTIFY_CLOSE:
                return 0 if self._listeners.pop(p1, None) else _BAD_HANDLE
            case _:
                return self._pin(command, p1, p2) if p1 < PINS else _BAD_PIN

    def _pin(self, command: int, pin: int, value: int) -> int:
        match command:
            case Command.MODE_SET:
                if value > 7:
                    return _BAD_MODE
                self.board.set_mode(pin, value)
                return 0
            case Command.MODE_GET:
                return self.board.mode(pin)
            case Command.PULL:
                if value > PULL_UP:
                    return _BAD_PULL
                self.board.set_pull(pin, value)
                return 0
            case Command.READ:
                return self.board.levels[pin]
            case Command.WRITE:
                if value > 1:
                    return _BAD_LEVEL
                self.board.write(pin, value)
                return 0
            case Command.GLITCH_FILTER | Command.NOISE_FILTER:  # glitch and noise filters: these contacts are filtered by nobody
                return 0
            case _:
                return _UNKNOWN
