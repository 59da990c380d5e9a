"""The one place for what is personal: names, phone numbers, addresses, channel URLs, free texts.

Everything else holds references. A value is encrypted (AES-256-GCM) under a key that is kept in a file outside the
database, bound to its row's zone, id, person and kind, so that a copy of the database alone tells nothing and no value can
be put in another's place. A phone number is found again by a keyed hash of its one form. No value stands in a log, an
exception or a repr.
"""

import base64
import hashlib
import hmac
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from controller.errors import BadConfig
from controller.records import database, phones
from controller.records.tables import PRIVATE
from controller.registry import PrivateRef

PHONE_KINDS: Final = frozenset({"sms", "call"})
"""Kinds whose values are telephone numbers and share one lookup."""

_NEVER_LOOKED_UP: Final = frozenset({"name", "address", "text"})
_AT_ONCE: Final = 1000
_KEY_BYTES: Final = 32
_SALT_BYTES: Final = 16
_NONCE_BYTES: Final = 12
_MARK_BYTES: Final = 16
_FORMAT: Final = b"\x01"


class Found(NamedTuple):
    """Whose a value is. person: a member's id, or empty for somebody nobody knows."""

    ref: PrivateRef
    person: str


class Private:
    """The private values of one zone."""

    def __init__(self, engine: Engine, zone: str, key: bytes, country: str = phones.PERU) -> None:
        self._engine = engine
        self._vault = _Vault(zone, key, country)

    @classmethod
    def open(cls, engine: Engine, zone: str, key_file: Path, country: str = phones.PERU) -> "Private":
        """The private values under the key in `key_file`, which is made at first use (mode 0600, synced).

        country: the calling code of phone numbers written without one.
        Raises BadConfig when the file cannot be used, or is absent although there are values that only it could open.
        """
        if not key_file.exists():
            with database.trouble(engine), engine.connect() as connection:
                count = connection.execute(select(func.count()).select_from(PRIVATE)).scalar_one()
            if count:
                raise BadConfig([
                    f"{key_file}: no such file, and database {database.name_of(engine)} holds {count} private values that "
                    "only its key can open; restore it from a copy, or correct its path"
                ])
        return cls(engine, zone, key_at(key_file), country)

    def get(self, ref: PrivateRef) -> str | None:
        """The value; None when it is not there (any more).

        Raises BadConfig when the key is another one; Unavailable.
        """
        return self.get_many([ref]).get(ref)

    def get_many(self, refs: Collection[PrivateRef]) -> dict[PrivateRef, str]:
        """The values that are there, by their references. Raises as `get` does."""
        with database.trouble(self._engine), self._engine.connect() as connection:
            return self.within(connection).get_many(refs)

    def find(self, kind: str, value: str) -> tuple[Found, ...]:
        """Whose `value` of `kind` (a channel's name) it is, in the order of persons; several may share a phone.

        Raises Unavailable.
        """
        with database.trouble(self._engine), self._engine.connect() as connection:
            return self.within(connection).find(kind, value)

    def put(self, person: str, kind: str, value: str) -> PrivateRef:
        """Keep `value`, durably, and return its reference. Raises Unavailable."""
        with database.writing(self._engine) as connection:
            return self.within(connection).put(person, kind, value)

    def put_text(self, person: str, text: str) -> tuple[PrivateRef, str]:
        """Keep a free text; its reference, and the salted digest that the journal may hold. Raises Unavailable.

        The digest is SHA-256 over 16 random bytes, which are kept with the text and nowhere else, and the text.
        """
        salt = os.urandom(_SALT_BYTES)
        with database.writing(self._engine) as connection:
            return self.within(connection).put(person, "text", text, salt), _text_digest(salt, text)

    def mark(self, *parts: str) -> str:
        """What the journal may hold to know the very same thing again (32 hex digits): without the key it tells nothing of the parts."""
        return self._vault.mark(parts)

    def text_is(self, ref: PrivateRef, digest: str) -> bool:
        """Whether the text under `ref` is the one of which the journal holds `digest`. Raises as `get` does."""
        with database.trouble(self._engine), self._engine.connect() as connection:
            found = self.within(connection).open_many([ref]).get(ref)
        return found is not None and hmac.compare_digest(_text_digest(*found), digest)

    def within(self, connection: Connection) -> "Session":
        """Several values in the caller's own transaction."""
        return Session(self._vault, connection)


