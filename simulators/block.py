"""`cuadra simulate block` and `cuadra simulate pins`: a block whose buttons can be pressed, on pins that are not there."""

import asyncio
import contextlib
import json
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Final

import typer

from controller import settings_file
from controller.errors import BadConfig
from node_firmware.clock import boottime_ms
from node_firmware.config import NodeConfig
from simulators.buttons import Buttons, Step
from simulators.pin_board import Change
from simulators.pins_process import PinsServer
from simulators.typed import typed

app = typer.Typer()

HOLD_MS: Final = 2000
TAP_MS: Final = 250
KEYS: Final = {"h": "hold", "t": "tap", "j": "jabs", "p": "press", "r": "release", "n": "bounce", "c": "cut", "s": "short"}
GREETING: Final = (
    "keys: 1-9 choose a button; h hold, t tap, j three jabs, p press, r release, n noise, c cut, s short; q quit"
)


@app.command()
def pins(
    config: Annotated[Path | None, typer.Option("--config", help="A node's file: its wires lie at rest from the start.")] = None,
    port: Annotated[int, typer.Option(help="Of the pigpio daemon; 0: any.")] = 8888,
    control_port: Annotated[int, typer.Option(help="Of the control port; 0: any.")] = 8889,
) -> None:
    """A Pi's pins in a process of their own: a pigpio daemon, and a control port (JSON lines) to press and to watch."""
    settings = None if config is None else settings_file.read(config, NodeConfig)
    asyncio.run(_pins(settings, port, control_port))


async def _pins(settings: NodeConfig | None, port: int, control_port: int) -> None:
    server = PinsServer(settings.siren if settings is not None else None)
    if settings is not None:
        await server.play(Buttons(settings).rest())
    await server.start(port=port, control_port=control_port)
    typer.echo(json.dumps({"port": server.port, "control_port": server.control_port}))
    sys.stdout.flush()
    await asyncio.Event().wait()


@app.command()
def block(
    config: Annotated[Path, typer.Option("--config", help="The node's file.")],
    verbose: Annotated[bool, typer.Option("--verbose", help="Show the node's own log.")] = False,
) -> None:
    """A block: its node as a process of its own, and buttons to press by keys, or by lines of a script on standard input.

    Lines: `hold b1 2` (seconds), `tap b1`, `jabs b1`, `press b1`, `release b1`, `bounce b1`, `cut b1`, `short b1`, `wait 2`;
    `siren dead` (it draws no current), `siren stuck` (its sensor), `siren well`.
    """
    settings = settings_file.read(config, NodeConfig)
    raise typer.Exit(asyncio.run(Block(settings, config, verbose=verbose).run()))


class Block:
    """One simulated block. run: until its script or its terminal ends."""

    def __init__(self, settings: NodeConfig, config: Path, *, verbose: bool) -> None:
        self._settings = settings
        self._config = config
        self._verbose = verbose
        self._buttons = Buttons(settings)
        self._chosen = self._buttons.names[0]
        self._pins = PinsServer(settings.siren)
        self._names = {settings.siren.pin: "siren"}
        if settings.siren.strobe is not None:
            self._names[settings.siren.strobe] = "strobe"
        self._names |= {wires.light: f"light {name}" for name, wires in settings.inputs.items() if wires.light is not None}
        self._started_at_ms: int | None = None

    async def run(self) -> int:
        """Returns the node's exit code; 0 when it was we who ended it."""
        await self._pins.play(self._buttons.rest())
        await self._pins.start()
        self._pins.board.watchers.append(self._tell)
        log = None if self._verbose else asyncio.subprocess.DEVNULL
        node = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "from controller.command_line import main; main()", "node", "run", "--config", str(self._config),
            "--pins", f"pigpio:127.0.0.1:{self._pins.port}", stdin=asyncio.subprocess.DEVNULL, stderr=log,
        )  # fmt: skip
        ended = asyncio.create_task(node.wait())
        pressing = asyncio.create_task(self._press())
        try:
            await asyncio.wait([ended, pressing], return_when=asyncio.FIRST_COMPLETED)
            if pressing.done():
                pressing.result()
                return 0
            self._say(f"the node ended by itself, exit code {node.returncode}; --verbose shows why")
            return ended.result() or 1
        finally:
            pressing.cancel()
            with contextlib.suppress(ProcessLookupError):
                node.terminate()
            await ended
            await self._pins.stop()

    async def _press(self) -> None:
        if sys.stdin.isatty():
            self._say(GREETING)
            with _raw_keys():
                keys = typed(1)
                while (key := await keys.get()) not in ("q", "\x04", ""):
                    await self._key(key)
        else:
            lines = typed()
            while line := await lines.get():
                await self._line(line)

    async def _key(self, key: str) -> None:
        if key.isdecimal() and 0 < int(key) <= len(self._buttons.names):
            self._chosen = self._buttons.names[int(key) - 1]
            self._say(f"button {self._chosen}")
        elif key in KEYS:
            await self._do(KEYS[key], self._chosen, [])

    async def _line(self, line: str) -> None:
        words = line.split("#", 1)[0].split()
        if not words:
            return
        verb, *rest = words
        try:
            if verb == "wait":
                await asyncio.sleep(float(rest[0]))
                return
            if verb == "siren":
                self._pins.siren(rest[0])
                self._say(f"siren {rest[0]}")
                return
            name, *more = rest
            await self._do(verb, name, more)
        except (ValueError, KeyError, IndexError) as fault:
            raise BadConfig([f"script, {line.strip()!r}: cannot be done ({fault}); expected e.g. `hold b1 2`, `tap b1`, `wait 2`"]) from fault

    async def _do(self, verb: str, name: str, more: list[str]) -> None:
        buttons = self._buttons
        ways: dict[str, Callable[[], list[Step]]] = {
            "hold": lambda: buttons.hold(name, round(float(more[0]) * 1000) if more else HOLD_MS),
            "tap": lambda: buttons.hold(name, TAP_MS),
            "jabs": lambda: buttons.jabs(name),
            "press": lambda: buttons.press(name),
            "release": lambda: buttons.release(name),
            "bounce": lambda: buttons.bounce(name),
            "cut": lambda: buttons.cut(name),
            "short": lambda: buttons.short(name),
        }
        if verb not in ways:
            raise ValueError(f"{verb!r} is none of {', '.join(ways)}, wait")
        steps = ways[verb]()
        self._say(f"{verb} {name}")
        await self._pins.play(steps)

    def _tell(self, change: Change) -> None:
        name = self._names.get(change.pin)
        if name is not None and change.output:
            self._say(f"{name} {'on' if self._is_on(change) else 'off'}", change.at_ms)

    def _is_on(self, change: Change) -> bool:
        siren = self._settings.siren
        return bool(change.level) if change.pin != siren.pin or siren.active_high else not change.level

    def _say(self, text: str, at_ms: int | None = None) -> None:
        at_ms = boottime_ms() if at_ms is None else at_ms
        if self._started_at_ms is None:
            self._started_at_ms = at_ms
        typer.echo(f"{(at_ms - self._started_at_ms) / 1000:8.3f} s  {text}")


@contextlib.contextmanager
def _raw_keys() -> Iterator[None]:
    """Keys come one by one and unseen; the terminal is as before afterwards."""
    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
