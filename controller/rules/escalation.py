"""Rings and deadlines: who is told next until somebody takes it, what happens when nobody comes, how it ends.

An open incident always has a step with a due time. While nobody has taken it that is the policy's next ring, and at last the
last ring again and again. Once taken, whoever took it is asked whether they are there, and without an answer the rings go on.
Once somebody is there, they are asked how it goes. Once the block has taken it back, one member after the other is asked to look.
"""

from typing import Final

from controller.entries import Chain, IncidentMoved, NoticeMoved, OrderSent
from controller.messages import SirenOff, SirenOn
from controller.rules.calling import mutual_aid, police, responders, whole_zone
from controller.rules.calling.rings import on_ring
from controller.rules.console import verification
from controller.rules.console.measuring import measure
from controller.rules.desk import Desk
from controller.rules.effects import SendOrder
from controller.rules.incident import CHECK, EXPIRE, LOOK, QUIET, UNANSWERED, Happening, Incident, step
from controller.rules.policy_kinds import TAMPER, Police
from controller.rules.remembered import Notice, SeqsHeard
from controller.rules.telling import MACHINES, URGENT, Way, news, other_way, priority_of, stop, tell, to_be_told, told_at_all, way_to

HEARD: Final = "heard"
"""The timer that rings when a ring's time to be heard is over."""
ANSWER_S: Final = 180
"""How long whoever is asked whether they are there has to answer."""
QUIET_S: Final = 6 * 3600
"""Somebody was there and nothing more was heard for so long: closed by the rules, outcome unknown."""
CALLS: Final = frozenset({"FIRST", "ESCALATED", "REPEAT_DUE", "POLICE", "LOOK"})
"""Reasons for which somebody might set out."""


def open_rings(desk: Desk, incident: Incident) -> None:
    """Tell the first ring and, where the policy says so, the police; set the next step."""
    if verification.police_when(desk, incident) is Police.IMMEDIATELY:
        police.offer(desk, incident)
    elif incident.late and (wait_s := desk.kind_of(incident).late_police_s):
        desk.set_timer(incident, verification.WELFARE, wait_s)
    tell_ring(desk, incident, 0)


def due(desk: Desk, incident: Incident) -> None:
    """The incident's step is due; sets the next one, later than now."""
    match incident.step:
        case step_ if step_ >= 0:
            tell_ring(desk, incident, step_)
        case _ if incident.step == CHECK:
            news(desk, incident, "asked", "ASKED", to=incident.takers, priority=priority_of(desk, incident, 0))
            desk.set_step(incident, EXPIRE, ANSWER_S)
        case _ if incident.step == EXPIRE:
            # Taken, asked after, and nobody came: the taking is no longer believed.
            desk.record(incident.chain, IncidentMoved(incident.id, step(incident.state, Happening.EXPIRED), "rules"))
            tell_ring(desk, incident, incident.ring)
            light(desk, incident)
        case _ if incident.step == QUIET:
            # Counted, since a wall clock may jump by hours.
            if incident.asked * desk.policy.times.on_scene_s >= QUIET_S:
                close(desk, incident, "rules", "", "unknown")
            else:
                news(desk, incident, "how_is_it", "ASKED", to=incident.present)
                desk.set_step(incident, UNANSWERED, responders.ANSWER_S)
        case _ if incident.step == UNANSWERED:
            responders.unanswered(desk, incident)
        case _:
            look(desk, incident)


def longest_s(desk: Desk, incident: Incident) -> int:
    """How long its step waits at most, from when it is set."""
    kind, times = desk.kind_of(incident), desk.policy.times
    match incident.step:
        case place if 0 < place < len(kind.steps):
            return kind.steps[place].after_s - kind.steps[place - 1].after_s
        case place if place >= 0:
            return kind.repeat_s
        case _ if incident.step in {EXPIRE, UNANSWERED}:
            return ANSWER_S
        case _ if incident.step == QUIET:
            return times.on_scene_s
        case _:
            return times.taken_s


def tell_ring(desk: Desk, incident: Incident, place: int) -> None:
    """Tell ring `place` of the policy; past the last one, the last one again. A ring of nobody does not hold up the next."""
    kind = desk.kind_of(incident)
    last = len(kind.steps) - 1
    again = place > last
    place = min(place, last)
    to = [way for way in ring(desk, incident, place) if again or to_be_told(desk, incident, way)]
    while not to and place < last:
        place += 1
        to = [way for way in ring(desk, incident, place) if to_be_told(desk, incident, way)]
    reason = "REPEAT_DUE" if again else "FIRST" if place == 0 else "ESCALATED"
    _call(desk, incident, to, "late" if incident.late and not again else "repeat" if again else "alarm", reason, place)
    if kind.steps[place].everybody and not again:
        whole_zone.tell_everybody(desk, incident, kind.steps[place])
    desk.end_timer(incident, HEARD)
    if place < last:
        desk.set_step(incident, place + 1, kind.steps[place + 1].after_s - kind.steps[place].after_s)
        if kind.steps[place].heard_s:
            desk.set_timer(incident, HEARD, kind.steps[place].heard_s)
    else:
        desk.set_step(incident, last + 1, kind.repeat_s)


