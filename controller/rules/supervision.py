"""Signs of life: births, wills, beats, taps at rest; who is late; what nodes and parts of the gateway say is broken."""

from typing import Final

from controller.entries import BadMessageKept, Chain, NodeAskedRecorded, NodeCame, NodeWent, OrderAnswered, SilentLifeCame, flag
from controller.messages import Answer, Kept, NodeFault, Receipt
from controller.rules.beforehand import gaps
from controller.rules.calling import shift_change, storm
from controller.rules.console import suspicion
from controller.rules.desk import Desk
from controller.rules.effects import GiveReceipt, SendDown
from controller.rules.inputs import BadMessageCame, BadMessageSort, NodeAsked, NodeBeat, NodeDone, NodeOnline, PartFailed, PartRecovered
from controller.rules.mending import batteries, clocks
from controller.rules.mending.fault_kinds import Shows, flapping_of, kind_of, said_by_node
from controller.rules.mending.faults import end_fault, raise_fault, seen
from controller.rules.mending.faults import look as look_at_faults
from controller.rules.mending.mains import look as look_at_mains
from controller.rules.proof import canary, conservation, coverage, self_tests, siren_minutes, walk
from controller.rules.remembered import NodeLife
from controller.rules.replying import technicians
from controller.rules.signs import Signs, Suppressed

BROKER: Final = ("gateway/broker", "down")
TWO_DEVICES: Final = "two-devices-one-name"
LATE: Final = "late"
UNKNOWN_KIND: Final = "unknown-kind"
MANY_LATE: Final = ("zone/nodes", "many-late")
FLIP_MS: Final = 60_000
"""Two devices under one name throw each other out of the broker all day: their births are recorded so often at most."""
MINUTE_MS: Final = 60_000
SENDERS_MAX: Final = 1000
"""Senders of bad messages that are counted one by one; the rest together."""
PARTS: Final = frozenset({"gateway", "modem", "receiver"})
"""Subjects that start well and say so when they are not."""
_RECEIPTED: Final = frozenset({BadMessageSort.UNREADABLE, BadMessageSort.TOO_BIG})


def online(desk: Desk, signs: Signs, event: NodeOnline) -> None:
    """A birth or a will. A will, or the broker's memory, of a life that is over changes nothing."""
    node, said = event.node, event.online
    life = desk.state.nodes.get(node)
    boot = life.boot if life is not None else ""
    if not said.online:
        if life is not None and said.boot == boot and not life.gone and not _flips(desk, node, life):
            desk.record(Chain.OPEN, NodeWent(node, said.boot))
        return
    if life is not None and said.boot != boot and said.boot in life.boots:
        if event.retained:
            return
        seen(desk, signs, f"node/{node}", TWO_DEVICES)
        if _flips(desk, node, life):
            return
    if life is None or said.boot != boot or life.gone:
        heard_utc_ms = signs.over(node, boot) if boot != said.boot else 0
        if said.boot != boot:
            technicians.came(desk, node)
            batteries.new_life(desk, node)
        desk.record(Chain.OPEN, NodeCame(
            node, said.boot, said.firmware[:40], said.settings_rev, boot, heard_utc_ms, machine_restarted=flag(said.machine_restarted)))
        if life is None or said.boot != boot:
            self_tests.send(desk, node)
    if said.silent_boot is not None and said.silent_boot not in desk.state.silent_lives.get(node, {}):
        desk.record(Chain.SEALED, SilentLifeCame(node, said.silent_boot))
    if event.retained:
        # The broker remembers it: whether it lives is not said. It has its beats' grace.
        signs.heard_at_ms.setdefault(node, desk.at_ms)
    else:
        _heard(desk, signs, node, said.boot)
    bring_up_to_date(desk, node, said.settings_rev)
    desk.light_node(node)


def _flips(desk: Desk, node: str, life: NodeLife) -> bool:
    """Two devices of this name throw each other out, and one came just now: its going and the other's coming are no news."""
    return (f"node/{node}", TWO_DEVICES) in desk.state.fault_of and desk.now.utc_ms - life.came_at_ms < FLIP_MS


