"""What the lights of a node show now, so that only changes are told."""

from node_firmware.effects import Light, SetLight, Sound
from node_firmware.in_order import InOrder
from node_firmware.lights import SOUND_OF, Seen, ladder


class Panel:
    """The lights at the audible buttons. A silent one has none that is ever lit."""

    def __init__(self) -> None:
        self._shown: dict[str, Light] = {}

    def show(self, name: str, seen: Seen | None, out: InOrder, *, aloud: bool) -> None:
        """Let the light at `name` follow what is so; None: this button is silent (now), and its light goes out for good."""
        if seen is None:
            if self._shown.pop(name, Light.REST) is not Light.REST:
                out.lights.append(SetLight(name, Light.REST))
            return
        light = ladder(seen)
        if light is self._shown.get(name):
            return
        self._shown[name] = light
        out.lights.append(SetLight(name, light))
        sound: Sound | None = SOUND_OF.get(light)
        # That somebody else's call was received needs no sound at this button.
        others = light is Light.RECEIVED and not (seen.called or seen.word_received)
        if aloud and sound is not None and not others:
            out.sounds[sound] = None
