"""Ids and codes, each a function of what it names: decided again after a crash, they are the same."""

import base64
import hashlib
from collections.abc import Container
from typing import Final

ALPHABET: Final = "ACDEFHJKMNPRTWXY34679"
"""Letters and digits that nobody confuses when they are shouted or typed in the dark."""
CODE_LENGTH: Final = 4
REST_MS: Final = 30 * 86_400_000
"""A code rests for 30 days before it is used again, as the design's section 6 says."""


def incident_id(zone: str, node: str, boot: str, seq: int) -> str:
    """The id of the incident that this press opens: 10 base32 characters, never a counter, as the design's section 7 has it."""
    return _short(zone, node, boot, str(seq))


def fault_id(zone: str, subject: str, code: str, at_ms: int, *, secret: bool, before: int = 0) -> str:
    """The id of a fault raised at `at_ms`, at which it was raised `before` times already; each chain may have one of the same then."""
    return "f" + _short("secret-fault" if secret else "fault", zone, subject, code, str(at_ms), *([str(before)] if before else []))


def incident_code(incident: str, taken: Container[str], *, secret: bool) -> str:
    """Four characters that stand for the incident in texts; none of `taken`.

    Secret incidents have one half of all codes and the others the other half, so that no open code depends on a secret one.
    """
    attempt = 0
    while True:
        number = int.from_bytes(hashlib.sha256(f"code|{incident}|{attempt}".encode()).digest()[:8], "big")
        code = ""
        for _ in range(CODE_LENGTH):
            number, place = divmod(number, len(ALPHABET))
            code += ALPHABET[place]
        # A code holds a letter and a digit, so that neither a number nor a word that somebody writes is taken for one.
        if code not in taken and not code.isdigit() and not code.isalpha() and secret_half(code) is secret:
            return code
        attempt += 1


def secret_half(code: str) -> bool:
    """Whether a code is of the half that secret incidents have."""
    return sum(ALPHABET.index(character) for character in code) % 2 == 1


def _short(*parts: str) -> str:
    digest = hashlib.sha256("\x00".join(parts).encode()).digest()
    return base64.b32encode(digest[:10]).decode()[:10].lower()
