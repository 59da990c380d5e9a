"""What people write back, as people write: digits, words, capitals, accents, blanks, with or without the code."""

import re
import unicodedata
from enum import StrEnum
from typing import Final, NamedTuple

from controller.rules.codes import ALPHABET, CODE_LENGTH


class Word(StrEnum):
    """What a reply says."""

    GO = "go"                # 1: I am going
    ON_SCENE = "on-scene"    # 2: I am there
    FALSE = "false"          # 3: false alarm
    ARMED = "armed"          # 4: they are armed
    OVER = "over"            # 5: it is over
    HELP = "help"            # 9: help me
    CANNOT = "cannot"        # 0: I cannot
    UNKNOWN = "unknown"


class Reply(NamedTuple):
    """A reply, read. code: upper case, empty when none was written."""

    word: Word
    code: str


_WORDS: Final[dict[str, Word]] = {
    "1": Word.GO, "VOY": Word.GO, "YA VOY": Word.GO, "VOY YO": Word.GO, "YO VOY": Word.GO, "VOY PARA ALLA": Word.GO,
    "EN CAMINO": Word.GO, "GOING": Word.GO,
    "2": Word.ON_SCENE, "LLEGUE": Word.ON_SCENE, "YA LLEGUE": Word.ON_SCENE, "YA ESTOY AQUI": Word.ON_SCENE,
    "ESTOY AQUI": Word.ON_SCENE, "HERE": Word.ON_SCENE,
    "3": Word.FALSE, "FALSA": Word.FALSE, "FALSA ALARMA": Word.FALSE, "FALSE": Word.FALSE, "FALSE ALARM": Word.FALSE,
    "4": Word.ARMED, "ARMAS": Word.ARMED, "ARMADOS": Word.ARMED, "ARMED": Word.ARMED,
    "5": Word.OVER, "FIN": Word.OVER, "YA PASO": Word.OVER, "TERMINO": Word.OVER, "OVER": Word.OVER,
    "9": Word.HELP, "AUXILIO": Word.HELP, "AYUDA": Word.HELP, "HELP": Word.HELP,
    "0": Word.CANNOT, "NO PUEDO": Word.CANNOT, "NO PUEDO IR": Word.CANNOT, "NO VOY": Word.CANNOT, "NO": Word.CANNOT, "CANNOT": Word.CANNOT,
}
_ALONG: Final[dict[Word, frozenset[str]]] = {
    word: frozenset(token for phrase, its in _WORDS.items() if its is word for token in phrase.split())
    | frozenset(["YA", "OK", "GRACIAS", "TODO", "AHORA", "AHORITA"])
    for word in Word
}
_ALONG_GO: Final = frozenset(["SALGO", "SALIENDO", "ESTOY", "LLEGO", "EN", "MIN", "MINUTO", "MINUTOS", "VAMOS"])
"""What may stand behind a digit: it says the same again, or nothing. "3 hombres armados" is a count, and no false alarm."""
_DANGER: Final = frozenset({Word.ARMED, Word.HELP})
"""What is rather believed once too often than once too seldom: behind these digits anything may stand."""
_MINUTES: Final = re.compile(r"(?<= )[0-9]{1,2} (?=MIN)")
_CODE: Final = re.compile(f"^(?=.*[0-9])(?=.*[A-Z])[{ALPHABET}]{{{CODE_LENGTH}}}$")


def read(text: str) -> Reply:
    """What `text` says. Never fails: what nobody can read is UNKNOWN."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().upper()
    tokens = re.findall(r"[A-Z0-9]+", plain[:200])
    word = _WORDS.get(" ".join(tokens))
    if word is not None:
        return Reply(word, "")
    # A code may stand anywhere; what is left must be a word.
    for place, token in enumerate(tokens):
        if _CODE.match(token):
            word = _WORDS.get(" ".join(tokens[:place] + tokens[place + 1:]))
            if word is not None:
                return Reply(word, token)
    if len(tokens) > 1 and len(tokens[0]) == 1 and tokens[0] in _WORDS:
        code = next((token for token in tokens[1:] if _CODE.match(token)), "")
        word = _WORDS[tokens[0]]
        if word in _DANGER or _goes_along(word, [token for token in tokens[1:] if token != code]):
            return Reply(word, code)
    return Reply(Word.UNKNOWN, "")


def _goes_along(word: Word, tokens: list[str]) -> bool:
    """Whether what stands behind the digit of `word` can be read as no more than that word."""
    rest = _MINUTES.sub("", " " + " ".join(tokens)).split()
    return all(token in _ALONG[word] or (word is Word.GO and token in _ALONG_GO) for token in rest)
