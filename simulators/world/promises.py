"""The checker: what was promised, held against what hands did, what blocks noticed, what people got, and what is on the disk.

It stands outside: it knows the town, the policy's file and the entries as they are written, and asks none of the rules. Each promise is
a small check at the moment at which it can be broken; what only the end can show is asked when the faults have stopped for long.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Final, NamedTuple

from controller import entries
from controller.entries import Chain
from controller.messages import Gesture, Kept, Press, PressRef, SirenOn, digest_of, encode
from controller.rules.effects import GiveReceipt, QueueNotice, SendOrder, ZoneEffect
from controller.rules.inputs import ZoneInput
from controller.rules.policy import Policy
from gateway.channels.channel import Telling
from node_firmware.effects import ForgetPress, KeepPress, Light, NodeEffect, Play, PublishPress, SetLight, SoundSiren
from node_firmware.inputs import NodeInput, OutboxOpened, Started
from simulators.world.gateway import GatewayHere
from simulators.world.leaping import Leaping
from simulators.world.node import NodeHere
from simulators.world.records import Entry
from simulators.world.town import Town

SILENT: Final = frozenset({"violence", "extortion"})
CALLS: Final = frozenset({Gesture.HOLD, Gesture.JABS, Gesture.AT_START, Gesture.REOPEN})
ORDERED: Final = frozenset({Gesture.CANARY, Gesture.DRILL})
"""No hand makes these: the gateway has them made."""
FINAL: Final = frozenset({"notified", "delivered", "heard", "failed", "stopped"})
PATIENCE_MS: Final = 2000
"""So long a decision may wait for the disk before people are told from memory."""
SLACK_MS: Final = 150
HAND_MS: Final = 15_000
"""A press comes at the latest so long after a finger was last at the button."""
OVERDUE_MS: Final = 30_000
WELL_FOR_MS: Final = 60_000
DATED_MS: Final = 61_000
"""What is dated may be wrong by so much: the rounding of the broker, a beat that came late."""
LATE_MS: Final = 600_000
UNSETTLED_MS: Final = 1_800_000
"""What was queued so shortly before the end may still be on its way."""
FAULT_TEXTS_AN_HOUR: Final = 100
"""More about what is broken than this, to one person in one hour, is a flood."""


class Broken(Exception):
    """A promise does not hold. promise: its number in the brief, or a word; at_ms: when it was seen."""

    def __init__(self, promise: str, words: str, at_ms: int) -> None:
        super().__init__(f"promise {promise}: {words}")
        self.promise, self.words, self.at_ms = promise, words, at_ms


class Made(NamedTuple):
    """A press that a node has made. at_ms: when, in the world's time."""

    node: str
    press: Press
    at_ms: int
    silent: bool
    digest: str

    def __str__(self) -> str:
        return f"{self.press.kind} at {self.node} {self.press.input} ({self.press.gesture.value}, {self.press.boot[:4]}/{self.press.seq})"


class Seen:
    """An incident, as the disk has it."""

    def __init__(self, chain: Chain, body: entries.IncidentOpened, at_ms: int) -> None:
        self.chain, self.body, self.at_ms = chain, body, at_ms
        self.kinds = {body.kind}
        self.state = "opened"
        self.ever_taken = False
        self.openings = 1
        self.due_at_ms: int | None = None
        self.firsts: Counter[str] = Counter()


