"""The example district's node keys: derived from a seed that everybody can read, so they protect nothing.

`config/villa-maria/nodes.csv` holds their public halves, so that the demo's nodes are believed by gateways that read the example
as it stands. A real node makes its own key (`cuadra key show`), and a real nodes.csv holds those.
"""

import hashlib
import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from controller.authentication import PrivateKey

SEED = "cuadra demo, not secret: "


def private_bytes(node: str) -> bytes:
    """The X25519 private key of the example's node: SHA-256 over the seed and its id."""
    return hashlib.sha256(f"{SEED}{node}".encode()).digest()


def private_key(node: str) -> PrivateKey:
    """The key pair of the example's node."""
    return PrivateKey(X25519PrivateKey.from_private_bytes(private_bytes(node)))


def write(node: str, path: Path) -> None:
    """Write the node's key file (mode 0600), as `PrivateKey.at` reads it."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(private_bytes(node).hex() + "\n")
