"""The order of effects, which is a promise: whatever the core decides first, the siren stands first."""

from node_firmware.effects import NodeEffect, Play, Sound


class InOrder:
    """One answer: siren; presses, each kept, then published; what hands hear and see; what can wait."""

    def __init__(self) -> None:
        self.siren: list[NodeEffect] = []
        self.presses: list[NodeEffect] = []
        self.sounds: dict[Sound, None] = {}
        self.lights: list[NodeEffect] = []
        self.rest: list[NodeEffect] = []

    def effects(self) -> list[NodeEffect]:
        """All of them, in the promised order."""
        return [*self.siren, *self.presses, *(Play(sound) for sound in self.sounds), *self.lights, *self.rest]
