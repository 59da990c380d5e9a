"""A checkpoint: a few signed lines that pin a chain down to one entry, small enough to be printed, sent or read out.

Whoever keeps one can later show that the journal was rewritten or shortened. It is a signed note as transparency logs
use them (C2SP signed-note and tlog-checkpoint): text, an empty line, a signature line.

    cuadra/z3/open
    1042
    9x0cZQ...=
    at 1790000000000

    — cuadra/z3 2Qf3...=

The lines are: the origin (which chain), the number of its last entry, that entry's link in base64, the UTC milliseconds of
the signing. The signature is Ed25519 over the text with its last line break; before it stand four bytes that name the key,
the first of SHA-256 over name, line break, 0x01 and public key.

A checkpoint of the sealed chain shows how long that chain is, so only those may have it who may read the chain; the open
chain's hourly commitments hold the sealed one for everybody else.
"""

import base64
import binascii
import hashlib
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from controller.authentication import PrivateKey
from controller.entries import Chain
from controller.errors import BadMessage
from controller.records.journal import Head

_INFO: Final = b"cuadra-checkpoint-1"
_ED25519: Final = b"\x01"
_DASH: Final = "\u2014 "


class Checkpoint(NamedTuple):
    """What a note says."""

    zone: str
    chain: Chain
    head: Head
    at_ms: int


class Signer:
    """The gateway's Ed25519 key. It is derived from the gateway's own private key, so that one file holds both."""

    def __init__(self, key: PrivateKey, zone: str) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(key.derive(_INFO))
        self._zone = zone
        self.public: str = self._key.public_key().public_bytes_raw().hex()
        """64 hex digits: what `cuadra journal verify --key` takes."""

    def sign(self, chain: Chain, head: Head, at_ms: int) -> str:
        """The note for `head` of the zone's `chain`. at_ms: UTC."""
        text = f"cuadra/{self._zone}/{chain}\n{head.seq}\n{base64.b64encode(head.link).decode()}\nat {at_ms}\n"
        name = f"cuadra/{self._zone}"
        signature = _key_id(name, bytes.fromhex(self.public)) + self._key.sign(text.encode())
        return f"{text}\n{_DASH}{name} {base64.b64encode(signature).decode()}\n"


def read(note: str, public: str | None = None) -> Checkpoint:
    """What `note` says; with `public` (64 hex digits), only if that key signed it.

    Raises BadMessage when it is no checkpoint, or not signed by that key.
    """
    text, separator, signatures = note.replace("\r\n", "\n").partition("\n\n")
    text += "\n"
    lines = text.splitlines()
    try:
        prefix, zone, chain = lines[0].split("/")
        head = Head(int(lines[1]), base64.b64decode(lines[2], validate=True))
        at, at_ms = lines[3].split(" ")
        checkpoint = Checkpoint(zone, Chain(chain), head, int(at_ms))
    except (ValueError, IndexError) as fault:
        raise _not_one() from fault
    if not separator or prefix != "cuadra" or at != "at" or len(head.link) != hashlib.sha256().digest_size:
        raise _not_one()
    if public is not None:
        _check(text, signatures, f"cuadra/{zone}", public)
    return checkpoint


def _check(text: str, signatures: str, name: str, public: str) -> None:
    try:
        raw = bytes.fromhex(public)
        key = Ed25519PublicKey.from_public_bytes(raw)
    except ValueError as fault:
        raise BadMessage("checkpoint key: not a key; expected 64 hex digits, as `cuadra key show --checkpoint` prints them") from fault
    expected = _key_id(name, raw)
    for line in signatures.splitlines():
        if not line.startswith(f"{_DASH}{name} "):
            continue
        try:
            signed = base64.b64decode(line.rsplit(" ", 1)[1], validate=True)
        except binascii.Error:
            continue
        if signed[:4] != expected:
            continue
        try:
            key.verify(signed[4:], text.encode())
        except InvalidSignature as fault:
            raise BadMessage("checkpoint: its text does not fit its signature; it was altered; take it from who keeps it") from fault
        return
    raise BadMessage(f"checkpoint: not signed by this key of {name}; expected the gateway's signature; give the gateway's key or the right note")


def _key_id(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]


def _not_one() -> BadMessage:
    return BadMessage("checkpoint: not one; expected the lines that `cuadra journal checkpoint` prints, whole")