def beat(desk: Desk, signs: Signs, event: NodeBeat) -> None:
    """A sign of life. One that brings nothing new is remembered and changes nothing."""
    node, said = event.node, event.beat
    life = desk.state.nodes.get(node)
    signs.started_utc_ms.setdefault((node, said.boot), desk.now.utc_ms - said.uptime_s * 1000)
    for order in signs.uptimes.beat(node, said, desk.at_ms):
        desk.then(order)
    if life is not None and said.boot != life.boot and said.boot in life.boots:
        seen(desk, signs, f"node/{node}", TWO_DEVICES)
    _heard(desk, signs, node, said.boot, all_sent=not said.unsent)
    if life is None or said.boot != life.boot:
        # Of two devices under one name one is believed at a time: their faults would else raise and end each other's all day.
        return
    signs.power(node, said.mains, desk.now.utc_ms)
    batteries.beat(desk, signs, node, said)
    clocks.beat(desk, signs, node, said.boot, said.uptime_s)
    if signs.faults.get(node) != said.faults:
        _faults(desk, signs, node, said.faults)
    if life.gone:
        desk.record(Chain.OPEN, NodeCame(node, said.boot, settings_rev=said.settings_rev, previous=said.boot, machine_restarted=0))
    if said.settings_rev < desk.state.settings_rev:
        bring_up_to_date(desk, node, said.settings_rev)
    if said.incident_rev > desk.light_rev(node):
        # It would take nothing for new that bears a lower one, and go on showing what is so no more.
        signs.ahead[node] = said.boot, said.incident_rev - desk.state.light_revs.get(desk.network.block_of(node), 0)
    if said.incident_rev != desk.light_rev(node):
        desk.light_node(node)


def asked(desk: Desk, signs: Signs, event: NodeAsked) -> None:
    """A tap at rest: is somebody there tonight?"""
    node, ask = event.node, event.ask
    _heard(desk, signs, node, ask.boot)
    why = next((code for subject, code in desk.state.fault_of if _shows(node, subject, code)), "")
    if not why and not self_tests.passed_lately(desk, node):
        why = self_tests.NOT_TESTED
    if not why:
        # That nobody is on duty is for the block's own people to know, too.
        here = coverage.standing(desk.network, desk.state)._replace(zone=())
        why = next(iter(coverage.reasons(desk.network, desk.state, desk.network.block_of(node), desk.now.utc_ms, here)), "")
    ok = not why
    desk.record(Chain.OPEN, NodeAskedRecorded(node, ask.boot, ask.input, flag(ok), why))
    desk.then(SendDown(node, Answer(ask.boot, ask.id, ok, why)))


def _shows(node: str, subject: str, code: str) -> bool:
    shows = kind_of(subject, code).shows
    return shows is Shows.ZONE or (shows is Shows.NODE and subject == f"node/{node}")


def done(desk: Desk, signs: Signs, event: NodeDone) -> None:
    """What a node made of an order."""
    said = event.done
    _heard(desk, signs, event.node, said.boot)
    technicians.answered(desk, event)
    desk.record(Chain.OPEN, OrderAnswered(event.node, said.id[:80], flag(said.done), said.why[:200], said.siren.value))
    self_tests.answered(desk, event)
    siren_minutes.answered(desk, event)
    conservation.answered(desk, event)


def bad_message(desk: Desk, signs: Signs, event: BadMessageCame) -> None:
    """Record what cannot be used: the first of its sort from its sender, and how many more came in the minute after it.

    What blocks an authentic node's queue is receipted, each time.
    """
    key = (event.node, event.sort.value)
    if key not in signs.bad and len(signs.bad) >= SENDERS_MAX:
        key = ("", event.sort.value)
    running = signs.bad.get(key)
    if running is None:
        signs.bad[key] = Suppressed(desk.at_ms, event)
        _keep(desk, event, 0)
    else:
        running.last, running.counted = event, running.counted + 1
    if event.sort in _RECEIPTED:
        desk.then(GiveReceipt(event.node, Receipt(event.digest, Kept.UNREADABLE)))


def part_failed(desk: Desk, event: PartFailed) -> None:
    """A part of the gateway has a fault."""
    raise_fault(desk, event.subject, event.code, event.detail)


def part_recovered(desk: Desk, signs: Signs, event: PartRecovered) -> None:
    """It works again."""
    if (event.subject, event.code) == BROKER:
        # Nodes need a moment to find the broker again, too.
        for node in signs.heard_at_ms:
            signs.heard_at_ms[node] = desk.at_ms
    end_fault(desk, event.subject, event.code)


def look(desk: Desk, signs: Signs) -> None:
    """Once a beat: who is late, what was only counted, what somebody must be reminded of."""
    signs.look_at_ms = desk.at_ms + desk.policy.times.beat_s * 1000
    for key, running in list(signs.bad.items()):
        if desk.at_ms - running.since_ms >= MINUTE_MS:
            del signs.bad[key]
            if running.counted:
                _keep(desk, running.last, running.counted)
    look_at_faults(desk, signs)
    if BROKER not in desk.state.fault_of:
        look_at_mains(desk, signs)
        clocks.look(desk, signs)
        _look_for_late(desk, signs)
        self_tests.look(desk)
        conservation.look(desk)
        canary.look(desk)
    walk.look(desk, signs)
    siren_minutes.look(desk)
    coverage.look(desk, signs)
    technicians.look(desk)
    shift_change.look(desk)
    suspicion.look(desk)
    gaps.look(desk, signs)
    storm.look(desk)


