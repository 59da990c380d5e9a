"""What a zone knows, folded from its journal and from nothing else.

`apply` is the only thing that changes it, live and on replay alike. The two chains may be folded in any interleaving that
keeps each one's own order: no entry of one touches what entries of the other made, but for counts that only rise.
"""

import heapq
from collections import defaultdict
from collections.abc import Callable
from typing import Any, Final

from controller import entries
from controller.entries import Body, Chain
from controller.rules import codes
from controller.rules.calling.aid_memory import Aid
from controller.rules.calling.paces import Paces
from controller.rules.calling.storm_memory import Storm
from controller.rules.calling.waiting import Waiting
from controller.rules.console import merging
from controller.rules.console.courses import Courses
from controller.rules.console.secret_memory import Secrets
from controller.rules.console.suspicion_memory import Suspicions
from controller.rules.incident import NOBODY, QUIET, UNANSWERED, Incident, State
from controller.rules.mending.battery_memory import Batteries
from controller.rules.mending.fault_kinds import flapping_of
from controller.rules.mending.flaps import Flaps
from controller.rules.mending.outages import Outages
from controller.rules.press_memory import LastPressed
from controller.rules.proof.canaries import Canaries
from controller.rules.proof.counted import Counted
from controller.rules.proof.covered import Covered
from controller.rules.proof.drills_planned import Drills
from controller.rules.proof.walked import Walked
from controller.rules.remembered import FINAL, Fault, NodeLife, Notice, OrderBy, Room, SeqsHeard, folds_of
from controller.rules.replying.callers import Callers
from controller.rules.replying.test_modes import TestModes
from controller.rules.replying.written import Written
from controller.rules.siren_memory import Sirens
from controller.rules.timers import Timers

KEPT_MS: Final = 26 * 3_600_000
"""A closed incident is remembered a day longer than it is open: people answer yesterday's text."""
UNDER_WAY_MS: Final = 3_600_000
"""A text about a fault that was taken back is remembered for so long: it may be under way, and then it goes out all the same."""
BOOTS_MAX: Final = 64
SET_ASIDE_KEPT: Final = 500
"""Each was the end of a life of the gateway's: so many that nodes still send are never reached."""
REV_BELIEVED: Final = 2**52
"""A node that says so high a revision makes no zone count on from it: the others could soon say theirs no more."""


