"""What people read: a template, facts and a language in; a title and a text out. Pure once the catalogues are read.

The words are the district's to edit, in `controller/locale/<language>/LC_MESSAGES/cuadra.po` (gettext, read as they are).
Every text is written in the GSM 03.38 alphabet, and in at most one SMS of 160 septets, whatever a block is called: the
names are shortened, the rest is not. Only an address is never cut; with a very long one, `taken_you` takes a second SMS.

A silent incident has one word for every kind, and templates of its own wherever an open text would speak of an alarm.
"""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from babel.messages import Catalog, pofile
from msgspec import Struct
from msgspec.structs import replace

from controller.errors import BadConfig
from controller.gsm7 import SINGLE_SEPTETS_MAX, septets, to_gsm7
from controller.rules.mending.fault_kinds import flapping_of

LOCALE: Final = Path(__file__).parent / "locale"
LANGUAGES: Final = ("es", "en", "quy")
FALLBACK: Final = "es"
REVIEWED: Final = frozenset({"quy"})
"""Languages whose catalogue must name the speaker who reviewed it (`Last-Translator`), before anybody is sent it."""
NOBODY: Final = "FULL NAME <EMAIL@ADDRESS>"
"""What gettext's tools write where no translator is named."""

TEMPLATES: Final[dict[str, tuple[str, ...]]] = {
    # The incident, to those who may go. All of these need kind, code, block_name, meeting_point and the times.
    "alarm": ("kind", "block", "meeting", "time", "code", "advice"),
    "late": ("kind", "block", "meeting", "between", "code"),
    # Several of them in a storm: each code with its block.
    "summary": ("list",),
    "summary_zone": ("list",),
    "repeat": ("kind", "block", "meeting", "time", "code"),
    "raised": ("kind", "block", "meeting", "time", "code", "advice"),
    "look": ("kind", "block", "meeting", "code"),
    # To the whole zone, for the kinds that call it: nobody is asked to come.
    "everybody": ("kind", "block", "meeting", "time"),
    # What became of it; `who` is a call sign, `block` for the block itself.
    "taken": ("kind", "block", "code", "who"),
    "on_scene": ("kind", "block", "code", "who"),
    "gave_up": ("kind", "block", "code", "who"),
    "says_false": ("kind", "block", "code", "who"),
    "armed": ("block", "code", "who"),
    "help": ("block", "meeting", "code", "who"),
    "came": ("kind", "block", "code"),
    "cancelled": ("kind", "block", "code"),
    "says_mistake": ("kind", "block", "code"),
    "reopened": ("kind", "block", "meeting", "code", "advice"),
    "closed": ("kind", "block", "code", "outcome"),
    # `code2`: the code under which it went until now.
    "merged": ("kind", "block", "code", "code2"),
    "hand_over": ("kind", "block", "meeting", "code", "who"),
    "handed_over": ("kind", "code", "who"),
    "not_handed_over": ("kind", "code", "who"),
    # Questions to whoever has taken it.
    "asked": ("kind", "block", "code"),
    "how_is_it": ("kind", "block", "code"),
    "unanswered": ("block", "meeting", "code", "who"),
    "alone": ("code", "meeting"),
    # How it stands with the police. That they know is said only when a named person there has accepted.
    "police_know": ("code", "who"),
    "police_not_reached": ("code", "number"),
    # Answers to what somebody wrote. `taken_you` alone bears the address.
    "taken_you": ("kind", "block", "meeting", "code", "address"),
    "on_scene_you": ("code",),
    "cannot_you": ("code",),
    "false_you": ("code",),
    "armed_you": ("code",),
    "help_you": ("code",),
    "closed_you": ("code",),
    "which_one": ("codes",),
    "which_late": ("codes",),
    "already_closed": ("code",),
    "nothing_open": (),
    "not_understood": (),
    # To an address of nobody, or of several members: nothing of any incident.
    "stranger": (),
    "shared": (),
    # The police's people (their machines get the event).
    "police": ("kind", "block", "meeting", "time", "code"),
    # Another zone asks for help beside this block.
    "aid": ("kind", "block", "subject"),
    # A test press, to whoever looks after the nodes.
    "test": ("kind", "block", "subject", "time"),
    # The daily trial, from a node to one phone; nobody is to answer it.
    "canary": ("block", "subject", "time"),
    # To a coordinator who asked for an exercise.
    "drill_confirm_you": ("block", "time", "code"),
    "drill_planned_you": ("block", "time"),
    "drill_over_you": ("block",),
    # The walk from button to button: to whoever should do it, and to who does it. `code` is what to write, the block's id.
    "walk_due": ("block", "codes", "code"),
    "walk_due_secret": ("block",),
    # The day before a siren's minute, to the block's representative.
    "siren_due": ("block", "time"),
    "walk_done_you": ("block",),
    "walk_left_you": ("block", "codes"),
    # What is not protected now, to whoever may know. `list`: each block with since when; `count`: how many, of how many.
    "coverage_well_you": ("count",),
    "coverage_one_you": ("block", "time", "why"),
    "coverage_you": ("count", "list"),
    # To a technician at a node.
    "test_mode_you": ("subject",),
    "test_mode_over_you": ("subject",),
    "siren_test_you": ("subject",),
    "order_refused_you": ("subject",),
    "test_mode_often_you": ("subject",),
    "node_away_you": ("subject",),
    # What needs mending.
    "fault": ("fault", "subject", "time"),
    "roster_gap": ("fault", "subject", "between"),
    "fault_reminder": ("fault", "subject", "time"),
    "fault_ended": ("fault", "subject"),
    "outage": ("count", "block", "time"),
}
"""Each template and the words that its wording may use; the catalogues are checked against it."""
SILENT: Final = ("alarm", "late", "repeat", "raised", "look", "police", "cancelled", "reopened", "police_know", "police_not_reached", "unanswered")
"""Templates with a second wording, `<name>.silent`, that no bystander who reads it over a shoulder understands."""
NAMED: Final = ("block", "meeting")
"""What is shortened to make a text fit."""
NO_ALARM: Final = frozenset({"coverage_well_you", "coverage_one_you", "coverage_you"})
"""Templates whose title speaks of none."""
ADDRESSED: Final = frozenset({"taken_you"})
"""The templates that bear the exact address."""

