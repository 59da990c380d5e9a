"""The one door to the rules: an input and the time go in, what is decided comes out.

Everything that lasts is decided as entries, which the state folds at once and the shell commits; `ZoneState` folded from the
journal is therefore all that a new process needs to go on where the old one stood.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

from controller.entries import Chain, Exclusion, ExclusionsInForce, GatewayStarted, NoticeMoved, PolicyInForce, RegistryInForce
from controller.errors import BrokenPromise
from controller.instants import Now
from controller.registry import Registry, excluded_members
from controller.rules import escalation, hearing, presses, supervision, timers
from controller.rules.beforehand import in_force
from controller.rules.calling import channels, mutual_aid, police, storm, summaries
from controller.rules.calling.worth import worth_telling
from controller.rules.console import handing_over, operators, verification
from controller.rules.desk import Desk, Network
from controller.rules.effects import QueueNotice, StopNotice, ZoneEffect
from controller.rules.inputs import (
    AidCalled,
    BadMessageCame,
    CallAnswered,
    ChannelPaced,
    DrillOrdered,
    Looked,
    MemberCalled,
    MemberWrote,
    NodeAsked,
    NodeBeat,
    NodeDone,
    NodeOnline,
    NoticeReported,
    NoticesVanished,
    NoticeTried,
    OperatorDid,
    PartFailed,
    PartRecovered,
    PolicyChanged,
    PressArrived,
    PressSetAside,
    RegistryChanged,
    Started,
    Tried,
    Woken,
    ZoneInput,
)
from controller.rules.mending import faults
from controller.rules.policy import Policy, earlier
from controller.rules.proof import canary, drills, siren_minutes, walk
from controller.rules.remembered import FINAL
from controller.rules.replying import answers, calls
from controller.rules.signs import Signs
from controller.rules.state import ZoneState
from controller.rules.telling import other_way

BACK_OFF_S: Final = (1, 5, 15, 45, 120, 300)
"""How long a notice waits after its first, second, ... failed try, unless the channel wishes otherwise."""
FORGET_MS: Final = 600_000
TIMERS: Final[dict[str, Callable[[Desk, str], None]]] = {
    police.TIMER: police.due, drills.BEGINS: drills.begins, drills.ENDS: drills.ends, storm.TIMER: summaries.due, walk.ENDS: walk.ends,
    escalation.HEARD: hearing.heard_due, hearing.REPORTS: hearing.report_due, hearing.WIDER: hearing.wider_due,
    verification.WELFARE: verification.welfare_due, handing_over.TIMER: handing_over.due,
    siren_minutes.ANNOUNCED: siren_minutes.announced, siren_minutes.AWAY: siren_minutes.away, siren_minutes.MINUTE: siren_minutes.minute,
    siren_minutes.UNANSWERED: siren_minutes.unanswered,
}
"""What each timer does when it rings, given its subject."""


class ZoneController:
    """What one zone decides. Knows no socket, database, clock or chance."""

    def __init__(self, zone: str, registry: Registry, policy: Policy, state: ZoneState | None = None) -> None:
        """state: folded from the zone's journal; None for a zone that has none yet."""
        self.zone = zone
        self.state = state if state is not None else ZoneState()
        self.network = Network(registry, policy)
        self.signs = Signs()
        self._offset_ms: int | None = None
        self._forget_at_ms = 0

    def handle(self, event: ZoneInput, now: Now) -> list[ZoneEffect]:
        """Take one input at `now` and return what to do: the records first, then the rest in order.

        Nothing of the rest is done before the records are on disk; the shell's one exception is promise 5.
        """
        if self._offset_ms is None:
            self._offset_ms = now.utc_ms - now.monotonic_ms
        desk = Desk(self.zone, self.state, self.network, now, now.monotonic_ms + self._offset_ms, self.signs.ahead)
        self._decide(desk, event)
        self._catch_up(desk)
        return [*desk.records, *self.signs.uptimes.known(desk.effects, desk.at_ms)]

    def wake_at_ms(self) -> int | None:
        """When to call `handle(Woken())`, on the clock of `Now.monotonic_ms`; None when nothing is waiting."""
        if self._offset_ms is None:
            return None
        times = [self.signs.look_at_ms] if self.signs.look_at_ms else []
        due = self.state.next_due_ms()
        if due is not None:
            times.append(due)
        if self.state.canaries.running is not None:
            times.append(self.state.canaries.running.due_at_ms)
        return min(times) - self._offset_ms if times else None

    def _decide(self, desk: Desk, event: ZoneInput) -> None:
        match event:
            case NodeBeat():
                supervision.beat(desk, self.signs, event)
            case PressArrived():
                presses.arrived(desk, self.signs, event)
            case PressSetAside():
                presses.set_aside(desk, self.signs, event)
            case NoticeTried():
                self._tried(desk, event)
            case NoticeReported():
                self._reported(desk, event)
            case NodeOnline():
                supervision.online(desk, self.signs, event)
            case NodeAsked():
                supervision.asked(desk, self.signs, event)
            case NodeDone():
                supervision.done(desk, self.signs, event)
            case MemberWrote():
                answers.wrote(desk, event)
            case OperatorDid():
                operators.did(desk, event)
            case Looked():
                operators.looked(desk, event)
            case CallAnswered():
                calls.answered(desk, event)
            case NoticesVanished():
                channels.vanished(desk, event)
            case ChannelPaced():
                channels.paced(desk, event)
            case MemberCalled():
                calls.called(desk, event)
            case BadMessageCame():
                supervision.bad_message(desk, self.signs, event)
            case PartFailed():
                supervision.part_failed(desk, event)
            case PartRecovered():
                supervision.part_recovered(desk, self.signs, event)
            case DrillOrdered():
                drills.ordered(desk, event)
            case AidCalled():
                mutual_aid.called(desk, event)
            case RegistryChanged():
                self._use(desk, event.registry, self.network.policy)
            case PolicyChanged():
                if not in_force.refused(desk, event.policy):
                    self._use(desk, self.network.registry, event.policy)
            case Started():
                self._start(desk, event)
            case Woken():
                pass

    def _catch_up(self, desk: Desk) -> None:
        """Do what is due by now, whatever the input was."""
        while (due := self.state.next_due_ms()) is not None and due <= desk.at_ms:
            first = self.state.timers.first()
            if first is not None and first[1].due_at_ms == due:
                act = TIMERS.get(first[0][0])
                timers.ring(self.state.timers, desk.record, partial(act, desk) if act is not None else None, desk.at_ms)
                continue
            incident = self.state.incidents[self.state.due[0][1]]
            escalation.due(desk, incident)
            if incident.is_open and (incident.due_at_ms is None or incident.due_at_ms <= desk.at_ms):
                raise BrokenPromise(f"incident {incident.id}: step {incident.step} set no later one; expected a next step with a due time; "
                                    "start again from the journal")
        if self.signs.look_at_ms and desk.at_ms >= self.signs.look_at_ms:
            supervision.look(desk, self.signs)
            if desk.at_ms >= self.signs.reach_at_ms:
                in_force.look(desk, self.signs)
        canary.settle(desk)
        if desk.at_ms >= self._forget_at_ms:
            self._forget_at_ms = desk.at_ms + FORGET_MS
            self.state.forget(desk.now.utc_ms)

    def _tried(self, desk: Desk, event: NoticeTried) -> None:
        notice = self.state.notices.get(event.notice)
        if notice is None or (notice.state in FINAL and (notice.state != "stopped" or event.tried is not Tried.SENT)):
            return
        incident = self.state.incidents.get(notice.incident)
        failed = NoticeMoved(event.notice, "failed", event.attempt, why=event.why[:200])
        no_use = event.tried is Tried.NEVER or event.stuck
        if no_use and incident is None and faults.goes_another_way(desk, notice, failed):
            return
        match event.tried:
            case Tried.SENT if incident is not None and notice.state == "stopped":
                escalation.reached_after_all(desk, incident, notice, NoticeMoved(event.notice, "notified", event.attempt, event.ref[:200]))
            case Tried.SENT if notice.fault and notice.state == "stopped":
                faults.reached_after_all(desk, notice, NoticeMoved(event.notice, "notified", event.attempt, event.ref[:200]))
            case Tried.SENT:
                desk.record(notice.chain, NoticeMoved(event.notice, "notified", event.attempt, event.ref[:200]))
                summaries.went(desk, notice, event.attempt)
                if incident is not None:
                    hearing.sent(desk, incident, notice)
            case Tried.TRY_LATER if event.stuck and not worth_telling(desk, notice):
                desk.record(notice.chain, failed)
                desk.then(StopNotice(event.notice))
                summaries.failed(desk, notice, failed)
            case Tried.TRY_LATER:
                tries = event.attempt - 1 if event.stuck else event.attempt
                wait_ms = event.retry_in_ms or BACK_OFF_S[min(event.attempt, len(BACK_OFF_S)) - 1] * 1000
                due_at_ms = desk.now.utc_ms + wait_ms
                if not event.stuck or (notice.state, notice.attempt) != ("waiting", event.attempt):
                    # That it still waits for its channel is said once: that may last for days.
                    desk.record(notice.chain, NoticeMoved(event.notice, "waiting", tries, why=event.why[:200], due_at_ms=due_at_ms))
                desk.then(QueueNotice(notice.queued, notice.incident, notice.fault, tries + 1, due_at_ms))
                if event.stuck and incident is not None and escalation.goes_on(incident, notice):
                    other_way(desk, incident, notice, stuck=True)
                elif event.stuck:
                    summaries.stuck(desk, notice)
            case Tried.NEVER:
                desk.record(notice.chain, failed)
                if incident is not None and escalation.goes_on(incident, notice):
                    escalation.failed(desk, incident, notice)
                summaries.failed(desk, notice, failed)

    def _reported(self, desk: Desk, event: NoticeReported) -> None:
        notice = self.state.notices.get(event.notice)
        if notice is None:
            if not summaries.reported(desk, event):
                canary.reported(desk, event)
            return
        if notice.state != "notified":
            return
        incident = self.state.incidents.get(notice.incident)
        if event.delivered:
            desk.record(notice.chain, NoticeMoved(event.notice, "delivered", notice.attempt))
            return
        desk.record(notice.chain, NoticeMoved(event.notice, "failed", notice.attempt, why=event.why[:200]))
        if incident is not None and escalation.goes_on(incident, notice):
            escalation.failed(desk, incident, notice)

    def _use(self, desk: Desk, registry: Registry, policy: Policy) -> None:
        """Decide from these from now on, and tell the nodes."""
        changed = registry.version != self.state.registry or policy.version != self.state.policy
        if registry.version != self.state.registry:
            desk.record(Chain.OPEN, RegistryInForce(registry.rev, registry.version))
        if policy.version != self.state.policy:
            desk.record(Chain.OPEN, PolicyInForce(policy.version, policy.text))
        exclusions = tuple(
            Exclusion(one.node, one.input, tuple(sorted(excluded_members(one.excludes, registry.members.values()))))
            for _, one in sorted(registry.inputs.items()) if one.excludes)
        if exclusions != self.state.exclusions:
            desk.record(Chain.SEALED, ExclusionsInForce(exclusions))
        policy = policy.keeping(one for text in self.state.policies.values() if (one := earlier(text, self.zone)) is not None)
        self.network = Network(registry, policy)
        desk.network, desk.registry, desk.policy = self.network, registry, policy
        supervision.look_at_kinds(desk)
        supervision.look_at_nodes(desk, self.signs)
        answers.gone(desk)
        in_force.look(desk, self.signs)
        for node, life in self.state.nodes.items() if changed else ():
            if life.boot and not life.gone:
                supervision.bring_up_to_date(desk, node, 0)

    def _start(self, desk: Desk, event: Started) -> None:
        """Go on where the journal ends: what was not sent is sent, what was due is due.

        A notice of an earlier life without an outcome may have been under way when that life ended: this is its second try. One that
        was not due yet was not under way.
        """
        unsent = self.state.unsent()
        desk.record(Chain.OPEN, GatewayStarted(event.version))
        self._use(desk, self.network.registry, self.network.policy)
        supervision.start(desk, self.signs)
        canary.interrupted(desk)
        escalation.sound_on(desk)
        # A clock that shows less than before must not hold up what was due soon.
        for incident in self.state.incidents.values():
            longest_s = escalation.longest_s(desk, incident)
            if incident.due_at_ms is not None and incident.due_at_ms - desk.at_ms > longest_s * 1000:
                desk.set_step(incident, incident.step, longest_s)
        timers.shorten(self.state.timers, desk.record, desk.at_ms)
        for notice in unsent:
            if notice.state not in FINAL and not notice.queued.held:
                is_due = notice.due_at_ms <= desk.now.utc_ms
                attempt = notice.attempt + 1 if notice.state == "queued" else max(notice.attempt, 2) if is_due else notice.attempt
                longest_s = desk.policy.times.fault_quiet_s if notice.queued.reason == "FAULT_ENDED" else BACK_OFF_S[-1]
                due_at_ms = min(notice.due_at_ms, desk.now.utc_ms + longest_s * 1000)
                desk.then(QueueNotice(notice.queued, notice.incident, notice.fault, attempt, due_at_ms))
        for node in self.state.nodes:
            desk.light_node(node)
