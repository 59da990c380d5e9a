"""A night in a zone, in virtual time: blocks press, people answer, time passes, and nobody waits.

The shell is imitated as little as possible: notices are handed over at once unless their channel is told to fail, and every
entry is kept, so that a story can end by folding them again.
"""

import hashlib
import re
from collections.abc import Callable, Iterable
from datetime import time
from pathlib import Path
from typing import Any, TypeVar

from controller.entries import Body, Chain, FaultRaised, IncidentOpened, NoticeQueued, NoticesQueued
from controller.instants import Now
from controller.messages import (
    Beat,
    Canary,
    Done,
    Gesture,
    IncidentState,
    Online,
    Press,
    PressRef,
    SelfTest,
    SirenFound,
    Stream,
    Tally,
    digest_of,
    encode,
)
from controller.registry import Block, Contact, District, Input, Member, Node, PrivateRef, Registry, Role, Shift, Zone
from controller.rules.console.acts import Act, VerifyFirst, VerifyFirstEnd
from controller.rules.effects import Accepted, GiveReceipt, QueueNotice, Record, Refused, SendDown, SendOrder, StopNotice, ZoneEffect
from controller.rules.inputs import (
    Looked,
    MemberWrote,
    NodeBeat,
    NodeDone,
    NodeOnline,
    NoticeTried,
    OperatorDid,
    PressArrived,
    Started,
    Tried,
    Woken,
    ZoneInput,
)
from controller.rules.mending.fault_kinds import FAULT_KINDS, row
from controller.rules.policy import Policy
from controller.rules.zone import ZoneController
from controller.texts import TEMPLATES

DISTRICTS_POLICY = Path("config/villa-maria/policy.toml").read_text(encoding="utf-8")
"""As the example district has it."""
PATIENT = "accept_s = { dc09 = 3600, cap = 3600, webhook = 3600, sms = 3600 }"
WHOLE_POLICY = re.sub("^(heard_s|late_police_s) = .*\n", "", re.sub("(?m)^accept_s = .*$", PATIENT, DISTRICTS_POLICY), flags=re.MULTILINE)
"""The same, but that the police have an hour to accept and rings their whole time: most stories are about something else."""
POLICY = re.sub("^(canary|siren)_hour.*$", "", WHOLE_POLICY, flags=re.MULTILINE)
"""The same without the daily canary and the sirens' minutes, whose texts and entries would stand in every story of more than a night."""
AS_EVER = Policy.parse(POLICY)
UNHURRIED = Policy.parse(POLICY.replace("beat_s = 20", "beat_s = 600"))
"""For stories of days and weeks: nothing is looked at more often than each ten minutes."""
BEGAN_MS = 1_790_043_240_000  # 2026-09-21 21:14 in Lima
UP_MS = 5_000_000
"""What the steady clock shows then."""
WORN_IN_S = 10_000
"""For how long a node has been running when it is first heard of."""


FIRST_RING = {"rosa": "alarm", "juan": "alarm", "elva": "alarm", "desk": "police"}
"""Who hears of a panic in block b12 first."""

B = TypeVar("B", bound=Body)