def call_ring(desk: Desk, incident: Incident, place: int) -> None:
    """Call those of a ring who know nothing yet; no step moves."""
    to = [way for way in ring(desk, incident, place) if to_be_told(desk, incident, way)]
    _call(desk, incident, to, "late" if incident.late else "alarm", "ESCALATED", place)
    if desk.kind_of(incident).steps[place].everybody:
        whole_zone.tell_everybody(desk, incident, desk.kind_of(incident).steps[place])


def call_all(desk: Desk, incident: Incident, first: Incident) -> None:
    """A responder in need: everybody who knows of the `first` incident and the last ring are called at once, and then again and again."""
    last = len(desk.kind_of(incident).steps) - 1
    known = [way for member in first.told if (way := way_to(desk, first, member)) is not None and way.channel not in MACHINES]
    to = {way.member: way for way in [*ring(desk, incident, last), *known] if way.member != incident.in_need and desk.may_know(incident, way.member)}
    _call(desk, incident, [way for way in to.values() if not told_at_all(desk, incident, way.member)], "help", "FIRST", 0)
    desk.set_step(incident, last + 1, desk.kind_of(incident).repeat_s)


def _call(desk: Desk, incident: Incident, to: list[Way], template: str, reason: str, place: int) -> None:
    if incident.in_need:
        tell(desk, incident, [way for way in to if way.member != incident.in_need], "help", reason, URGENT, by=incident.in_need)
    else:
        until = desk.kind_of(incident).steps[place].until
        about = {"until": until} if until is not None else {}
        tell(desk, incident, to, template, reason, priority_of(desk, incident, place), **about)
    responders.warn(desk, incident, to)


def ring(desk: Desk, incident: Incident, place: int) -> list[Way]:
    """Whom step `place` of the policy tells, and how: nobody who is excluded, and who cannot go only when nobody else is left.

    When nobody of the last ring is on duty, everybody with its roles is told: it is never silent.
    """
    found = everybody_on(desk, incident, place)
    last = place == len(desk.kind_of(incident).steps) - 1
    return [way for way in found if way.member not in incident.refused] or (found if last else [])


def everybody_on(desk: Desk, incident: Incident, place: int) -> list[Way]:
    """The same, whatever they have said."""
    found = on_ring(desk.network, desk.kind_of(incident), incident.block, place, desk.now.utc_ms, desk.excluded(incident))
    return whole_zone.in_time(desk, incident, found, place) if desk.kind_of(incident).steps[place].within_s else found


def goes_on(incident: Incident, notice: Notice) -> bool:
    """Whether what a notice says is still to be told by another way: of what is over that it is, and of what is not all else."""
    return incident.is_open != (notice.queued.reason == "ENDED")


def failed(desk: Desk, incident: Incident, notice: Notice) -> None:
    """A notice failed for good: another way, or the police later, or the next ring at once when nobody of the rings so far can be reached."""
    if other_way(desk, incident, notice):
        return
    if notice.queued.reason == "POLICE":
        police.offer_again(desk, incident)
    if notice.queued.reason not in {"FIRST", "ESCALATED"}:
        return
    reached = any(
        desk.state.notices[ident].state != "failed" for notices in incident.told.values() for ident in notices
        if desk.state.notices[ident].queued.reason in {"FIRST", "ESCALATED"}
    )
    if not reached and 0 <= incident.step < len(desk.kind_of(incident).steps):
        tell_ring(desk, incident, incident.step)


def reached_after_all(desk: Desk, incident: Incident, notice: Notice, moved: NoticeMoved) -> None:
    """What was taken back was under way and went out (`moved`): whoever has it, and was told nothing else, hears how it stands."""
    member = notice.queued.member
    knew = told_at_all(desk, incident, member)
    desk.record(notice.chain, moved)
    if knew or notice.queued.reason not in CALLS:
        return
    if not incident.is_open:
        news(desk, incident, "closed", "ENDED", to=[member], outcome=incident.outcome)
    elif incident.present:
        news(desk, incident, "on_scene", "ARRIVED", to=[member], by=incident.present[-1])
    elif incident.takers:
        news(desk, incident, "taken", "TAKEN", to=[member], by=incident.takers[-1])
    elif incident.cancelled:
        news(desk, incident, "cancelled", "CANCELLED", to=[member])


def go_on(desk: Desk, incident: Incident) -> None:
    """Nobody has it any more: the rings go on where they stood, at once."""
    tell_ring(desk, incident, incident.ring)


