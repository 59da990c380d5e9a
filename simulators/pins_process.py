"""A Pi's pins in a process of their own: a pigpio daemon for the node, and a control port for whoever watches or presses.

What a siren does when its node dies can only be seen from outside the node. The control port speaks JSON, one object a
line, each answered by one line: `{"do": "play", "steps": [[after_ms, pin, level], ...]}` (level 0: closed to ground,
null: open; answered when all is done), `{"do": "levels"}`, `{"do": "history", "since": n}`, `{"do": "siren", "is": "well"}` (or
`dead`, or `stuck`: its sensor).
"""

import asyncio
import json
import socket
from collections.abc import Iterable
from types import TracebackType
from typing import Any

from node_firmware.config import SirenPins
from simulators.buttons import Step
from simulators.pigpiod import Pigpiod
from simulators.pin_board import Change, PinBoard
from simulators.siren_current import Health, SirenCurrent


class PinsServer:
    """The daemon and its control port on the running event loop; several fit in one process."""

    def __init__(self, siren: SirenPins | None = None) -> None:
        """siren: what is wired to its pin draws current, which its sensor shows."""
        self.board = PinBoard()
        self._current = SirenCurrent(self.board, siren) if siren is not None else None
        self._daemon = Pigpiod(self.board)
        self._control: asyncio.Server | None = None
        self.port = 0
        self.control_port = 0

    async def start(self, host: str = "127.0.0.1", port: int = 0, control_port: int = 0) -> None:
        """Listen; `port` and `control_port` hold where."""
        self.port = await self._daemon.start(host, port)
        self._control = await asyncio.start_server(self._serve, host, control_port)
        self.control_port = self._control.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and cut every connection of the daemon."""
        await self._daemon.stop()
        if self._control is not None:
            self._control.close()

    async def play(self, steps: Iterable[Step]) -> None:
        """Drive the contacts, each at its time."""
        loop = asyncio.get_running_loop()
        at = loop.time()
        for step in steps:
            at += step.after_ms / 1000
            if at > loop.time():
                await asyncio.sleep(at - loop.time())
            self.board.drive(step.pin, step.level)

    def siren(self, health: str) -> None:
        """From now on the siren, or its sensor, is like this.

        Raises ValueError when none is wired, or there is no such state.
        """
        if self._current is None:
            raise ValueError("siren: none is wired; start the pins with a node's file")
        self._current.becomes(Health(health))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                try:
                    answer = await self._answer(json.loads(line))
                except (ValueError, KeyError, TypeError, IndexError) as fault:
                    answer = {"fault": f"{type(fault).__name__}: {fault}"}
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        except ConnectionError:
            return
        finally:
            writer.close()

    async def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        match request["do"]:
            case "play":
                await self.play(Step(*step) for step in request["steps"])
                return {"done": True}
            case "levels":
                return {"levels": self.board.levels}
            case "history":
                return {"history": self.board.history[request.get("since", 0) :]}
            case "siren":
                self.siren(request["is"])
                return {"done": True}
            case other:
                raise ValueError(f"do: {other!r}; expected play, levels, history or siren")


class PinsControl:
    """The other end of the control port, for tests and scripts: blocking, one request at a time."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._socket = socket.create_connection((host, port), timeout=60)
        self._lines = self._socket.makefile("rb")

    def play(self, steps: Iterable[Step]) -> None:
        """Drive the contacts; returns when the last step is done."""
        self._ask({"do": "play", "steps": list(steps)})

    def level(self, pin: int) -> int:
        """A pin's level now."""
        levels: list[int] = self._ask({"do": "levels"})["levels"]
        return levels[pin]

    def siren(self, health: Health) -> None:
        """From now on the siren, or its sensor, is like this."""
        self._ask({"do": "siren", "is": health})

    def history(self, since: int = 0) -> list[Change]:
        """All changes from number `since` on, oldest first."""
        return [Change(*change) for change in self._ask({"do": "history", "since": since})["history"]]

    def close(self) -> None:
        """Hang up."""
        self._lines.close()
        self._socket.close()

    def __enter__(self) -> "PinsControl":
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        self._socket.sendall(json.dumps(request).encode() + b"\n")
        line = self._lines.readline()
        if not line:
            raise ConnectionError("the pins process is gone")
        answer: dict[str, Any] = json.loads(line)
        if "fault" in answer:
            raise ValueError(answer["fault"])
        return answer
