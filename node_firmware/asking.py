"""The tap at rest: is somebody there tonight? Within two seconds the light says so, or says that nobody answered."""

from typing import Final

from controller.messages import Answer, Ask
from node_firmware.effects import Light
from node_firmware.lights import ANSWER_SHOWN_MS

ANSWER_WITHIN_MS: Final = 1900
"""Counted from the end of the tap: what is left of the two seconds is for the light."""


class Asking:
    """The questions under way and the answers on show, by input."""

    def __init__(self, boot: str) -> None:
        self._boot = boot
        self._number = 0
        self._waiting: dict[str, tuple[str, int]] = {}
        self._shown: dict[str, tuple[Light, int]] = {}

    def ask(self, name: str, tapped_ms: int, now_ms: int, *, linked: bool) -> Ask | None:
        """Ask for this input; without a link there is nobody to ask, and the light says it now."""
        self.forget(name)
        if not linked:
            self._show(name, Light.ANSWER_FAULT, now_ms)
            return None
        self._number += 1
        ask = Ask(boot=self._boot, id=f"{self._boot[:12]}-{self._number}", input=name)
        self._waiting[name] = (ask.id, max(tapped_ms + ANSWER_WITHIN_MS, now_ms))
        return ask

    def answered(self, answer: Answer, now_ms: int, *, well: bool) -> None:
        """Show the answer to a question that still waits; any other is ignored. well: this node itself has no fault."""
        for name, (ask_id, _) in list(self._waiting.items()):
            if answer.boot == self._boot and answer.id == ask_id:
                del self._waiting[name]
                self._show(name, Light.ANSWER_WELL if answer.ok and well else Light.ANSWER_FAULT, now_ms)

    def forget(self, name: str) -> None:
        """Something more important happens at this input."""
        self._waiting.pop(name, None)
        self._shown.pop(name, None)

    def pass_time(self, now_ms: int) -> None:
        """No answer in time is an answer; what was shown long enough goes."""
        for name, (_, due_ms) in list(self._waiting.items()):
            if due_ms <= now_ms:
                del self._waiting[name]
                self._show(name, Light.ANSWER_FAULT, now_ms)
        for name, (_, until_ms) in list(self._shown.items()):
            if until_ms <= now_ms:
                del self._shown[name]

    def next_at_ms(self) -> int | None:
        """When `pass_time` has something to do."""
        return min((at for _, at in (*self._waiting.values(), *self._shown.values())), default=None)

    def shows(self, name: str) -> Light | None:
        """The answer on show at this input."""
        shown = self._shown.get(name)
        return None if shown is None else shown[0]

    def _show(self, name: str, light: Light, now_ms: int) -> None:
        self._shown[name] = (light, now_ms + ANSWER_SHOWN_MS)
