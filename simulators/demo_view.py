"""The demo, live: blocks as a grid with a column a zone, the texts as they arrive, the incidents, and keys to do things to them.

What is shown is read from outside: pins, phones, the police's receiver, the journals. State is told by a word and a colour.
"""

import asyncio
import time
from typing import ClassVar, Final

from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Footer, RichLog, Static

from simulators.demo_book import IncidentSeen
from simulators.demo_district import District
from simulators.demo_zone import BlockHere, ZoneHere

LOOK_S: Final = 0.2
STYLES: Final = {
    "quiet": "dim", "pressed": "bold yellow", "opened": "bold white on red", "taken": "bold black on yellow", "on-scene": "bold black on green",
}
"""How a block's state looks; its word stands there as well."""
LATEST: Final = 12


class BlockCell(Static):
    """One block: chosen or not, its button, what siren, light and incident say."""

    def __init__(self, block: BlockHere) -> None:
        super().__init__(id=block.block)
        self.block = block

    def show(self, *, chosen: bool, name: str) -> None:
        """Draw what is so now. name: the input that a press would press."""
        incident = _incident_in(self.block)
        state = incident.state if incident is not None else "quiet"
        if incident is None and any(self.block.zone.recorded(press) is None for press in self.block.presses):
            state = "pressed"
        text = Text(f"{'> ' if chosen else '  '}{self.block.block}\n", style="bold" if chosen else "")
        text.append(f"  {state.upper()}", STYLES.get(state, ""))
        text.append("\n  SIREN" if self.block.siren else "\n  siren off", "bold red" if self.block.siren else "dim")
        light = self.block.light(name)
        text.append(f"\n  light {light or 'dark'}", "green" if light else "dim")
        text.append(f"\n  {name} {self.block.inputs[name]}" if chosen else "\n", "italic")
        self.update(text)


