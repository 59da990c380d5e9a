"""What holds for this node now: kinds, inputs' kinds, limits; from the gateway's settings or from its own file."""

from collections.abc import Iterable, Mapping
from typing import Final

from controller.errors import BrokenPromise
from controller.messages import KindSettings, Pulse, Settings
from node_firmware.config import InputPins, default_kinds, sounds

TAMPER: Final = "tamper"
TEST: Final = "test"
NO_CALL: Final = frozenset({TAMPER, TEST})
"""Kinds that call nobody: a node whose every button pressed one of these would be deaf."""

BEAT_S: Final = 20
CANCEL_S: Final = 30
REOPEN_S: Final = 1800


class Kinds:
    """The settings in force: taken whole or not at all. Kinds they do not name stay as the file has them."""

    def __init__(self, inputs: Mapping[str, InputPins], kinds: Mapping[str, KindSettings], siren_s_max: int) -> None:
        self.rev = 0
        self.siren_s_max = siren_s_max
        self.beat_s, self.cancel_s, self.reopen_s = BEAT_S, CANCEL_S, REOPEN_S
        self._pins = inputs
        self._file_kinds: Mapping[str, KindSettings] = {**default_kinds(), **kinds}
        self._kinds = self._file_kinds
        self._kind_of = {name: TAMPER if pins.tamper else pins.kind for name, pins in inputs.items()}
        unknown = sorted({kind for kind in self._kind_of.values() if kind not in self._kinds})
        if unknown:
            raise BrokenPromise(f"node: inputs of kinds {', '.join(unknown)} without settings; expected a checked file")

    def kind_of(self, name: str) -> str:
        """The kind that this input presses."""
        return self._kind_of[name]

    def __getitem__(self, kind: str) -> KindSettings:
        return self._kinds[kind]

    def __contains__(self, kind: object) -> bool:
        return kind in self._kinds

    def pattern(self, kind: str) -> tuple[Pulse, ...]:
        """The kind's siren pattern."""
        return self._kinds[kind].pattern

    def rank(self, kind: str) -> int:
        """How serious; a kind that is not known any more goes last, and goes."""
        return self._kinds[kind].rank if kind in self._kinds else 99

    def audible(self, name: str) -> bool:
        """This input is answered with siren, light and sound. A contact of the case is no button: it shows nothing."""
        return not self._pins[name].tamper and self._kinds[self._kind_of[name]].audible

    def hold_ms(self, name: str) -> int:
        """How long this input must be held."""
        return self._kinds[self._kind_of[name]].hold_ms

    def secret(self, name: str, kind: str) -> bool:
        """A press of this input and kind belongs to the silent stream: nobody outside its circle may count it."""
        if name in self._pins and not self._pins[name].tamper and not self.audible(name):
            return True
        return kind not in NO_CALL and not (kind in self._kinds and self._kinds[kind].audible)

    def take(self, settings: Settings) -> str:
        """Put `settings` in force; empty when done.

        Else nothing changes, since they would leave the node deaf or a siren mute, and this names the input or kind.
        """
        for faulty in self._faults(settings):
            return faulty
        self._kinds = {**self._file_kinds, **settings.kinds}
        for name, pins in self._pins.items():
            if not pins.tamper and name in settings.inputs:
                self._kind_of[name] = settings.inputs[name].kind
        self.rev = settings.rev
        self.siren_s_max = settings.siren_s_max
        self.beat_s, self.cancel_s, self.reopen_s = settings.beat_s, settings.cancel_s, settings.reopen_s
        return ""

    def _faults(self, settings: Settings) -> Iterable[str]:
        """Inputs without a kind, or with one that calls nobody; audible kinds that do not sound, or never pause."""
        kinds = {**self._file_kinds, **settings.kinds}
        buttons = [name for name, pins in self._pins.items() if not pins.tamper]
        new = {name: settings.inputs[name].kind if name in settings.inputs else self._kind_of[name] for name in buttons}
        for name, kind in new.items():
            if kind not in kinds:
                yield name
            if kind in NO_CALL and self._pins[name].kind not in NO_CALL:
                yield name
        for kind, setting in settings.kinds.items():
            if setting.audible and not sounds(setting):
                yield kind