def _look_for_late(desk: Desk, signs: Signs) -> None:
    times = desk.policy.times
    # A node whose next beat is due within this look may be lost with the others: its fault waits for one more look.
    late_after_ms = times.late_beats * times.beat_s * 1000
    late = [node for node, heard in signs.heard_at_ms.items() if desk.at_ms - heard >= late_after_ms and node in desk.registry.nodes]
    if len(late) >= times.many_late and 2 * len(late) >= len(signs.heard_at_ms):
        raise_fault(desk, *MANY_LATE, f"{len(late)} of {len(signs.heard_at_ms)} nodes")
        return
    end_fault(desk, *MANY_LATE)
    for node in late:
        if desk.at_ms - signs.heard_at_ms[node] >= late_after_ms + times.beat_s * 1000:
            raise_fault(desk, f"node/{node}", LATE)


def start(desk: Desk, signs: Signs) -> None:
    """After a start every node that is known has its beats' grace, and the gateway's parts are well until they say otherwise."""
    for node, life in desk.state.nodes.items():
        if life.boot:
            signs.heard_at_ms[node] = desk.at_ms
    for subject, code in list(desk.state.fault_of):
        if subject.split("/")[0] in PARTS and flapping_of(code) is None:
            end_fault(desk, subject, code)
    signs.look_at_ms = desk.at_ms + desk.policy.times.beat_s * 1000


def look_at_kinds(desk: Desk) -> None:
    """An input whose kind the policy does not have is a fault until one of the two is corrected: its presses are told as panic.

    Those of a kind that was silent are told as the last policy that had it says.
    """
    known = desk.policy.kinds.keys() - desk.policy.kept
    unknown = {(f"node/{one.node}", f"{UNKNOWN_KIND}:{one.input}") for one in desk.registry.inputs.values() if one.kind not in known}
    for key in [key for key in desk.state.fault_of if key[1].startswith(f"{UNKNOWN_KIND}:") and key not in unknown]:
        end_fault(desk, *key)
    for key in sorted(unknown):
        raise_fault(desk, *key)


def look_at_nodes(desk: Desk, signs: Signs) -> None:
    """The faults of a node end when the registry has it no more: it says nothing now, also not that they are mended."""
    for secret, standing in ((False, desk.state.fault_of), (True, desk.state.sealed_faults)):
        for subject, code in list(standing):
            sort, _, node = subject.partition("/")
            if sort == "node" and node not in desk.registry.nodes:
                end_fault(desk, subject, code, secret=secret)
    for node in signs.faults.keys() - desk.registry.nodes.keys():
        # Should it come back, it is asked anew.
        del signs.faults[node]
        signs.power(node, None, desk.now.utc_ms)


def bring_up_to_date(desk: Desk, node: str, settings_rev: int) -> None:
    """Send the node its settings if those that it has are behind."""
    life = desk.state.nodes.get(node)
    if life is not None and life.boot and node in desk.registry.nodes and settings_rev < desk.state.settings_rev:
        desk.then(SendDown(node, desk.policy.settings(life.boot, desk.state.settings_rev, desk.network.inputs_of(node))))


def _heard(desk: Desk, signs: Signs, node: str, boot: str, *, all_sent: bool = False) -> None:
    signs.heard(node, boot, desk.at_ms, desk.now.utc_ms, all_sent=all_sent)
    if desk.state.fault_of and (f"node/{node}", LATE) in desk.state.fault_of:
        end_fault(desk, f"node/{node}", LATE)


def _faults(desk: Desk, signs: Signs, node: str, said: tuple[NodeFault, ...]) -> None:
    """Raise what the node names and did not before; end what it names no more."""
    known = signs.faults.get(node)
    if known is None:
        standing = {*desk.state.fault_of, *desk.state.sealed_faults}
        before = {code for subject, code in standing if subject == f"node/{node}" and said_by_node(subject, code)}
    else:
        before = {_code(fault) for fault in known}
    now = {_code(fault): _secret(desk, node, fault) for fault in said}
    signs.faults[node] = said
    for code in sorted(now.keys() - before):
        raise_fault(desk, f"node/{node}", code, secret=now[code])
    for code in sorted(before - now.keys()):
        end_fault(desk, f"node/{node}", code)
        end_fault(desk, f"node/{node}", code, secret=True)


def _secret(desk: Desk, node: str, fault: NodeFault) -> bool:
    """A fault of a silent button would show that somebody is at it."""
    kind = desk.network.kind_at(node, fault.subject)
    return kind in desk.policy.kinds and desk.policy.is_silent(kind)


def _code(fault: NodeFault) -> str:
    return fault.code if fault.subject == "node" else f"{fault.code}:{fault.subject}"


def _keep(desk: Desk, event: BadMessageCame, suppressed: int) -> None:
    desk.record(Chain.OPEN, BadMessageKept(event.sort.value, event.topic, event.digest, event.size, event.why, event.node, suppressed))
