"""The key shared with each node of the zone, derived once a node."""

import logging

from controller.authentication import PairKey, PrivateKey
from controller.errors import BadConfig
from controller.registry import Registry

logger = logging.getLogger(__name__)


class Keyring:
    """Pair keys by node. A node that is not in the registry has none."""

    def __init__(self, own: PrivateKey, registry: Registry) -> None:
        self._own = own
        self._registry = registry
        self._keys: dict[str, tuple[str, PairKey]] = {}

    def use(self, registry: Registry) -> None:
        """From now on nodes and their public keys are these."""
        self._registry = registry

    def of(self, node: str) -> PairKey | None:
        """The key shared with `node`; None when there is no such node, or the registry's key for it is none."""
        entry = self._registry.nodes.get(node)
        if entry is None:
            return None
        held = self._keys.get(node)
        if held is None or held[0] != entry.public_key:
            try:
                held = (entry.public_key, self._own.shared_with(entry.public_key))
            except BadConfig as fault:
                logger.error("node %s: %s", node, fault)
                return None
            self._keys[node] = held
        return held[1]