LISTED: Final = "; "
CALLS_MAX: Final = 6
"""So many codes, with their blocks, fit a summary."""
CODES_MAX: Final = 12
"""So many codes fit a question."""
_SHORTEST: Final = 6
_UNWRITTEN: Final = re.compile(r"[\x00-\x1f\x7f]+")


class TextFacts(Struct, frozen=True):
    """What a text may be made of; a template needs only what its row in `TEMPLATES` says.

    Times are UTC ms and are written in `timezone`; made_at_ms: when the text is composed (a time of another day bears its
    date). who: a call sign. others: codes to choose from. address: set only for who has taken it. outcome: as recorded.
    number: of the police, for people to call. fault: the fault's code. count: of blocks. subject: as recorded, e.g. `node/b12n1`.
    """

    kind: str = ""
    silent: bool = False
    drill: bool = False
    late: bool = False
    code: str = ""
    block_name: str = ""
    meeting_point: str = ""
    pressed_from_at_ms: int = 0
    pressed_to_at_ms: int = 0
    made_at_ms: int = 0
    timezone: str = "America/Lima"
    who: str = ""
    others: tuple[str, ...] = ()
    code2: str = ""
    calls: tuple[tuple[str, str], ...] = ()
    address: str = ""
    outcome: str = ""
    fault: str = ""
    subject: str = ""
    number: str = ""
    count: str = ""
    # Blocks' names, and since when they are not protected; and why one is not, as on record.
    unprotected: tuple[tuple[str, int], ...] = ()
    why: str = ""


class Composed(Struct, frozen=True):
    """A text for people. title: for channels that have one; says no more than the text does."""

    title: str
    text: str