class Witness:
    """Of one zone. story: what happened, in words, with its time."""

    def __init__(self, loop: Leaping, town: Town, policy: Policy, found: Callable[[Broken], None]) -> None:
        self.loop, self.town, self.policy, self.found = loop, town, policy, found
        self.story: list[tuple[int, str]] = []
        self.made: dict[tuple[str, str, int], Made] = {}
        self.recorded: dict[tuple[str, str, int], set[str]] = defaultdict(set)
        self.incidents: dict[str, Seen] = {}
        self.counts: Counter[str] = Counter()
        self.gateway: GatewayHere | None = None
        self.gateway_well_since_ms = 0
        self.clock_jumps_ms = 0
        self.utc_offset_ms = 0
        """What the gateway's wall shows when the world's time is 0, now."""
        self._gone: set[tuple[str, str, int]] = set()
        self._live: dict[tuple[str, str], dict[tuple[str, str, int], Made]] = defaultdict(dict)
        self._silent_boots: set[str] = set()
        self._touched: dict[tuple[str, str], int] = {}
        self._bad: set[str] = set()
        self._places: set[tuple[Chain, str, str, int]] = set()
        self._notices: dict[str, tuple[entries.NoticeQueued, int]] = {}
        self._settled: set[str] = set()
        self._decided: dict[str, int] = {}
        self._deliveries: Counter[str] = Counter()
        self._called: set[tuple[str, str]] = set()
        """(incident, member) whom something about it was to reach."""
        self._told: Counter[str] = Counter()
        """Incident -> what has arrived about it, also before it was on the disk."""
        self._fault_texts: Counter[tuple[str, int]] = Counter()
        self._kills = 0
        self._life_offset_ms = 0
        street = {role for name, kind in policy.kinds.items() if name not in SILENT for one in kind.steps for role in one.roles}
        self._street = street | set(policy.police.roles)
        self._menders = set(policy.faults_to.roles) | set(policy.faults_to.urgent_roles)

    def says(self, words: str) -> None:
        """Something that belongs into the story."""
        self.story.append((self.loop.now_ms, words))

    def breaks(self, promise: str, words: str) -> Broken:
        """That a promise is broken: the world ends with it, whoever else swallows it on its way."""
        broken = Broken(promise, words, self.loop.now_ms)
        self.found(broken)
        return broken

    # In the block.

    def touched(self, node: str, name: str) -> None:
        """A finger is, or was until now, at this button."""
        self._touched[node, name] = self.loop.now_ms

    def node_did(self, node: NodeHere, event: NodeInput, done: list[NodeEffect]) -> None:
        """Promises 1, 3, 4 and 10, as the block sees them."""
        if isinstance(event, Started):
            self._silent_boots.add(event.silent_boot)
        if not done:
            return
        sounded = False
        kept: set[PressRef] = set()
        for effect in done:
            match effect:
                case SoundSiren():
                    sounded = True
                case KeepPress(press=press):
                    kept.add(PressRef(press.boot, press.seq))
                    if (node.node, press.boot, press.seq) not in self.made:
                        self._press_made(node, press, done, sounded=sounded)
                case PublishPress(press=press) if press.boot in (node.boot, node.silent_boot):
                    if PressRef(press.boot, press.seq) not in kept and (node.node, press.boot, press.seq) not in self.made:
                        raise self.breaks("1", f"{node.node} has sent a press before it gave it to its disk")
                case ForgetPress(ref=ref):
                    self._forgotten(node, ref)
                case SetLight(input=name, light=light):
                    self._lit(node, name, light)
        if isinstance(event, Started | OutboxOpened):
            self.says(f"{node.node} starts" + (f", with {len(event.waiting)} presses on its card" if event.waiting else ""))

    def _press_made(self, node: NodeHere, press: Press, done: list[NodeEffect], *, sounded: bool) -> None:
        key = node.node, press.boot, press.seq
        silent = press.boot == node.silent_boot
        made = Made(node.node, press, self.loop.now_ms, silent, digest_of(encode(press)))
        self.made[key] = made
        self._live[node.node, press.input][key] = made
        self.counts["presses"] += 1
        self.says(f"{node.node} makes the press {made}")
        touched = self._touched.get((node.node, press.input), -HAND_MS) + HAND_MS >= self.loop.now_ms
        if press.kind != "tamper" and press.gesture not in ORDERED and not touched and press.input not in node.closed:
            raise self.breaks("no press without a hand", f"{made}, and no finger was at that button")
        if press.gesture not in ORDERED and press.kind != "tamper" and silent != (node.wiring[press.input].kind in SILENT):
            raise self.breaks("4", f"{made} counts in the wrong stream")
        calls = press.gesture in CALLS and not press.drill
        if calls and not silent and press.kind != "tamper" and not sounded and not node.siren:
            raise self.breaks("3", f"{made}, and its siren does not sound before anything is written or sent")
        if silent and (sounded or any(isinstance(effect, Play) for effect in done)):
            raise self.breaks("4", f"{made} is heard in the block")

    def _forgotten(self, node: NodeHere, ref: PressRef) -> None:
        key = node.node, ref.boot, ref.seq
        self._gone.add(key)
        made = self.made.get(key)
        if made is not None:
            self._live[node.node, made.press.input].pop(key, None)
            if made.digest not in self._bad and not self._on_record(made):
                raise self.breaks("1", f"{node.node} has forgotten {made}, which is not on the gateway's disk")

    def _lit(self, node: NodeHere, name: str, light: Light) -> None:
        if node.wiring[name].kind in SILENT and light is not Light.REST:
            raise self.breaks("4", f"the hidden button {name} of {node.node} shows {light.value}")
        if light is Light.SAVED:
            for key, made in self._live[node.node, name].items():
                if made.press.gesture in CALLS and PressRef(*key[1:]) not in node.card.presses:
                    raise self.breaks("1", f"the light at {node.node} {name} says saved, and {made} is not on its card")
        elif light in (Light.TAKEN, Light.THERE):
            block = self.town.block_of(node.node)
            if not any(one.ever_taken for one in self.incidents.values() if one.body.block == block and one.chain is Chain.OPEN):
                raise self.breaks("5", f"the light at {node.node} says {light.value}, and nobody has taken anything in {block}")
        if light is not Light.REST:
            self.says(f"the light at {node.node} {name}: {light.value}")

    def node_died(self, node: NodeHere) -> None:
        """What it had not on its card is allowed to be gone, if it had not said otherwise."""
        for key, made in list(self.made.items()):
            if made.node == node.node and key not in self._gone and PressRef(*key[1:]) not in node.card.presses and key[1] in (
                    node.boot, node.silent_boot):
                self._gone.add(key)
                self._live[node.node, made.press.input].pop(key, None)

    # At the gateway.

    def gateway_started(self, life: GatewayHere) -> None:
        """A new life."""
        self.gateway = life
        self.gateway_well_since_ms = self.loop.now_ms
        self._life_offset_ms = self.utc_offset_ms
        self._decided.clear()
        self.says("the gateway starts")

    def gateway_gone(self) -> None:
        """Killed."""
        self.gateway = None
        self._kills += 1

    def gateway_broke(self, _life: GatewayHere, fault: BaseException) -> None:
        """It may never end by itself."""
        raise self.breaks("the gateway lives", f"it ended by itself: {fault}")

    def gateway_took(self, _life: GatewayHere, _event: ZoneInput, effects: list[ZoneEffect]) -> None:
        """Note when notices were decided."""
        for effect in effects:
            if isinstance(effect, QueueNotice):
                self._decided.setdefault(effect.notice.id, self.loop.now_ms)

    def gateway_does(self, _life: GatewayHere, effect: ZoneEffect) -> None:
        """Promises 1, 4, 5 and 9, as what leaves the gateway shows."""
        match effect:
            case GiveReceipt(node=node, receipt=receipt):
                on_record = receipt.digest in self.recorded.get((node, receipt.boot or "", receipt.seq or 0), ())
                if not on_record and not (receipt.kept is Kept.UNREADABLE and receipt.digest in self._bad):
                    what = self._name(node, receipt.boot, receipt.seq)
                    raise self.breaks("1", f"{node} gets a receipt for {what}, which is not on the gateway's disk")
            case SendOrder(order=SirenOn(), id=ident, node=node):
                seen = self.incidents.get(ident.partition("-")[0])
                if seen is not None and (seen.chain is Chain.SEALED or seen.body.silent):
                    raise self.breaks("4", f"the siren of {node} is ordered for a silent incident")
                if seen is not None and (seen.body.late or seen.body.drill):
                    raise self.breaks("9", f"the siren of {node} is ordered for what was pressed long ago")
            case QueueNotice(notice=notice):
                decided_ms = self._decided.pop(notice.id, self.loop.now_ms)
                if self.loop.now_ms - decided_ms > PATIENCE_MS + SLACK_MS:
                    raise self.breaks("5", f"notice {notice.id} to {notice.member} has waited {self.loop.now_ms - decided_ms} ms for the disk")
            case _:
                pass

    def committed(self, batch: list[Entry]) -> None:
        """What is on the disk from now on."""
        for chain, at_ms, body in batch:
            self.counts["entries"] += 1
            self._hidden(chain, body)
            match body:
                case entries.PressRecorded():
                    self._press_recorded(chain, at_ms, body)
                case entries.IncidentOpened():
                    self._opened(chain, body)
                case entries.IncidentJoined():
                    self._joined(chain, body)
                case entries.IncidentMoved():
                    self._moved(body)
                case entries.StepSet() if body.incident in self.incidents:
                    self.incidents[body.incident].due_at_ms = body.due_at_ms
                case entries.NoticesQueued():
                    self._queued(body)
                case entries.NoticeMoved() if body.to in FINAL:
                    self._settled.add(body.notice)
                case entries.TallyGap():
                    self._gap(body)
                case entries.BadMessageKept():
                    self._bad.add(body.digest)
                case entries.FaultRaised():
                    self.says(f"a fault: {body.subject} {body.code}")
                case _:
                    pass

    def _hidden(self, chain: Chain, body: entries.Body) -> None:
        """Promise 4: no entry of the open chain names anything of the sealed one."""
        if chain is Chain.OPEN and getattr(body, "boot", "") in self._silent_boots:
            raise self.breaks("4", f"the open chain has an entry of a silent stream: {type(body).__name__}")
        seen = self.incidents.get(getattr(body, "incident", "")) if not isinstance(body, entries.IncidentOpened) else None
        if seen is not None and seen.chain is not chain and not isinstance(body, entries.OrderSent):
            raise self.breaks("4", f"{type(body).__name__} in the {chain.value} chain is about an incident of the {seen.chain.value} one")

    def _press_recorded(self, chain: Chain, at_ms: int, body: entries.PressRecorded) -> None:
        key = body.node, body.boot, body.seq
        made = self.made.get(key)
        if made is None:
            raise self.breaks("no incident without a press", f"the journal has {self._name(*key)}, which no node has made")
        forced = made.press.gesture is Gesture.FORCED_CANCEL
        if (body.digest in self.recorded[key] or (self.recorded[key] and not forced)) and not body.unchecked:
            raise self.breaks("2", f"{made} is on record twice")
        if body.digest != made.digest and not forced:
            raise self.breaks("2", f"{made} is on record with another body")
        self.recorded[key].add(body.digest)
        self.counts["recorded"] += 1
        self.says(f"on record: {made}: {body.meaning} {body.incident}")
        truth_ms = self.utc_offset_ms + made.at_ms
        slack_ms = DATED_MS + self.clock_jumps_ms
        if made.silent and body.pressed_from_at_ms != body.pressed_to_at_ms:
            # No beat says whether a silent press waits: one may have, for as long as its node lives.
            slack_ms += self.loop.now_ms - made.at_ms
        if not body.pressed_from_at_ms - slack_ms <= truth_ms <= body.pressed_to_at_ms + slack_ms:
            raise self.breaks("9", f"{made} was pressed {(truth_ms - body.pressed_to_at_ms) / 1000:.0f} s after the end of what the journal says")
        if at_ms - body.pressed_to_at_ms > LATE_MS and not body.late:
            raise self.breaks("9", f"{made} was pressed over ten minutes ago, and is not told as late")
        if chain is Chain.OPEN and made.silent:
            raise self.breaks("4", f"{made} is in the open chain")

    def _gap(self, body: entries.TallyGap) -> None:
        for run in body.missing.split():
            first, _, last = run.partition("-")
            for seq in range(int(first), int(last or first) + 1):
                made = self.made.get((body.node, body.boot, seq))
                if made is not None and (self._on_record(made) or (body.node, body.boot, seq) not in self._gone):
                    raise self.breaks("conservation", f"{made} is said to be lost, and is not")

    def _place(self, chain: Chain, body: entries.IncidentOpened | entries.IncidentJoined) -> Made:
        key = body.node, body.boot, body.seq
        made = self.made.get(key)
        if made is None:
            raise self.breaks("no incident without a press", f"{body.incident} is made of {self._name(*key)}, which no node has made")
        if (chain, *key) in self._places and not self.recorded[key] - {made.digest}:
            raise self.breaks("2", f"{made} counts twice")
        self._places.add((chain, *key))
        return made

    def _opened(self, chain: Chain, body: entries.IncidentOpened) -> None:
        if body.in_need:
            # A responder's call for help, which no button has made.
            self.incidents[body.incident] = Seen(chain, body, self.loop.now_ms)
            return
        made = self._place(chain, body)
        if (chain is Chain.SEALED) != (made.silent or (made.press.gesture is Gesture.FORCED_CANCEL)):
            raise self.breaks("4", f"the incident {body.incident} of {made} is in the {chain.value} chain")
        self.incidents[body.incident] = Seen(chain, body, self.loop.now_ms)
        self.counts["incidents"] += 1
        self.says(f"incident {body.incident} ({body.code}) opened in {body.block}: {body.kind}{', late' if body.late else ''}")

    def _joined(self, chain: Chain, body: entries.IncidentJoined) -> None:
        made, seen = self._place(chain, body), self.incidents[body.incident]
        silent = made.silent or (chain is Chain.SEALED and made.press.gesture is Gesture.FORCED_CANCEL)
        if silent != (seen.chain is Chain.SEALED):
            raise self.breaks("4", f"{made} was joined to an incident of the {seen.chain.value} chain")
        if self.town.block_of(made.node) != seen.body.block:
            raise self.breaks("2", f"{made} was joined to an incident of {seen.body.block}")
        if silent and self._excluded(made.node, made.press.input) != self._excluded(seen.body.node, seen.body.input):
            raise self.breaks("4", f"{made} was joined to an incident that excludes others")
        if body.kind:
            seen.kinds.add(body.kind)
            seen.openings += 1

    def _moved(self, body: entries.IncidentMoved) -> None:
        seen = self.incidents[body.incident]
        if seen.state == "closed" and body.to == "opened":
            seen.openings += 1
        seen.state = body.to
        seen.ever_taken |= body.to in {"taken", "on-scene"}
        self.says(f"incident {seen.body.code} is {body.to} by {body.by}{' ' + body.outcome if body.outcome else ''}")

    def _queued(self, body: entries.NoticesQueued) -> None:
        for notice in body.notices:
            self._notices[notice.id] = notice, self.loop.now_ms
            self.counts["notices"] += 1
            seen = self.incidents.get(body.incident)
            if seen is not None and notice.reason == "FIRST" and "instead" not in notice.about:
                seen.firsts[notice.member] += 1
                if seen.firsts[notice.member] > seen.openings:
                    raise self.breaks("6", f"{notice.member} is told of incident {seen.body.code} {seen.firsts[notice.member]} times at its opening")
            if body.fault:
                line = notice.member, self.loop.now_ms // 3_600_000
                self._fault_texts[line] += 1
                if self._fault_texts[line] > FAULT_TEXTS_AN_HOUR:
                    raise self.breaks("6", f"{notice.member} gets {self._fault_texts[line]} texts about faults within an hour")

    # At the phones.

    def tries(self, life: GatewayHere, effect: QueueNotice, telling: Telling) -> None:
        """Whoever is told is one who may be told, and it is on the disk, or the disk has been away for 2 s."""
        notice, seen = effect.notice, self.incidents.get(effect.incident)
        if notice.id not in self._notices and not life.decisions.from_memory:
            raise self.breaks("5", f"notice {notice.id} goes out before it is on the disk")
        if notice.to:
            return
        person = self.town.people.get(notice.member)
        if person is None or (notice.channel, telling.address) not in person.contacts:
            raise self.breaks("entitled", f"{notice.id} goes to an address that is not one of {notice.member}'s")
        if seen is None:
            return
        roles = set(person.roles)
        self._called.add((effect.incident, notice.member))
        if seen.chain is Chain.SEALED:
            circle = {role for kind in seen.kinds if kind in self.policy.kinds for role in self.policy.kinds[kind].circle}
            if not roles & circle:
                raise self.breaks("4", f"{notice.member} is told of the silent {seen.body.kind} {seen.body.code}, and is not of its circle")
            if notice.member in self._excluded(seen.body.node, seen.body.input):
                raise self.breaks("4", f"{notice.member} is told of the silent incident {seen.body.code}, and is excluded at its button")
        elif not (roles & self._street or notice.reason == "ANSWER" or self._called_out(seen)
                  or (seen.body.grew_from, notice.member) in self._called):
            raise self.breaks("entitled", f"{notice.member} ({', '.join(sorted(roles))}) is told of incident {seen.body.code}")

    def delivered(self, person: str, channel: str, telling: Telling, effect: QueueNotice) -> None:
        """It has arrived."""
        self.counts["delivered"] += 1
        self._deliveries[telling.key] += 1
        self.says(f"{person} gets by {channel}: {effect.notice.template} ({effect.notice.reason}) {telling.event.code if telling.event else ''}")
        self._told[effect.incident] += 1

    def _called_out(self, seen: Seen) -> bool:
        """The policy calls the whole zone for such an incident."""
        return any(one.everybody for kind in seen.kinds if kind in self.policy.kinds for one in self.policy.kinds[kind].steps)

    # In between, and at the end.

    def looks(self) -> None:
        """Promise 5: an open incident has a next step, and it is not overdue, while the gateway is well."""
        well_ms = self.loop.now_ms - self.gateway_well_since_ms
        if self.gateway is None or well_ms < WELL_FOR_MS:
            return
        for seen in self.incidents.values():
            if seen.state == "closed":
                continue
            if seen.due_at_ms is None:
                raise self.breaks("5", f"incident {seen.body.code} is {seen.state} and has no next step")
            overdue_ms = self._life_offset_ms + self.loop.now_ms - seen.due_at_ms
            if overdue_ms > OVERDUE_MS:
                raise self.breaks("5", f"the next step of incident {seen.body.code} ({seen.state}) is overdue by {overdue_ms // 1000} s")

    def ends(self, nodes: list[NodeHere], texts_left: int) -> None:
        """The faults have stopped for long: all is received, notified and taken."""
        for key, made in self.made.items():
            if key not in self._gone and not self._on_record(made):
                raise self.breaks("1, when all is well", f"{made} is not on record")
        for node in nodes:
            if node.card.presses:
                raise self.breaks("1, when all is well", f"{node.node} still has {len(node.card.presses)} presses on its card")
            if not node.alive:
                raise self.breaks("the world", f"{node.node} has not come back")
        for seen in self.incidents.values():
            if seen.state == "opened":
                raise self.breaks("5, when all is well", f"nobody has taken incident {seen.body.code} ({seen.body.kind} in {seen.body.block})")
            if not self._told[seen.body.incident]:
                raise self.breaks("5, when all is well", f"nobody was told of incident {seen.body.code} ({seen.body.kind} in {seen.body.block})")
        for notice, at_ms in self._notices.values():
            if notice.id not in self._settled and self.loop.now_ms - at_ms > UNSETTLED_MS:
                what = f"{notice.template} to {notice.member} by {notice.channel}"
                raise self.breaks("5, when all is well", f"notice {notice.id} ({what}) was queued and nothing came of it")
        if texts_left:
            raise self.breaks("5, when all is well", f"{texts_left} texts that people wrote are not on record")

    def _on_record(self, made: Made) -> bool:
        return bool(self.recorded.get((made.node, made.press.boot, made.press.seq)))

    def _excluded(self, node: str, name: str) -> tuple[str, ...]:
        return self.town.excluded.get((node, name), ())

    def _name(self, node: str, boot: str | None, seq: int | None) -> str:
        made = self.made.get((node, boot or "", seq or 0))
        return str(made) if made is not None else f"press {(boot or '')[:4]}/{seq} of {node}"