def boot_of(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def ref_of(name: str, channel: str, place: int = 0) -> PrivateRef:
    """The private reference of a member's address."""
    return "p-" + hashlib.sha256(f"{name}{channel}{place or ''}".encode()).hexdigest()[:10]


def member(name: str, *roles: Role, channels: Iterable[str] = ("sms",), **more: Any) -> Member:  # noqa: ANN401 (fields of Member)
    ways = tuple(channels)
    contacts = tuple(Contact(channel, ref_of(name, channel, ways[:n].count(channel))) for n, channel in enumerate(ways))
    return Member(name, "z3", name.capitalize(), roles, contacts=contacts, **more)


def always(name: str, role: Role, *blocks: str) -> Shift:
    return Shift(f"s-{name}-{role.value}-{len(blocks)}", "z3", name, role, time(0), time(0), blocks=blocks)


MEMBERS = (
    member("rosa", Role.PATROL), member("juan", Role.PATROL), member("elva", Role.REPRESENTATIVE, channels=("apprise", "sms")),
    member("caro", Role.COORDINATOR), member("desk", Role.POLICE_DESK, channels=("dc09",)), member("tito", Role.TECHNICIAN),
    member("vera", Role.TRAINED_VIOLENCE), member("vilma", Role.TRAINED_VIOLENCE), member("ema", Role.TRAINED_EXTORTION),
)
SHIFTS = (
    always("rosa", Role.PATROL, "b12"), always("juan", Role.PATROL), always("elva", Role.REPRESENTATIVE, "b12"),
    always("caro", Role.COORDINATOR), always("vera", Role.TRAINED_VIOLENCE), always("vilma", Role.TRAINED_VIOLENCE),
    always("ema", Role.TRAINED_EXTORTION),
)
NODES = (("b12n1", "b12"), ("b12n2", "b12"), ("b13n1", "b13"))
INPUTS = (
    ("b12n1", "b1", "panic"), ("b12n1", "h1", "violence"), ("b12n1", "h2", "extortion"), ("b12n1", "m1", "medical"),
    ("b12n1", "t1", "test"), ("b12n1", "f1", "fire"), ("b12n2", "b1", "panic"), ("b12n2", "h1", "violence"), ("b13n1", "b1", "panic"),
)


def registry(
    rev: int = 7, *, members: Iterable[Member] = MEMBERS, shifts: Iterable[Shift] = SHIFTS, excludes: Iterable[str] = (),
    timezone: str = "America/Lima",
) -> Registry:
    blocks = {name: Block(name, "z3", f"Mz {name}", "cancha") for name in ("b12", "b13")}
    return Registry(
        rev, f"registry-{rev}", District("vmt", "Villa María del Triunfo", timezone), Zone("z3", "Zona 3", "vmt"), blocks,
        {name: Node(name, "z3", block, "0" * 64) for name, block in NODES},
        {(node, name): Input(node, name, kind, excludes=tuple(excludes) if kind == "violence" else ()) for node, name, kind in INPUTS},
        {one.id: one for one in members}, tuple(shifts),
    )


class Night:
    """One gateway's night. Every effect is carried out at once; `entries` is the journal."""

    def __init__(self, network: Registry | None = None, policy: Policy | None = None) -> None:
        self.registry = network or registry()
        self.policy = policy or AS_EVER
        self.zone = ZoneController("z3", self.registry, self.policy)
        self.passed_ms = 0
        self.entries: list[tuple[Chain, int, Body]] = []
        self.done: list[ZoneEffect] = []
        self.queued: dict[str, QueueNotice] = {}
        self.unread: dict[str, list[QueueNotice]] = {}
        self.lights: dict[str, IncidentState] = {}
        self.failing: Callable[[QueueNotice], NoticeTried | None] = lambda _: None
        self.checks: list[Callable[[Night], None]] = []
        self.beating: dict[str, str] = {}
        """Node -> the life in which it beats by itself while time passes."""
        self.test_answer: str | None = ""
        """What nodes find when they test themselves; None: they do not answer."""
        self.siren_answer = SirenFound.NOT_MEASURED
        """What their sensors see of the siren's current then."""
        self.tally_answer: Callable[[str, str], tuple[Stream, ...] | None] = self.streams
        """What a node in a life says it made; None: it does not answer."""
        self._born: dict[tuple[str, str], int] = {}
        """(node, life) -> when its uptime was 0, by what has passed."""
        self._seqs: dict[str, int] = {}
        self._texts: dict[str, int] = {}
        self.does(Started("1.0"))

    @property
    def now(self) -> Now:
        return Now(UP_MS + self.passed_ms, BEGAN_MS + self.passed_ms)

    def does(self, event: ZoneInput) -> list[ZoneEffect]:
        """Hand over one input, and carry out what comes of it."""
        effects = self.zone.handle(event, self.now)
        records = [effect for effect in effects if isinstance(effect, Record)]
        assert effects[:len(records)] == records, "records come first"
        self.entries += [(record.chain, self.now.utc_ms, record.body) for record in records]
        rest = effects[len(records):]
        self.done += rest
        for effect in rest:
            match effect:
                case QueueNotice(notice=notice):
                    self.queued[notice.id] = effect
                case StopNotice(notice=ident):
                    self.queued.pop(ident, None)
                case SendDown(node=node, message=IncidentState() as state):
                    self.lights[node] = state
                case _:
                    pass
        for _, _, body in self.entries[len(self.entries) - len(records):]:
            assert not isinstance(body, FaultRaised) or row(body.subject, body.code) in FAULT_KINDS, "every fault has its row"
        for effect in rest:
            assert not isinstance(effect, QueueNotice) or effect.notice.template in TEMPLATES
        for check in self.checks:
            check(self)
        for order in rest:
            if isinstance(order, SendOrder) and isinstance(order.order, SelfTest) and self.test_answer is not None:
                self.does(NodeDone(order.node, Done(order.boot, order.id, not self.test_answer, self.test_answer, siren=self.siren_answer)))
            elif isinstance(order, SendOrder) and isinstance(order.order, Tally):
                streams = self.tally_answer(order.node, self.beating.get(order.node, "1"))
                if streams is not None:
                    self.does(NodeDone(order.node, Done(order.boot, order.id, True, streams=streams)))
        return effects

    def streams(self, node: str, life: str) -> tuple[Stream, ...]:
        """What an honest node says of this life."""
        boots = boot_of(node + life), boot_of(node + life + "s")
        return tuple(Stream(boot, self._seqs.get(boot, 0), secret) for boot, secret in zip(boots, (False, True), strict=True))

    def sends(self) -> None:
        """Send what waits and is due, until nothing does."""
        while due := [one for one in self.queued.values() if one.due_at_ms <= self.now.utc_ms]:
            one = min(due, key=lambda effect: effect.notice.priority)
            del self.queued[one.notice.id]
            tried = self.failing(one) or NoticeTried(one.notice.id, one.attempt, Tried.SENT, ref="1")
            if tried.tried is Tried.SENT:
                self.unread.setdefault(one.notice.member, []).append(one)
            self.does(tried)

    def passes(self, s: float) -> None:
        """So much time passes; the rules are woken whenever they asked for it."""
        until = self.passed_ms + int(s * 1000)
        beat_ms = self.policy.times.beat_s * 1000
        while True:
            self.sends()
            retries = [one.due_at_ms - self.now.utc_ms + self.passed_ms for one in self.queued.values()]
            wake_at_ms = self.zone.wake_at_ms()
            beat_at = (self.passed_ms // beat_ms + 1) * beat_ms
            at = min([beat_at, *retries, *([wake_at_ms - UP_MS] if wake_at_ms is not None else [])])
            if at > until:
                break
            moved = max(at, self.passed_ms)
            # A rule that asks to be woken now, for ever, would hang the gateway.
            self._stood = self._stood + 1 if moved == self.passed_ms else 0
            assert self._stood < 100, "woken again and again at one moment"
            self.passed_ms = moved
            if moved == beat_at:
                for node, life in self.beating.items():
                    self.beats(node, life)
            self.does(Woken())
        self.passed_ms = until
        self.sends()

    _stood = 0

    # The block's side.

    def births(self, node: str, life: str = "1", *, settings_rev: int = 0, retained: bool = False, uptime_s: int = WORN_IN_S) -> None:
        """A life is heard of; with the first birth comes the first beat."""
        online = Online(boot_of(node + life), True, boot_of(node + life + "s"), "1.0", settings_rev=settings_rev)
        self.does(NodeOnline(node, online, retained))
        if not retained and (node, life) not in self._born:
            self._born[node, life] = self.passed_ms - uptime_s * 1000
            self.beats(node, life, uptime_s=uptime_s, settings_rev=self.zone.state.settings_rev)
        self.beating[node] = life

    def dies(self, node: str, life: str = "1") -> None:
        self.does(NodeOnline(node, Online(boot_of(node + life), False)))

    def beats(self, node: str, life: str = "1", **said: Any) -> None:  # noqa: ANN401 (fields of Beat)
        said.setdefault("incident_rev", self.lights[node].rev if node in self.lights else 0)
        said.setdefault("uptime_s", (self.passed_ms - self._born[node, life]) // 1000 if (node, life) in self._born else 60)
        self.does(NodeBeat(node, Beat(boot_of(node + life), **said)))

    def press(
        self, kind: str = "panic", node: str = "b12n1", *, gesture: Gesture = Gesture.HOLD, life: str = "1", age_s: float | None = 0,
        refers_to: PressRef | None = None, drill: bool = False, waited_s: int = 0, conflicts_with: str = "", seq: int = 0, name: str = "",
    ) -> Press:
        """A button is pressed and the press arrives."""
        silent = kind in {"violence", "extortion"}
        boot = boot_of(node + life + ("s" if silent else ""))
        if not seq:
            seq = self._seqs[boot] = self._seqs.get(boot, 0) + 1
        inputs = {each.kind: each.input for each in self.registry.inputs.values() if each.node == node}
        made = Press(boot, seq, name or inputs.get(kind, "b1"), kind, gesture, drill, refers_to)
        age_ms = None if age_s is None else int(age_s * 1000)
        self.does(PressArrived(node, made, digest_of(encode(made)), age_ms, waited_s * 1000, conflicts_with=conflicts_with))
        return made

    # The members' side.

    def replies(self, name: str, text: str, channel: str = "sms", *, ago_s: float | None = None) -> None:
        """A member writes, or what they wrote so long ago arrives."""
        self._texts[name] = self._texts.get(name, 0) + 1
        known = name if name in self.registry.members else None
        ref = f"p-{hashlib.sha256(name.encode()).hexdigest()[:10]}"
        written_at_ms = self.now.utc_ms - int(ago_s * 1000) if ago_s is not None else 0
        self.does(MemberWrote(channel, known, text, ref, None, hashlib.sha256(f"{name} {self._texts[name]}".encode()).hexdigest()[:32],
                              written_at_ms=written_at_ms))

    def acts(self, name: str, act: Act, incident: int = -1, channel: str = "console") -> str:
        """A member does something on the page of the how-manieth incident; why it is refused, empty when it is done."""
        about = self.bodies(IncidentOpened)[incident].incident if not isinstance(act, VerifyFirst | VerifyFirstEnd) else ""
        return self._answer(self.does(OperatorDid("c1", name, act, about, channel)))

    def looks(self, name: str, incident: str) -> str:
        """A member opens an incident's page; the same."""
        return self._answer(self.does(Looked("c1", name, incident)))

    def _answer(self, effects: list[ZoneEffect]) -> str:
        [answer] = [effect for effect in effects if isinstance(effect, Accepted | Refused)]
        return answer.code if isinstance(answer, Refused) else ""

    def reads(self, name: str) -> list[str]:
        """What came to a member since the last look: the templates, in order."""
        self.sends()
        return [one.notice.template for one in self.unread.pop(name, [])]

    def all_read(self) -> None:
        """Everybody has read what came to them."""
        self.passes(s=1)
        for name in list(self.unread):
            self.reads(name)

    def expects(self, **members: list[str] | str) -> None:
        """Exactly these members have something new, exactly this."""
        self.sends()
        found = {name: self.reads(name) for name in list(self.unread)}
        wanted = {name: [one] if isinstance(one, str) else one for name, one in members.items()}
        assert found == wanted

    def ends_quietly(self, s: float = 0) -> None:
        self.passes(s)
        self.expects()

    # What is so.

    @property
    def codes(self) -> list[str]:
        """The codes of all incidents so far, in order of opening."""
        return [body.code for _, _, body in self.entries if isinstance(body, IncidentOpened)]

    def bodies(self, sort: type[B], chain: Chain | None = None) -> list[B]:
        return [body for on, _, body in self.entries if isinstance(body, sort) and chain in (None, on)]

    def shown(self) -> dict[str, str]:
        """How far help is, at each node's buttons."""
        return {node: light.state.value for node, light in sorted(self.lights.items())}

    def notices(self) -> list[NoticeQueued]:
        """Every notice that was ever queued."""
        return [notice for body in self.bodies(NoticesQueued) for notice in body.notices]

    def orders(self) -> list[SendOrder]:
        """All but what is ordered each day by itself."""
        return [effect for effect in self.done if isinstance(effect, SendOrder) and not isinstance(effect.order, SelfTest | Tally | Canary)]

    def tests(self) -> list[str]:
        """The nodes that were told to test themselves, in order."""
        return [effect.node for effect in self.done if isinstance(effect, SendOrder) and isinstance(effect.order, SelfTest)]

    def receipts(self) -> list[GiveReceipt]:
        return [effect for effect in self.done if isinstance(effect, GiveReceipt)]

    def open_side(self) -> list[object]:
        """All that somebody outside every silent circle could see or count."""
        sealed = {notice.id for body in self.bodies(NoticesQueued, Chain.SEALED) for notice in body.notices}
        seen: list[object] = [entry for entry in self.entries if entry[0] is Chain.OPEN]
        for effect in self.done:
            if isinstance(effect, QueueNotice | StopNotice):
                ident = effect.notice if isinstance(effect, StopNotice) else effect.notice.id
                if ident not in sealed:
                    seen.append(effect)
            elif not isinstance(effect, GiveReceipt):
                seen.append(effect)
        return seen


def of(press: Press) -> PressRef:
    return PressRef(press.boot, press.seq)