def compose(template: str, facts: TextFacts, language: str, *, spare: int = 0) -> Composed:
    """The text of `template` (a key of `TEMPLATES`) in `language`; in Spanish where nobody can be sent that (`sent_in`).

    spare: septets that are left free for what the channel puts before it.

    Raises KeyError for a template that is none.
    """
    words = catalogue(sent_in(language))
    needed = TEMPLATES[template]
    wording = words[f"{template}.silent" if facts.silent and template in SILENT else template]
    values = {name: _plain(_VALUES[name](facts, words)) for name in needed}
    mark = words["drill"] if facts.drill else ""
    if template in ADDRESSED and not facts.address:
        wording = words[f"{template}.unaddressed"]
    no_alarm = facts.silent or template in NO_ALARM
    named = "title.test" if template == "canary" else "title.silent" if no_alarm else "title.fault" if facts.fault else "title"
    title = _plain(words[named])
    if facts.drill:
        title = f"{_plain(mark)} {title}"
    wording = to_gsm7(mark + wording)
    if "list" in needed:
        calls = [(_moment(at_ms, facts), block) for block, at_ms in facts.unprotected] or facts.calls
        values["list"] = _list(calls, SINGLE_SEPTETS_MAX - spare - _length(wording.format_map(values)))
    return Composed(title, _fitted(wording, values, SINGLE_SEPTETS_MAX - spare))


def sent_in(language: str) -> str:
    """In which language somebody with this one is written to: Spanish where there is no catalogue, or one that no speaker has reviewed.

    Raises BadConfig when the catalogue cannot be read.
    """
    if language not in LANGUAGES or (language in REVIEWED and not reviewer(language)):
        return FALLBACK
    return language


def reviewer(language: str) -> str:
    """The speaker who reviewed this catalogue, as its header says; empty: nobody has."""
    name = _read(language).last_translator
    return "" if name == NOBODY else name


@cache
def catalogue(language: str) -> dict[str, str]:
    """All wordings of a language, by their msgid.

    Raises BadConfig when the catalogue is missing or cannot be read.
    """
    return {str(message.id): str(message.string) for message in _read(language) if message.id and message.string}


@cache
def _read(language: str) -> Catalog:
    path = LOCALE / language / "LC_MESSAGES" / "cuadra.po"
    try:
        with path.open("rb") as file:
            return pofile.read_po(file, abort_invalid=True)
    except (OSError, pofile.PoFileError, UnicodeDecodeError) as fault:
        raise BadConfig([f"{path}: cannot be read as a gettext catalogue ({fault}); restore it from the installation"]) from fault


def _fitted(wording: str, values: dict[str, str], septets_max: int) -> str:
    """The wording with its values, the names cut so far that it fits."""
    text = wording.format_map(values)
    over = _length(text) - septets_max
    if over <= 0:
        return text
    names = {name: values[name] for name in NAMED if name in values}
    room = sum(_length(value) for value in names.values()) - over
    shares = _shares({name: _length(value) for name, value in names.items()}, room)
    return wording.format_map(values | {name: shortened(value, shares[name]) for name, value in names.items()}).replace("..", ".")


def _list(calls: Sequence[tuple[str, str]], room: int) -> str:
    """Each code with as much of its block's name as all of them leave it."""
    named = [(code, _plain(block)) for code, block in calls[:CALLS_MAX]]
    fixed = sum(len(code) + 1 for code, _ in named) + len(LISTED) * (len(named) - 1)
    shares = _shares({str(n): _length(name) for n, (_, name) in enumerate(named)}, room - fixed, shortest=1)
    return LISTED.join(f"{code} {shortened(name, shares[str(n)])}" for n, (code, name) in enumerate(named))