class ZoneState:
    """The state of one zone."""

    def __init__(self) -> None:
        self.incidents: dict[str, Incident] = {}
        self.by_press: dict[tuple[str, str, int], str] = {}
        self.by_code: dict[str, tuple[str, int]] = {}
        self.of_member: defaultdict[str, dict[str, None]] = defaultdict(dict)
        """Member -> incidents they were told of, oldest first."""
        self.in_block: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self.notices: dict[str, Notice] = {}
        self.numbers: defaultdict[tuple[str, str, Chain], int] = defaultdict(int)
        """How many notices went to a member by a channel: counted apart for each chain, so that no gap in one shows the other."""
        self.faults: dict[str, Fault] = {}
        self.fault_of: dict[tuple[str, str], str] = {}
        """(subject, code) -> the fault that stands, of the open chain."""
        self.sealed_faults: dict[tuple[str, str], str] = {}
        self.fault_told_at_ms: dict[tuple[str, str], int] = {}
        self.fault_known: defaultdict[tuple[str, str], dict[str, None]] = defaultdict(dict)
        """(subject, code) -> the members who were told of the fault and not that it is mended."""
        self.mended: dict[tuple[str, str], list[str]] = {}
        """(subject, code) -> the notices that its last fault is mended; sent unless it comes back before they are due."""
        self.nodes: defaultdict[str, NodeLife] = defaultdict(NodeLife)
        self.silent_lives: defaultdict[str, dict[str, int]] = defaultdict(dict)
        """Node -> when the life came whose silent presses count under a boot."""
        self.light_revs: defaultdict[str, int] = defaultdict(int)
        """Block -> how often its open incidents moved: rises, also over a restart."""
        self.seqs_heard: defaultdict[str, dict[str, SeqsHeard]] = defaultdict(dict)
        """Node -> by boot, which of its open presses are known."""
        self.orders_by: dict[str, OrderBy] = {}
        """By id, the orders that a member gave and no node has answered."""
        self.test_modes: dict[str, OrderBy] = {}
        """Node -> the order that put its present life into test mode, and when it said so."""
        self.orders: defaultdict[str, int] = defaultdict(int)
        self.settings_rev, self.registry, self.policy = 0, "", ""
        self.policies: dict[str, str] = {}
        """Version -> text, of every policy that was ever in force."""
        self.exclusions: tuple[entries.Exclusion, ...] = ()
        self.timers, self.courses, self.suspicions, self.waiting, self.secrets = Timers(), Courses(), Suspicions(), Waiting(), Secrets()
        self.written, self.callers, self.paces, self.tested, self.sirens = Written(), Callers(), Paces(), TestModes(), Sirens()
        self.outages, self.storm, self.aid = Outages(), Storm(), Aid()
        self.counted, self.canaries, self.drills, self.walked = Counted(), Canaries(), Drills(), Walked()
        self.flaps, self.batteries, self.last_pressed, self.covered = Flaps(), Batteries(), LastPressed(), Covered()
        self.unreadable: defaultdict[Chain, dict[tuple[str, str], None]] = defaultdict(dict)
        """In each chain: (node, digest) of the newest messages that were kept unread, the oldest first."""
        self.began_at_ms: int | None = None
        """When the open chain began: nothing that is dated here is known to be older."""
        self.due: list[tuple[int, str]] = []
        """Heap of (due at, incident); one that no longer stands is passed over."""
        self._closed: list[tuple[int, str]] = []
        self._taken_back: dict[str, int] = {}
        """Notice about a fault that was taken back -> when."""
        self._rooms = folds_of(*(each for each in vars(self).values() if isinstance(each, Room)))
        """What the rooms that keep a memory of their own fold, after this one."""

    def apply(self, chain: Chain, at_ms: int, body: Body) -> None:
        """Fold one entry. at_ms: its time."""
        if self.began_at_ms is None and chain is Chain.OPEN:
            self.began_at_ms = at_ms
        fold = _FOLDS.get(type(body))
        if fold is not None:
            fold(self, chain, at_ms, body)
        for its in self._rooms.get(type(body), ()):
            its(chain, at_ms, body)

    def has_set_aside(self, node: str, digest: str) -> bool:
        """Whether this press of the node is on record already as one that was kept unread."""
        return any((node, digest) in kept for kept in self.unreadable.values())

    def unsent(self) -> list[Notice]:
        """The notices that are still to be tried, in the order in which they were queued."""
        return [notice for notice in self.notices.values() if notice.state not in FINAL]

    def next_due_ms(self) -> int | None:
        """When the next step or timer is due; None when nothing is."""
        first = self.timers.first()
        timer_at_ms = first[1].due_at_ms if first is not None else None
        while self.due:
            at_ms, incident = self.due[0]
            found = self.incidents.get(incident)
            if found is not None and found.due_at_ms == at_ms:
                return at_ms if timer_at_ms is None else min(at_ms, timer_at_ms)
            heapq.heappop(self.due)
        return timer_at_ms

    def forget(self, now_ms: int) -> None:
        """Let go of what was closed long ago; decides nothing."""
        while self._closed and self._closed[0][0] + KEPT_MS < now_ms:
            _, ident = heapq.heappop(self._closed)
            incident = self.incidents.get(ident)
            if incident is None or incident.is_open or incident.moved_at_ms + KEPT_MS >= now_ms:
                continue
            del self.incidents[ident]
            for room in (self.courses, self.suspicions, self.storm, self.aid):
                room.forget(ident)
            for press in incident.presses:
                self.by_press.pop(press, None)
            for member, notices in incident.told.items():
                self.of_member[member].pop(ident, None)
                for notice in notices:
                    self.notices.pop(notice, None)
            for block in incident.blocks:
                self.in_block[block].pop(ident, None)
        for notice in [notice for notice, at_ms in self._taken_back.items() if at_ms + UNDER_WAY_MS < now_ms]:
            del self._taken_back[notice], self.notices[notice]
        while self.by_code:
            code, (ident, at_ms) = next(iter(self.by_code.items()))
            if at_ms + codes.REST_MS >= now_ms:
                break
            del self.by_code[code]
            if ident in self.incidents:
                # Still open after so long: its code rests from now on again.
                self.by_code[code] = ident, now_ms

    # One fold an entry kind; the names are those of entries/.

    def _incident_opened(self, chain: Chain, at_ms: int, body: entries.IncidentOpened) -> None:
        incident = Incident(
            body.incident, chain, body.block, body.kind, body.code, body.node, body.boot, body.seq, body.input,
            body.pressed_from_at_ms, body.pressed_to_at_ms, at_ms, bool(body.drill), bool(body.late), in_need=body.in_need, grew_from=body.grew_from,
        )
        incident.last_press_at_ms = incident.moved_at_ms = at_ms
        incident.policy = body.policy
        if chain is Chain.SEALED:
            incident.excludes = frozenset(who for one in self.exclusions if (one.node, one.input) == (body.node, body.input) for who in one.members)
        self.incidents[body.incident] = incident
        if not body.in_need:
            incident.presses.append((body.node, body.boot, body.seq))
            self.by_press[incident.presses[0]] = body.incident
        self.by_code[body.code] = body.incident, at_ms
        self.in_block[body.block][body.incident] = None
        self._light(incident)

    def _incident_joined(self, _chain: Chain, at_ms: int, body: entries.IncidentJoined) -> None:
        incident = self.incidents.get(body.incident)
        if incident is not None:
            incident.last_press_at_ms = at_ms
            incident.presses.append((body.node, body.boot, body.seq))
            self.by_press[incident.presses[-1]] = body.incident
            if body.kind:
                incident.kind = body.kind
                self._light(incident)

    def _incident_moved(self, _chain: Chain, at_ms: int, body: entries.IncidentMoved) -> None:
        incident = self.incidents.get(body.incident)
        if incident is None:
            return
        was_open = incident.is_open
        incident.state, incident.moved_at_ms = State(body.to), at_ms
        if incident.state is State.TAKEN and body.by not in NOBODY and body.by not in incident.takers:
            incident.takers.append(body.by)
        elif incident.state is State.ON_SCENE:
            for members in (incident.takers, incident.present):
                if body.by not in members:
                    members.append(body.by)
        elif incident.state is State.OPENED:
            incident.unsure += [member for member in incident.takers if member not in incident.unsure]
            incident.takers, incident.present = [], []
            if not was_open:
                incident.unsure, incident.accepted, incident.armed = [], [], []
                incident.looks = []
                incident.doubters, incident.refused, incident.cancelled, incident.outcome = [], [], False, ""
        elif incident.state is State.CLOSED:
            incident.outcome, incident.due_at_ms = body.outcome, None
            heapq.heappush(self._closed, (at_ms, incident.id))
        self._light(incident)

    def _incident_noted(self, _chain: Chain, _at_ms: int, body: entries.IncidentNoted) -> None:
        incident = self.incidents.get(body.incident)
        if incident is None:
            return
        match body.meaning:
            case "false" | "over" if body.by not in incident.doubters:
                incident.doubters.append(body.by)
            case "cancelled":
                incident.cancelled = True
            case "go" if body.by not in incident.takers:
                incident.takers.append(body.by)
            case "accepted" if body.by not in incident.accepted:
                incident.accepted.append(body.by)
            case "armed":
                incident.armed.append(body.by)
            case "cannot" | "handed-over":
                if body.meaning == "cannot":
                    if body.by in incident.takers and body.by not in incident.unsure:
                        incident.unsure.append(body.by)
                    if body.by in incident.accepted:
                        incident.accepted.remove(body.by)
                for members in (incident.takers, incident.present):
                    if body.by in members:
                        members.remove(body.by)
                if body.meaning == "cannot" and body.by not in incident.refused:
                    incident.refused.append(body.by)

    def _reply(self, _chain: Chain, _at_ms: int, body: entries.ReplyReceived) -> None:
        incident = self.incidents.get(body.incident)
        if incident is not None:
            incident.asked = 0
            if body.member and body.member not in incident.replied:
                incident.replied.append(body.member)

    def _step_set(self, _chain: Chain, _at_ms: int, body: entries.StepSet) -> None:
        incident = self.incidents.get(body.incident)
        if incident is not None:
            incident.step, incident.due_at_ms = body.step, body.due_at_ms
            incident.asked = incident.asked + 1 if body.step == QUIET else incident.asked if body.step == UNANSWERED else 0
            if body.step >= 0:
                incident.ring = body.step
            heapq.heappush(self.due, (body.due_at_ms, body.incident))

    def _notices_queued(self, chain: Chain, at_ms: int, body: entries.NoticesQueued) -> None:
        incident = self.incidents.get(body.incident)
        fault = self.faults.get(body.fault)
        if fault is not None:
            if any(queued.reason != "FAULT_ENDED" for queued in body.notices):
                self.fault_told_at_ms[fault.subject, fault.code] = at_ms
            fault.notices += len(body.notices)
            fault.unsent += [queued.id for queued in body.notices]
        for queued in body.notices:
            self.notices[queued.id] = Notice(queued, chain, body.incident, body.fault, at_ms, incident.kind if incident is not None else "")
            if body.fault and fault is None:
                # Of a fault that is mended: that it is goes another way.
                self.mended.setdefault((queued.about["subject"], queued.about["fault"]), []).append(queued.id)
            if not queued.to:
                self.numbers[queued.member, queued.channel, chain] = queued.number
            if incident is not None:
                incident.notices += 1
                if queued.reason == "LOOK":
                    incident.looks.append(queued.member)
                incident.told.setdefault(queued.member, []).append(queued.id)
                incident.machines.setdefault((queued.member, queued.channel), []).append((queued.id, at_ms))
                self.of_member[queued.member][incident.id] = None

    def _notice_moved(self, _chain: Chain, at_ms: int, body: entries.NoticeMoved) -> None:
        notice = self.notices.get(body.notice)
        if notice is None:
            return
        taken_back = notice.state == "stopped"
        notice.state, notice.due_at_ms, notice.moved_at_ms = body.to, body.due_at_ms, at_ms
        if body.to == "waiting":
            notice.attempt = body.attempt + 1
        if body.to in FINAL and not notice.incident:
            fault = self.faults.get(notice.fault)
            if fault is not None and not taken_back:
                fault.unsent.remove(body.notice)
            if notice.fault and body.to == "stopped":
                self._taken_back[body.notice] = at_ms
                return
            del self.notices[body.notice]
            self._taken_back.pop(body.notice, None)
            if notice.fault and body.to == "notified" and not (taken_back and notice.queued.reason == "FAULT_ENDED"):
                self._fault_known(notice.queued)

    def _press(self, chain: Chain, _at_ms: int, body: entries.PressRecorded) -> None:
        if chain is Chain.OPEN:
            boots = self.seqs_heard[body.node]
            boots.setdefault(body.boot, SeqsHeard()).hear(body.seq)
            while len(boots) > BOOTS_MAX:
                del boots[next(iter(boots))]

    def _fault_known(self, queued: entries.NoticeQueued) -> None:
        members = self.fault_known[queued.about["subject"], queued.about["fault"]]
        if queued.reason == "FAULT_ENDED":
            members.pop(queued.member, None)
        else:
            members[queued.member] = None

    def _node_came(self, _chain: Chain, at_ms: int, body: entries.NodeCame) -> None:
        life = self.nodes[body.node]
        if body.previous and body.last_heard_at_ms:
            life.last_heard_before_ms[body.previous] = body.last_heard_at_ms
        if life.boot != body.boot:
            self.test_modes.pop(body.node, None)
            life.test, life.test_sent_at_ms, life.test_passed_at_ms, life.tests_unanswered = "", 0, 0, 0
        life.boot, life.came_at_ms, life.settings_rev, life.gone = body.boot, at_ms, body.settings_rev, False
        if self.settings_rev < body.settings_rev < REV_BELIEVED:
            # Its settings are of a journal that is lost: the next ones must count as newer.
            self.settings_rev = body.settings_rev + 1
        life.boots.setdefault(body.boot, at_ms)
        while len(life.boots) > BOOTS_MAX:
            old, _ = life.boots.popitem(last=False)
            life.last_heard_before_ms.pop(old, None)

    def _silent_life(self, _chain: Chain, at_ms: int, body: entries.SilentLifeCame) -> None:
        lives = self.silent_lives[body.node]
        lives.setdefault(body.silent_boot, at_ms)
        while len(lives) > BOOTS_MAX:
            del lives[next(iter(lives))]

    def _node_went(self, _chain: Chain, _at_ms: int, body: entries.NodeWent) -> None:
        life = self.nodes[body.node]
        if life.boot == body.boot:
            life.gone = True

    def _order_sent(self, _chain: Chain, at_ms: int, body: entries.OrderSent) -> None:
        self.orders[body.node] += 1
        if body.by != "rules":
            self.orders_by[body.id] = OrderBy(body, at_ms)
        life = self.nodes.get(body.node)
        if body.order == "self-test" and life is not None and life.boot == body.boot:
            life.test, life.test_sent_at_ms, life.tests_unanswered = body.id, at_ms, life.tests_unanswered + 1

    def _order_answered(self, _chain: Chain, at_ms: int, body: entries.OrderAnswered) -> None:
        sent = self.orders_by.pop(body.id, None)
        if sent is not None and body.done and sent.body.order.startswith("test-mode"):
            self.test_modes.pop(body.node, None)
            if sent.body.order == "test-mode":
                self.test_modes[body.node] = OrderBy(sent.body, at_ms)
        life = self.nodes.get(body.node)
        if life is not None and body.id == life.test:
            life.tests_unanswered = 0
            life.test_passed_at_ms = at_ms if body.done else 0

    def _fault_raised(self, chain: Chain, at_ms: int, body: entries.FaultRaised) -> None:
        self.faults[body.fault] = Fault(body.fault, body.subject, body.code, body.detail, at_ms)
        if chain is Chain.OPEN:
            self.mended.pop((body.subject, body.code), None)
        (self.fault_of if chain is Chain.OPEN else self.sealed_faults)[body.subject, body.code] = body.fault

    def _fault_ended(self, chain: Chain, _at_ms: int, body: entries.FaultEnded) -> None:
        fault = self.faults.pop(body.fault, None)
        if fault is not None:
            if (held := flapping_of(fault.code)) is not None:
                # Whoever heard that it comes and goes hears all the rest anew.
                self.fault_known.pop((fault.subject, fault.code), None)
                self.fault_known.pop((fault.subject, held), None)
            if fault.unsent:
                self.mended[fault.subject, fault.code] = fault.unsent
            (self.fault_of if chain is Chain.OPEN else self.sealed_faults).pop((fault.subject, fault.code), None)

    def _bad_message(self, chain: Chain, _at_ms: int, body: entries.BadMessageKept) -> None:
        if body.sort == "unreadable":
            kept = self.unreadable[chain]
            kept[body.node, body.digest] = None
            while len(kept) > SET_ASIDE_KEPT:
                del kept[next(iter(kept))]

    def _registry_in_force(self, _chain: Chain, _at_ms: int, body: entries.RegistryInForce) -> None:
        self.registry = body.version
        self.settings_rev += 1

    def _exclusions_in_force(self, _chain: Chain, _at_ms: int, body: entries.ExclusionsInForce) -> None:
        self.exclusions = body.exclusions

    def _policy_in_force(self, _chain: Chain, _at_ms: int, body: entries.PolicyInForce) -> None:
        self.policy = body.version
        self.policies[body.version] = body.text
        self.settings_rev += 1

    def _light(self, incident: Incident) -> None:
        for block in () if incident.secret else incident.blocks:
            self.light_revs[block] += 1


