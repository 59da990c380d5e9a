"""A machine's password for the zone's broker, made where it is used, and the line by which Mosquitto knows it.

Who said a message is proved by the message itself (`authentication.py`). The password is for the broker's access list: it
keeps whoever is no part of the zone from reading who pressed what, and each node from reading the others.
"""

import base64
import hashlib
import os
from pathlib import Path
from typing import Final

from controller import secret_file
from controller.errors import BadConfig

BYTES: Final = 16
SALT_BYTES: Final = 12
ROUNDS: Final = 101
"""Mosquitto's own number. More would slow down a zone's nodes when they all come back, and 128 random bits need no help."""


def password_at(path: Path) -> str:
    """The password kept at `path`, made there (mode 0600) if there is none: whole and synced, or not there at all.

    Raises BadConfig when the file is empty or cannot be read or made.
    """
    password = os.urandom(BYTES).hex()
    try:
        if path.exists():
            return _read(path)
        secret_file.make(path, password)
    except FileExistsError:
        return _read(path)
    except OSError as fault:
        raise BadConfig([f"{path}: cannot make the password file ({fault.strerror}); expected a folder this user may write"]) from fault
    return password


def mosquitto_line(user: str, password: str, salt: bytes) -> str:
    """What stands for this user in Mosquitto's password_file: PBKDF2 with SHA-512, its format 7; it does not tell the password."""
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ROUNDS)
    return f"{user}:$7${ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def _read(path: Path) -> str:
    try:
        password = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as fault:
        raise BadConfig([f"{path}: cannot be read ({fault}); run as the user who made it, or give it to this one by chown"]) from fault
    if not password:
        raise BadConfig([f"{path}: empty; expected a password; remove it to make a new one"])
    return password