def _shares(lengths: dict[str, int], room: int, shortest: int = _SHORTEST) -> dict[str, int]:
    """How much each name gets of `room`: a short one all it needs, the long ones the rest in equal parts."""
    shares: dict[str, int] = {}
    left = room
    for n, (name, length) in enumerate(sorted(lengths.items(), key=lambda item: item[1])):
        shares[name] = max(shortest, min(length, left // (len(lengths) - n)))
        left -= shares[name]
    return shares


def shortened(name: str, room: int) -> str:
    """A name (in GSM 03.38) in at most `room` septets: whole words first, the last one cut with a full stop."""
    if _length(name) <= room:
        return name
    kept = name
    while _length(kept) > room - 1:
        kept = kept[:-1]
    at_word = kept.rstrip(" ,.;:-/(")
    if len(kept) < len(name) and name[len(kept)] != " ":
        head, _, tail = at_word.rpartition(" ")
        # A stump of one or two letters says nothing; a longer one is still understood.
        if head and len(tail) < 3:
            at_word = head.rstrip(" ,.;:-/(")
    return at_word + "."


def _length(text: str) -> int:
    return septets(text) or len(text)


@lru_cache(maxsize=20_000)
def _plain(value: str) -> str:
    return to_gsm7(_UNWRITTEN.sub(" ", value).strip())


def _kind(facts: TextFacts, words: dict[str, str]) -> str:
    if facts.silent:
        return words["kind.silent"]
    return words.get(f"kind.{facts.kind}") or words["kind.other"]


def _advice(facts: TextFacts, words: dict[str, str]) -> str:
    """What to do and what not, for this kind."""
    return words.get(f"advice.{facts.kind}") or words["advice.other"]


def _time(facts: TextFacts, words: dict[str, str]) -> str:
    began, ended = facts.pressed_from_at_ms, facts.pressed_to_at_ms
    if began // 60_000 == ended // 60_000 or ended - began <= 5_000:
        return _moment(ended or facts.made_at_ms, facts)
    return _between(facts, words)


def _between(facts: TextFacts, words: dict[str, str]) -> str:
    began, ended = _moment(facts.pressed_from_at_ms, facts), _moment(facts.pressed_to_at_ms, facts)
    return words["between"].format(began=began, ended=ended) if began != ended else ended


def _moment(at_ms: int, facts: TextFacts) -> str:
    zone = _zone(facts.timezone)
    at = datetime.fromtimestamp(at_ms / 1000, zone)
    today = datetime.fromtimestamp((facts.made_at_ms or at_ms) / 1000, zone).date()
    return f"{at:%H:%M}" if at.date() == today else f"{at:%d/%m %H:%M}"


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _subject(facts: TextFacts, words: dict[str, str]) -> str:
    sort, _, which = facts.subject.partition("/")
    which = words.get(f"role.{which}", which) if sort == "roster" else which
    return f"{words.get(f'subject.{sort}', sort)} {which}".strip()


def _fault(facts: TextFacts, words: dict[str, str]) -> str:
    """What is wrong, and with which part of a node where its code names one: `stuck:b1`."""
    flapping = flapping_of(facts.fault)
    code, _, part = (flapping or facts.fault).partition(":")
    sort = facts.subject.partition("/")[0]
    name = words.get(f"fault.{sort}.{code}") or words.get(f"fault.{code}") or code
    if part:
        name = f"{name} ({part})"
    return f"{words['fault.flapping']}: {name}" if flapping else name


def _why(facts: TextFacts, words: dict[str, str]) -> str:
    """Why a block is not protected: a reason of its own, a node's fault, or what concerns the whole zone (`modem/sim1:hung`)."""
    subject, _, code = facts.why.rpartition(":")
    named = words.get(f"unprotected.{code}") or _fault(replace(facts, fault=code, subject=subject or "node/"), words)
    return f"{_subject(replace(facts, subject=subject), words)} {named}" if subject else named


_VALUES: Final[dict[str, Callable[[TextFacts, dict[str, str]], str]]] = {
    "kind": _kind,
    "advice": _advice,
    "time": _time,
    "between": _between,
    "subject": _subject,
    "block": lambda facts, _: facts.block_name,
    "meeting": lambda facts, _: facts.meeting_point,
    "code": lambda facts, _: facts.code,
    "list": lambda _facts, _words: "",
    "code2": lambda facts, _: facts.code2,
    "codes": lambda facts, _: " ".join(facts.others[:CODES_MAX]),
    "who": lambda facts, words: words["who.block"] if facts.who in ("", "block") else facts.who,
    "address": lambda facts, _: facts.address,
    "outcome": lambda facts, words: words.get(f"outcome.{facts.outcome}") or words["outcome.unknown"],
    "fault": _fault,
    "number": lambda facts, _: facts.number,
    "count": lambda facts, _: facts.count,
    "why": _why,
}
