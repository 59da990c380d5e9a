"""Who said it: key pairs, the key two of them share, and the code on every message. (The design's section 5.)

A node and its gateway each hold an X25519 key pair, made where it is used and stored 0600; the registry holds the
public halves only, so that an export holds no secret. Their shared key is HKDF-SHA256 over X25519(own private, other's
public); each message bears the first 16 bytes of HMAC-SHA256 over direction, topic, age and payload. That costs 3 µs a
message where an Ed25519 check costs 147 µs, and it fits a radio frame.
"""

import hashlib
import hmac
from enum import Enum
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from controller import secret_file
from controller.errors import BadConfig, BadMessage

MAC_BYTES: Final = 16
_INFO: Final = b"cuadra-wire-1"


class Direction(Enum):
    """Which way a message goes: what a node said cannot be played back to it as the gateway's word."""

    UP = b"up"
    DOWN = b"down"


class PrivateKey:
    """This machine's own key pair."""

    def __init__(self, key: X25519PrivateKey) -> None:
        self._key = key
        self.public: str = key.public_key().public_bytes_raw().hex()
        """The public half, 64 hex digits: what goes into the registry or the node's file."""

    @classmethod
    def at(cls, path: Path) -> "PrivateKey":
        """The key kept at `path`, made there (mode 0600) if there is none: whole and synced, or not there at all.

        Raises BadConfig when the file holds something else or others may read it.
        """
        key = X25519PrivateKey.generate()
        try:
            if path.exists():
                return cls._read(path)
            secret_file.make(path, key.private_bytes_raw().hex())
        except FileExistsError:
            return cls._read(path)
        except OSError as fault:
            raise BadConfig([f"{path}: cannot make the key file ({fault.strerror}); expected a folder this user may write"]) from fault
        return cls(key)

    @classmethod
    def _read(cls, path: Path) -> "PrivateKey":
        try:
            mode = path.stat().st_mode & 0o777
            text = path.read_text().strip()
        except OSError as fault:
            raise BadConfig([f"{path}: cannot be read ({fault.strerror}); run as the user who made it, or give it to this one by chown"]) from fault
        if mode & 0o077:
            raise BadConfig([f"{path}: mode {mode:o}; expected 600, since whoever reads it can speak as this machine; chmod 600 it"])
        try:
            return cls(X25519PrivateKey.from_private_bytes(bytes.fromhex(text)))
        except ValueError as fault:
            raise BadConfig([f"{path}: not a private key; expected 64 hex digits; restore it, or remove it to make a new one"]) from fault

    def shared_with(self, public: str) -> "PairKey":
        """The key shared with the holder of `public` (64 hex digits).

        Raises BadConfig when `public` is no such key.
        """
        try:
            secret = self._key.exchange(X25519PublicKey.from_public_bytes(bytes.fromhex(public)))
        except ValueError as fault:
            raise BadConfig([f"public key {public[:80]!r}: not a key; expected 64 hex digits, as `cuadra key show` prints them"]) from fault
        return PairKey(HKDF(SHA256(), 32, salt=None, info=_INFO).derive(secret))

    def derive(self, purpose: bytes) -> bytes:
        """32 secret bytes of this machine's own for another purpose, the same each time; they tell nothing of the key."""
        return HKDF(SHA256(), 32, salt=None, info=purpose).derive(self._key.private_bytes_raw())


class PairKey:
    """What one node and one gateway share, and nobody else."""

    def __init__(self, key: bytes) -> None:
        self._start = hmac.new(key, digestmod=hashlib.sha256)

    def mac(self, direction: Direction, topic: str, age: str, payload: bytes) -> str:
        """The code that a message bears, in hex. age: the property as sent, in ms; empty when it is absent."""
        code = self._start.copy()
        # Each part is preceded by its length, so that no two messages run together to the same bytes.
        for part in (direction.value, topic.encode(), age.encode(), payload):
            code.update(len(part).to_bytes(4, "big"))
            code.update(part)
        return code.digest()[:MAC_BYTES].hex()

    def check(self, mac: str | None, direction: Direction, topic: str, age: str, payload: bytes) -> None:
        """Nothing, when the message is the other's own.

        Raises BadMessage when the code is absent or another's.
        """
        if mac is None:
            raise BadMessage(f"{topic}: no authentication; expected the user property `mac`")
        if not hmac.compare_digest(mac.encode(), self.mac(direction, topic, age, payload).encode()):
            raise BadMessage(f"{topic}: wrong authentication; the sender holds another key, or the message was altered")