class DemoView(App[None]):
    """The live view over a district that runs; it ends with `q`."""

    TITLE = "Cuadra"
    CSS = """
    #zones { height: auto; max-height: 70%; overflow: auto; }
    .zone { width: 1fr; min-width: 20; height: auto; border: round $primary; padding: 0; }
    .head { height: 3; }
    BlockCell { height: 5; }
    #below { height: 1fr; }
    #texts { width: 3fr; border: round $primary; }
    #incidents { width: 2fr; height: 100%; border: round $primary; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p,space", "press", "press"),
        Binding("b", "button", "next button"),
        Binding("1", "answer('1')", "I go"),
        Binding("2", "answer('2')", "on scene"),
        Binding("3", "answer('3')", "false"),
        Binding("5", "answer('5')", "over"),
        Binding("0", "answer('0')", "cannot"),
        Binding("m", "modem", "modem's plug"),
        Binding("n", "network", "cut/mend network"),
        Binding("q,ctrl+c", "quit", "quit", priority=True),
    ]
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, district: District) -> None:
        super().__init__()
        self.district = district
        self._column = self._row = 0
        self._chosen_inputs: dict[str, str] = {}
        self._shown = dict.fromkeys((zone.zone for zone in district.zones), 0)
        self._alarms = dict.fromkeys((zone.zone for zone in district.zones), 0)
        self._doing: set[asyncio.Task[object]] = set()

    @property
    def zone(self) -> ZoneHere:
        """The zone of the chosen block."""
        return self.district.zones[self._column]

    @property
    def block(self) -> BlockHere:
        """The chosen block."""
        return self.zone.blocks[min(self._row, len(self.zone.blocks) - 1)]

    def compose(self) -> ComposeResult:
        """The columns, the texts, the incidents."""
        with Horizontal(id="zones"):
            for zone in self.district.zones:
                with _Column(classes="zone"):
                    yield Static(id=f"head-{zone.zone}", classes="head")
                    for block in zone.blocks:
                        yield BlockCell(block)
        with Horizontal(id="below"):
            texts = RichLog(id="texts", wrap=True, max_lines=500)
            texts.border_title = "texts and signals as they arrive"
            texts.can_focus = False
            yield texts
            incidents = Static(id="incidents")
            incidents.border_title = "incidents (arrow keys choose a block)"
            yield incidents
        yield Footer()

    def on_mount(self) -> None:
        """Look, now and from now on."""
        self.look()
        self.set_interval(LOOK_S, self.look)

    def on_key(self, event: events.Key) -> None:
        """The arrows choose a block."""
        columns = len(self.district.zones)
        match event.key:
            case "left":
                self._column = (self._column - 1) % columns
            case "right":
                self._column = (self._column + 1) % columns
            case "up":
                self._row = (self._row - 1) % len(self.zone.blocks)
            case "down":
                self._row = (self._row + 1) % len(self.zone.blocks)
            case _:
                return
        self.look()
        self.query_one(f"#{self.block.block}").scroll_visible(animate=False)

    def look(self) -> None:
        """Draw what is so now."""
        for zone in self.district.zones:
            head = Text(f"{zone.zone} {zone.name}\n", "bold")
            head.append("network CUT\n" if zone.cable.is_cut else "network\n", "bold red" if zone.cable.is_cut else "dim")
            head.append("modem" if zone.plugged else "modem UNPLUGGED", "dim" if zone.plugged else "bold red")
            self.query_one(f"#head-{zone.zone}", Static).update(head)
            self._tell(zone)
        for cell in self.query(BlockCell):
            cell.show(chosen=cell.block is self.block, name=self._input(cell.block))
        self.query_one("#incidents", Static).update(self._incidents())

    async def action_press(self) -> None:
        """Somebody presses the chosen block's button."""
        block = self.block
        self._say(f"{block.block}: somebody holds {self._input(block)} ({block.inputs[self._input(block)]})", "yellow")
        self._do(asyncio.create_task(block.press(self._input(block))))

    def action_button(self) -> None:
        """The chosen block's next button."""
        names = list(self.block.lights)
        self._chosen_inputs[self.block.block] = names[(names.index(self._input(self.block)) + 1) % len(names)]
        self.look()

    def action_answer(self, word: str) -> None:
        """The member who was last told of the chosen block's alarm writes it."""
        incident = _incident_in(self.block)
        if incident is None:
            self._say(f"{self.block.block}: no alarm is open here that somebody could answer", "cyan")
            return
        member = self.zone.reply(word, incident.code)
        self._say(f"{self.block.block}: {member} writes {word}" if member else f"{self.block.block}: nobody has been told of this alarm yet", "cyan")

    def action_modem(self) -> None:
        """Pull the plug of the zone's modem, or put it back."""
        self.zone.plug(into=not self.zone.plugged)
        self.look()

    async def action_network(self) -> None:
        """Cut the zone's blocks off from their gateway, or mend it."""
        cable = self.zone.cable
        self._do(asyncio.create_task(cable.start() if cable.is_cut else cable.cut()))

    def _input(self, block: BlockHere) -> str:
        return self._chosen_inputs.get(block.block) or next(iter(block.lights))

    def _tell(self, zone: ZoneHere) -> None:
        for told in zone.texts[self._shown[zone.zone]:]:
            self._say(f"{told.zone} -> {told.member}: {told.text}")
        self._shown[zone.zone] = len(zone.texts)
        for event in zone.police.received[self._alarms[zone.zone]:]:
            self._say(f"{zone.zone} -> police's receiver: {event.code} {event.words}", "magenta")
        self._alarms[zone.zone] = len(zone.police.received)

    def _say(self, text: str, style: str = "") -> None:
        self.query_one("#texts", RichLog).write(Text(f"{time.strftime('%H:%M:%S')} {text}", style))

    def _incidents(self) -> Text:
        seen = [(zone, one) for zone in self.district.zones if zone.book for one in list(zone.book.incidents.values())]
        lines = Text() if seen else Text("none yet: p presses the button of the chosen block", "dim")
        for zone, one in sorted(seen, key=lambda pair: -pair[1].opened_at_ms)[:LATEST]:
            lines.append(f"{time.strftime('%H:%M:%S', time.localtime(one.opened_at_ms / 1000))} {one.block} {one.kind} {one.code} ")
            lines.append(one.state, STYLES.get(one.state, ""))
            told = len({text.member for text in zone.texts if one.code in text.text})
            lines.append(f" {f'by {one.by}, ' if one.by else ''}{told} told\n")
        return lines

    def _do(self, task: asyncio.Task[object]) -> None:
        self._doing.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[object]) -> None:
        self._doing.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            self._say(f"that did not work: {fault}", "bold red")


class _Column(Static):
    """One zone's column."""


def _incident_in(block: BlockHere) -> IncidentSeen | None:
    """The block's newest incident that is not over."""
    book = block.zone.book
    mine = [one for one in list(book.incidents.values()) if one.block == block.block and one.state != "closed"] if book is not None else []
    return mine[-1] if mine else None