_FOLDS: Final[dict[type[Body], Callable[[ZoneState, Chain, int, Any], None]]] = {
    entries.PressRecorded: ZoneState._press,  # noqa: SLF001
    entries.IncidentOpened: ZoneState._incident_opened,  # noqa: SLF001 (the class's own folds)
    entries.IncidentJoined: ZoneState._incident_joined,  # noqa: SLF001
    entries.IncidentMoved: ZoneState._incident_moved,  # noqa: SLF001
    entries.IncidentNoted: ZoneState._incident_noted,  # noqa: SLF001
    entries.IncidentJudged: merging.judged,
    entries.IncidentMerged: merging.merged,
    entries.IncidentSplit: merging.split,
    entries.ReplyReceived: ZoneState._reply,  # noqa: SLF001
    entries.SilentLifeCame: ZoneState._silent_life,  # noqa: SLF001
    entries.StepSet: ZoneState._step_set,  # noqa: SLF001
    entries.NoticesQueued: ZoneState._notices_queued,  # noqa: SLF001
    entries.NoticeMoved: ZoneState._notice_moved,  # noqa: SLF001
    entries.NodeCame: ZoneState._node_came,  # noqa: SLF001
    entries.NodeWent: ZoneState._node_went,  # noqa: SLF001
    entries.OrderSent: ZoneState._order_sent,  # noqa: SLF001
    entries.OrderAnswered: ZoneState._order_answered,  # noqa: SLF001
    entries.FaultRaised: ZoneState._fault_raised,  # noqa: SLF001
    entries.FaultEnded: ZoneState._fault_ended,  # noqa: SLF001
    entries.BadMessageKept: ZoneState._bad_message,  # noqa: SLF001
    entries.RegistryInForce: ZoneState._registry_in_force,  # noqa: SLF001
    entries.PolicyInForce: ZoneState._policy_in_force,  # noqa: SLF001
    entries.ExclusionsInForce: ZoneState._exclusions_in_force,  # noqa: SLF001
}