def reopened(desk: Desk, incident: Incident, by: str = "") -> None:
    """It goes on after all, one ring wider than it was; everybody who knew but `by`, who did it, hears that."""
    missed = police.missed(desk, incident)
    if missed:
        # Every line of theirs failed when it was over already.
        police.offer(desk, incident)
    elif police.told(desk, incident):
        police.press_on(desk, incident)
    news(desk, incident, "reopened", "REOPENED", but=[*missed, by], priority=priority_of(desk, incident, 0))
    tell_ring(desk, incident, min(max(1, incident.ring), len(desk.kind_of(incident).steps) - 1))
    light(desk, incident)


def look(desk: Desk, incident: Incident) -> None:
    """Ask the next member to look after what the block has taken back; close it when all were asked."""
    way = looker(desk, incident)
    if way is not None:
        tell(desk, incident, [way], "look", "LOOK", priority_of(desk, incident, 0))
        desk.set_step(incident, LOOK, desk.policy.times.taken_s)
    else:
        close(desk, incident, "rules", "", "cancelled")


def looker(desk: Desk, incident: Incident) -> Way | None:
    """Whose turn it is to look: the next one of the first ring that has anybody to ask; None when all of that ring were asked."""
    for place in range(len(desk.kind_of(incident).steps)):
        found = everybody_on(desk, incident, place)
        left = [way for way in found if way.member not in incident.looks and way.member not in incident.refused]
        if left or any(way.member in incident.looks for way in found):
            return left[0] if left else None
    return None


def close(desk: Desk, incident: Incident, by: str, channel: str, outcome: str) -> None:
    """End it: sirens off, the police and everybody who knows are told.

    One person's word does not take the alarm back from those on duty who have not read it yet.
    """
    outcome = "drill" if incident.drill else outcome
    sure = responders.enough(desk, incident) or len(incident.doubters) > 1 or incident.cancelled
    desk.record(incident.chain, IncidentMoved(incident.id, step(incident.state, Happening.ENDED), by, channel, outcome))
    stop(desk, incident, {"ESCALATED", "REPEAT_DUE", "ZONE", "TAKEN", "ASKED", "LOOK"} | ({"FIRST"} if sure else set()))
    sirens(desk, incident, on=False)
    news(desk, incident, "closed", "ENDED", but=[by], outcome=outcome)
    measure(desk, incident)
    light(desk, incident)


def light(desk: Desk, incident: Incident) -> None:
    """Show it at the block's buttons, unless it is nobody's business there."""
    if not incident.secret and not incident.in_need and incident.kind != TAMPER:
        for block in incident.blocks:
            desk.light_block(block)


def sirens(desk: Desk, incident: Incident, *, on: bool, but: str = "") -> None:
    """Sound, or stop, the sirens of its blocks' nodes; `but`: the node that sounds its own already.

    What calls for the sirens in another emergency of a block goes on calling for them: the end of one never silences the next.
    The neighbours' strobes go with them.
    """
    mutual_aid.strobes(desk, incident, on=on)
    if incident.secret or incident.in_need or not desk.policy.kind(incident.kind).siren or (on and (incident.late or incident.drill)):
        return
    for block in incident.blocks:
        others = (desk.state.incidents[ident] for ident in desk.state.in_block.get(block, {}) if ident != incident.id)
        if on or not any(_calls_for_sirens(desk, other) for other in others):
            _sirens_of(desk, incident, block, on=on, but=but)


def _sirens_of(desk: Desk, incident: Incident, block: str, *, on: bool, but: str) -> None:
    for node in desk.network.nodes_of(block):
        life = desk.state.nodes.get(node)
        if life is None or not life.boot or life.gone or (on and node == but):
            continue
        heard = desk.state.seqs_heard.get(node, {}).get(life.boot, SeqsHeard())
        _order(desk, incident, node, life.boot, SirenOn(incident.kind, desk.policy.times.siren_s) if on else SirenOff(heard.last, heard.missing))


def _order(desk: Desk, incident: Incident, node: str, boot: str, order: SirenOn | SirenOff) -> None:
    ident = desk.order_id(incident.id, node)
    desk.record(Chain.OPEN, OrderSent(node, boot, ident, "siren-on" if isinstance(order, SirenOn) else "siren-off", incident.id))
    desk.then(SendOrder(node, boot, ident, order))


def sound_on(desk: Desk) -> None:
    """After a start: what an earlier life had decided to sound, and no node has answered, is ordered again for the time that is left."""
    for node, called in list(desk.state.sirens.unanswered.items()):
        incident, life = desk.state.incidents.get(called.order.incident), desk.state.nodes.get(node)
        left_s = desk.policy.times.siren_s - max(0, desk.now.utc_ms - called.at_ms) // 1000
        if incident is not None and life is not None and life.boot == called.order.boot and left_s > 0 and _calls_for_sirens(desk, incident):
            _order(desk, incident, node, life.boot, SirenOn(incident.kind, left_s))


def _calls_for_sirens(desk: Desk, incident: Incident) -> bool:
    silenced = incident.secret or bool(incident.in_need) or incident.late or incident.drill or incident.cancelled
    return incident.is_open and not silenced and desk.policy.kind(incident.kind).siren