class Session:
    """Values read and written in one transaction. Its faults pass as SQLAlchemy raises them, to the transaction's owner."""

    def __init__(self, vault: "_Vault", connection: Connection) -> None:
        self._vault = vault
        self._connection = connection

    def put(self, person: str, kind: str, value: str, salt: bytes = b"") -> PrivateRef:
        """Keep a new value."""
        ref = "p-" + base64.b32encode(os.urandom(16)).decode().rstrip("=").lower()
        self._connection.execute(insert(PRIVATE).values(
            zone=self._vault.zone, id=ref, person=person, kind=kind, **self._vault.seal(ref, person, kind, value, salt),
        ))
        return ref

    def replace(self, ref: PrivateRef, person: str, kind: str, value: str) -> None:
        """Put another value under the same reference."""
        self._connection.execute(
            update(PRIVATE).where(PRIVATE.c.zone == self._vault.zone, PRIVATE.c.id == ref)
            .values(person=person, kind=kind, **self._vault.seal(ref, person, kind, value, b""))
        )

    def remove(self, refs: Collection[PrivateRef]) -> None:
        """Forget values."""
        for part in _parts(refs):
            self._connection.execute(delete(PRIVATE).where(PRIVATE.c.zone == self._vault.zone, PRIVATE.c.id.in_(part)))

    def find(self, kind: str, value: str) -> tuple[Found, ...]:
        """Whose value it is."""
        rows = self._connection.execute(select(PRIVATE.c.id, PRIVATE.c.person).where(
            PRIVATE.c.zone == self._vault.zone, PRIVATE.c.lookup_hmac == self._vault.lookup(kind, value)))
        return tuple(sorted((Found(ref, person) for ref, person in rows), key=lambda found: (found.person, found.ref)))

    def get_many(self, refs: Collection[PrivateRef]) -> dict[PrivateRef, str]:
        """The values that are there."""
        return {ref: value for ref, (_, value) in self.open_many(refs).items()}

    def open_many(self, refs: Collection[PrivateRef]) -> dict[PrivateRef, tuple[bytes, str]]:
        """The values that are there, each with its salt."""
        opened = {}
        for part in _parts(refs):
            query = select(PRIVATE.c.id, PRIVATE.c.person, PRIVATE.c.kind, PRIVATE.c.ciphertext).where(
                PRIVATE.c.zone == self._vault.zone, PRIVATE.c.id.in_(part))
            for ref, person, kind, ciphertext in self._connection.execute(query):
                opened[ref] = self._vault.open(ref, person, kind, ciphertext)
        return opened


class _Vault:
    """The keys of a zone's private values."""

    def __init__(self, zone: str, key: bytes, country: str) -> None:
        self.zone = zone
        self._country = country
        self._cipher = AESGCM(_derive(key, b"cuadra-private-1"))
        self._lookup_key = _derive(key, b"cuadra-lookup-1")
        self._mark_key = _derive(key, b"cuadra-mark-1")

    def seal(self, ref: str, person: str, kind: str, value: str, salt: bytes) -> dict[str, bytes | None]:
        """The columns that keep a value."""
        nonce = os.urandom(_NONCE_BYTES)
        plain = (salt or os.urandom(_SALT_BYTES)) + value.encode()
        ciphertext = _FORMAT + nonce + self._cipher.encrypt(nonce, plain, self._bound(ref, person, kind))
        # Only what somebody can write from is looked up; names, homes and texts are not.
        return {"ciphertext": ciphertext, "lookup_hmac": None if kind in _NEVER_LOOKED_UP else self.lookup(kind, value)}

    def open(self, ref: str, person: str, kind: str, ciphertext: bytes) -> tuple[bytes, str]:
        """The salt and the value. Raises BadConfig when it is not as it was sealed."""
        nonce, sealed = ciphertext[1:1 + _NONCE_BYTES], ciphertext[1 + _NONCE_BYTES:]
        try:
            plain = self._cipher.decrypt(nonce, sealed, self._bound(ref, person, kind))
        except InvalidTag as fault:
            raise BadConfig([
                f"private value {ref}: the key file's key does not open it; expected the key it was written with, and the row "
                "as it was written; correct the key file's path, or restore the value"
            ]) from fault
        return plain[:_SALT_BYTES], plain[_SALT_BYTES:].decode()

    def lookup(self, kind: str, value: str) -> bytes:
        """What a value is found again by."""
        if kind in PHONE_KINDS:
            kind, value = "phone", phones.normalise(value, self._country) or value.strip()
        return hmac.digest(self._lookup_key, f"{kind}\x00{value}".encode(), "sha256")

    def mark(self, parts: tuple[str, ...]) -> str:
        """What these parts are known again by."""
        return hmac.digest(self._mark_key, "\x00".join((self.zone, *parts)).encode(), "sha256")[:_MARK_BYTES].hex()

    def _bound(self, ref: str, person: str, kind: str) -> bytes:
        return "\x00".join((self.zone, ref, person, kind)).encode()


def _parts(refs: Collection[PrivateRef]) -> Iterator[list[PrivateRef]]:
    wanted = list(refs)
    return (wanted[start:start + _AT_ONCE] for start in range(0, len(wanted), _AT_ONCE))


def key_at(path: Path) -> bytes:
    """The key kept at `path`, made there (mode 0600, synced) if there is none.

    Raises BadConfig when the file holds something else, others may read it, or it cannot be made.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read_key(path)
    except OSError as fault:
        raise BadConfig([f"{path}: cannot make the key file ({fault.strerror}); expected a folder this user may write"]) from fault
    key = os.urandom(_KEY_BYTES)
    with os.fdopen(descriptor, "w") as file:
        file.write(key.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return key


def _read_key(path: Path) -> bytes:
    try:
        mode = path.stat().st_mode & 0o777
        text = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as fault:
        raise BadConfig([f"{path}: cannot be read; run as the user who made it, or give it to this one by chown"]) from fault
    if mode & 0o077:
        raise BadConfig([f"{path}: mode {mode:o}; expected 600, since whoever reads it can read every private value; chmod 600 it"])
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise BadConfig([f"{path}: not a key for private values; expected 64 hex digits; restore it from a copy"])
    return key


def _derive(key: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), _KEY_BYTES, salt=None, info=info).derive(key)


def _text_digest(salt: bytes, text: str) -> str:
    return hashlib.sha256(salt + text.encode()).hexdigest()
