"""What people write back, as people write: digits, words, capitals, accents, blanks, slips, with or without the code."""

import re
import unicodedata
from enum import StrEnum
from typing import Final, NamedTuple

from controller.rules.codes import ALPHABET, CODE_LENGTH
from controller.rules.replying import phrases


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
    """A reply, read. code: upper case, empty when none was written. noted: it says more than its word, in words of its own."""

    word: Word
    code: str
    noted: bool = False


def _same(token: str) -> str:
    """A word without the letters that people double: AUXILIOOO, LLEGUE and LEGUE. Digits stand as they are."""
    return re.sub(r"([A-Z])\1+", r"\1", token)


_DIGITS: Final = {"1": Word.GO, "2": Word.ON_SCENE, "3": Word.FALSE, "4": Word.ARMED, "5": Word.OVER, "9": Word.HELP, "0": Word.CANNOT}
_WORDS: Final[dict[str, Word]] = {
    **_DIGITS,
    **{_same(phrase): Word(word) for word, said in phrases.SAID.items() for phrase in said},
}
_NO: Final = frozenset(_same(word) for word in phrases.NO)
_ALONG: Final[dict[Word, frozenset[str]]] = {
    word: frozenset(token for phrase, its in _WORDS.items() if its is word for token in phrase.split() if word is Word.CANNOT or token not in _NO)
    | frozenset(_same(token) for token in phrases.FILLING)
    for word in Word
}
"""What may stand behind a digit: it says the same again, or nothing. "3 hombres" is a count, and no false alarm."""
_ALONG_GO: Final = frozenset(_same(token) for token in ("LLEGO", "EN", "MIN", "MINUTO", "MINUTOS"))
_DANGER: Final = frozenset({Word.ARMED, Word.HELP})
"""What is rather believed once too often than once too seldom: behind these digits anything may stand."""
_LEAST: Final = frozenset(_same(token) for token in phrases.FILLING)
_NAMING: Final = frozenset(_same(token) for token in phrases.NAMING)
_TOWARDS: Final = frozenset(_same(token) for token in phrases.TOWARDS)
_ARMS: Final = frozenset(_same(token) for token in phrases.ARMS)
_OURS: Final = frozenset(_same(token) for token in phrases.OURS)
_CRIES: Final = frozenset(_same(token) for token in phrases.CRIES)
_MINUTES: Final = re.compile(r"(?<= )[0-9]{1,2} (?=MIN)")
_SOON: Final = re.compile(r" EN (UNOS )?[0-9]{1,2}( MIN| MINS| MINUTO| MINUTOS)?$")
_BECAUSE: Final = re.compile("^NO (PUEDO|PODRE)( IR)? (ESTOY|TOY|PORQUE|XQ|PQ) ")
_CODE: Final = re.compile(f"^(?=.*[0-9])(?=.*[A-Z])[{ALPHABET}]{{{CODE_LENGTH}}}$")


def read(text: str) -> Reply:
    """What `text` says. Never fails: what nobody can read, and what is a question, is UNKNOWN."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().upper()
    written = _parted(re.findall(r"[A-Z0-9]+", plain[:200]))
    found, asked = _read(written), "?" in text or "¿" in text
    if asked and not (found.word is Word.HELP or (found.word is Word.ARMED and "4" in written)):
        return Reply(Word.UNKNOWN, "")
    if found.word is Word.UNKNOWN and _in_danger(written):
        code = next((token for token in written if _CODE.match(token)), "")
        return Reply(Word.HELP if _same(written[0]) in _CRIES else Word.ARMED, code, True)
    return found


def _read(written: list[str]) -> Reply:
    word = _said(written)
    if word is not None:
        return Reply(word, "")
    # A code may stand anywhere; what is left must be a word.
    for place, token in enumerate(written):
        if _CODE.match(token):
            word = _said(written[:place] + written[place + 1:])
            if word is not None:
                return Reply(word, token)
    tokens = [token if _CODE.match(token) else _same(token) for token in written]
    if len(tokens) > 1 and tokens[0] in _DIGITS:
        code = next((token for token in tokens[1:] if _CODE.match(token)), "")
        word, rest = _DIGITS[tokens[0]], [token for token in tokens[1:] if token != code]
        along = _goes_along(word, rest)
        if along or word in _DANGER:
            return Reply(word, code, not along)
        if code and code in tokens[:2] and not _NO.intersection(rest):
            # Digit and code are an answer beyond doubt: what follows is a note.
            return Reply(word, code, True)
    elif len(tokens) > 2 and _CODE.match(tokens[0]) and tokens[1] in _DIGITS and not _NO.intersection(tokens[2:]):
        return Reply(_DIGITS[tokens[1]], tokens[0], True)
    return Reply(Word.UNKNOWN, "")


def _parted(tokens: list[str]) -> list[str]:
    """`1K7F3` is a digit and a code."""
    if tokens and len(tokens[0]) == 1 + CODE_LENGTH and tokens[0][0] in _DIGITS and _CODE.match(tokens[0][1:]):
        return [tokens[0][0], tokens[0][1:], *tokens[1:]]
    return tokens


def _said(written: list[str]) -> Word | None:
    """The word that these are, whatever politeness stands around it."""
    tokens = _core([_same(token) for token in written])
    phrase = " ".join(tokens)
    if phrase in _WORDS:
        return _WORDS[phrase]
    if _BECAUSE.match(phrase + " "):
        return Word.CANNOT
    soon = _SOON.search(phrase)
    if soon is not None and (phrase[:soon.start()] == "LEGO" or _WORDS.get(phrase[:soon.start()]) is Word.GO):
        return Word.GO
    if len(tokens) > 1 and tokens[-1] in _DIGITS and _WORDS.get(" ".join(tokens[:-1])) is _DIGITS[tokens[-1]]:
        return _DIGITS[tokens[-1]]
    if len(tokens) > 1 and tokens[0] in _DIGITS and _WORDS.get(" ".join(tokens[1:])) is _DIGITS[tokens[0]]:
        return _DIGITS[tokens[0]]
    return None


def _core(tokens: list[str]) -> list[str]:
    """`tokens` with as little taken from both ends as makes them something that people say; else with all that says nothing taken."""
    first, last = 0, len(tokens)
    while first < last and tokens[first] in _LEAST | _NAMING and tokens[first:first + 2] != ["SI", "NO"]:
        first += 1
    while last > first and tokens[last - 1] in _LEAST | _TOWARDS:
        last -= 1
    cuts = ((begin, end) for begin in range(first + 1) for end in range(len(tokens), last - 1, -1))
    begin, end = next((cut for cut in cuts if " ".join(tokens[cut[0]:cut[1]]) in _WORDS), (first, last))
    return tokens[begin:end]


def _in_danger(written: list[str]) -> bool:
    """Whether it cries for help, or says in words of its own that they have weapons: not that somebody has none, nor one's own."""
    tokens = {_same(token) for token in written}
    if not written or _NO & tokens:
        return False
    return _same(written[0]) in _CRIES or (bool(_ARMS & tokens) and not _OURS & tokens)


def _goes_along(word: Word, tokens: list[str]) -> bool:
    """Whether what stands behind the digit of `word` can be read as no more than that word."""
    rest = _MINUTES.sub("", " " + " ".join(tokens)).split()
    return all(token in _ALONG[word] or (word is Word.GO and token in _ALONG_GO) for token in rest)
