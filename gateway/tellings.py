"""From a queued notice to what a channel is given: the text, the event for machines, the private values joined.

It is made at the moment of the try and kept nowhere. (The design's section 7: a notice stores member, channel and template;
number and words are joined when it is sent.)
"""

from collections.abc import Callable
from itertools import takewhile
from typing import Final, Literal, NamedTuple

from msgspec.structs import replace

from controller import public_numbers
from controller.entries import Chain, NoticeQueued
from controller.errors import CuadraError
from controller.registry import Registry
from controller.rules.effects import QueueNotice
from controller.rules.incident import Incident
from controller.rules.policy_kinds import TEST
from controller.rules.telling import MACHINES
from controller.rules.zone import ZoneController
from controller.texts import ADDRESSED, TextFacts, compose
from gateway.channels.channel import Event, Place, Telling
from gateway.contacts import Contacts

StepName = Literal["opened", "updated", "cancelled", "test"]

STEPS: Final[dict[str, StepName]] = {
    "alarm": "opened", "late": "opened", "police": "opened", "help": "opened",
    "closed": "cancelled",
    "test": "test", "canary": "test",
}
"""What a template means to a machine; every other one is news of an incident it knows, also that the block takes it back:
somebody still looks, and one person's word does not stop the police."""
ARRIVED: Final = frozenset({"notified", "delivered", "heard"})
LINE_NUMBERS: Final = 4999
"""How many line numbers each chain has at an address; sealed ones lie above, so that no gap below shows them."""
MARK_SEPTETS: Final = len("(2) ")
"""What is left free in a further try: an SMS that may be a repetition says so, and stays one SMS."""


class Happened(NamedTuple):
    """What an event is about: an incident, or a test."""

    id: str
    block: str
    kind: str
    node: str
    input: str
    pressed_from_at_ms: int
    pressed_to_at_ms: int
    code: str = ""
    silent: bool = False
    drill: bool = False
    late: bool = False


class Tellings:
    """Makes tellings from the state as it is now."""

    def __init__(self, core: ZoneController, contacts: Contacts, utc_ms: Callable[[], int]) -> None:
        self._core = core
        self._contacts = contacts
        self._utc_ms = utc_ms

    def compose(self, effect: QueueNotice) -> Telling:
        """What to send for `effect`.

        Raises CuadraError when its member cannot be reached that way any more.
        """
        queued, state, registry = effect.notice, self._core.state, self._core.network.registry
        address, language = self._reached(queued, registry)
        notice = state.notices.get(queued.id)
        chain = notice.chain if notice is not None else Chain.OPEN
        incident = state.incidents.get(effect.incident)
        facts = self._facts(queued, incident, registry)
        machine = queued.channel in MACHINES
        if machine and notice is not None:
            # A machine gets the same at every try, or it could not tell a repeat from news.
            facts = replace(facts, made_at_ms=notice.made_at_ms, kind=notice.kind or facts.kind)
        words = compose(queued.template, facts, language, spare=MARK_SEPTETS if effect.attempt > 1 and not machine else 0)
        number = (queued.number - 1) % LINE_NUMBERS + 1
        return Telling(
            key=queued.id,
            attempt=effect.attempt,
            number=number + LINE_NUMBERS if chain is Chain.SEALED else number,
            address=address,
            text=words.text,
            title=words.title,
            language=language,
            event=self._event(queued, incident, facts) if incident is not None
            else self._test(queued, facts) if STEPS.get(queued.template) == "test" else None,
            secret=chain is Chain.SEALED,
        )

    def _reached(self, queued: NoticeQueued, registry: Registry) -> tuple[str, str]:
        """Where it goes, and in which language."""
        if queued.to:
            return self._contacts.stranger(queued.to), registry.district.language
        member = registry.members.get(queued.member)
        if member is None:
            raise CuadraError(f"member {queued.member} is not in the registry any more")
        address = self._contacts.address(queued.member, queued.channel, int(queued.about.get("contact", "0")))
        if public_numbers.refused(self._core.network.policy.police, queued.channel, address):
            raise CuadraError(f"member {queued.member}'s {queued.channel} contact is a public emergency number, which no machine dials")
        return address, member.language

    def _facts(self, queued: NoticeQueued, incident: Incident | None, registry: Registry) -> TextFacts:
        about = queued.about
        by = registry.members.get(about.get("by", ""))
        who = by.call_sign if by is not None else about.get("by", "")
        made_at_ms, timezone = self._utc_ms(), registry.district.timezone
        if incident is None:
            block = registry.blocks.get(about.get("block", ""))
            blocks = [registry.blocks[one].name if one in registry.blocks else one for one in about.get("blocks", "").split()]
            at_ms = int(about.get("at_ms", made_at_ms))
            since = zip(blocks, map(int, about.get("since", "").split()), strict=False)
            return TextFacts(
                code=about.get("code", ""), who=who, others=tuple(about.get("codes", "").split()), fault=about.get("fault", ""),
                subject=about.get("subject", ""), made_at_ms=made_at_ms, pressed_to_at_ms=at_ms,
                pressed_from_at_ms=int(about.get("from_ms", at_ms)),
                timezone=timezone, calls=self._calls(queued, registry),
                block_name=block.name if block is not None else ", ".join(blocks) or about.get("block", ""), count=about.get("count", ""),
                kind=about.get("kind", ""), unprotected=tuple(since), why=about.get("why", ""),
                meeting_point=block.meeting_point if block is not None else "", drill=about.get("drill", "") == "1",
            )
        block = registry.blocks.get(incident.block)
        return TextFacts(
            kind=incident.kind, silent=incident.secret, drill=incident.drill, late=incident.late, code=incident.code,
            block_name=block.name if block is not None else incident.block, meeting_point=block.meeting_point if block is not None else "",
            pressed_from_at_ms=incident.pressed_from_at_ms, pressed_to_at_ms=incident.pressed_to_at_ms, made_at_ms=made_at_ms, timezone=timezone,
            who=who, others=tuple(about.get("codes", "").split()), outcome=about.get("outcome", ""),
            code2=about.get("was", ""),
            number=about.get("number", ""),
            address=self._address(registry, incident) if queued.template in ADDRESSED else "",
        )

    def _calls(self, queued: NoticeQueued, registry: Registry) -> tuple[tuple[str, str], ...]:
        """What a summary calls to and is not taken back; all of it when everything is."""
        found = [notice for ident in queued.about.get("notices", "").split() if (notice := self._core.state.notices.get(ident)) is not None]
        named = {notice.incident: None for notice in found if notice.state != "stopped"} or {notice.incident: None for notice in found}
        incidents = [self._core.state.incidents[ident] for ident in named]
        return tuple((one.code, registry.blocks[one.block].name if one.block in registry.blocks else one.block) for one in incidents)

    def _address(self, registry: Registry, incident: Incident) -> str:
        found = registry.inputs.get((incident.node, incident.input))
        return self._contacts.value(found.address_ref) if found is not None else ""

    def _event(self, queued: NoticeQueued, incident: Incident, facts: TextFacts) -> Event:
        earlier = self._earlier(queued, incident)
        step = STEPS.get(queued.template, "updated")
        return self._built(
            Happened(incident.id, incident.block, facts.kind, incident.node, incident.input, incident.pressed_from_at_ms,
                     incident.pressed_to_at_ms, incident.code, silent=incident.secret, drill=incident.drill, late=incident.late),
            "opened" if queued.template == "repeat" and not earlier else step, facts.made_at_ms, facts, earlier,
        )

    def _earlier(self, queued: NoticeQueued, incident: Incident) -> tuple[tuple[str, int], ...]:
        """What this machine has had of the incident before this notice: it leaves when those before it are over."""
        notices = self._core.state.notices
        before = takewhile(lambda one: one[0] != queued.id, incident.machines.get((queued.member, queued.channel), []))
        return tuple((key, at_ms) for key, at_ms in before if notices[key].state in ARRIVED
                     and notices[key].queued.about.get("contact", "0") == queued.about.get("contact", "0"))

    def _test(self, queued: NoticeQueued, facts: TextFacts) -> Event:
        """A test opens no incident: its event bears the test's own id."""
        about = queued.about
        made_at_ms = facts.made_at_ms
        what = Happened(queued.id.rpartition("-")[0], about.get("block", ""), about.get("kind", TEST),
                        about.get("subject", "").removeprefix("node/"), about.get("input", ""), made_at_ms, made_at_ms, drill=facts.drill)
        return self._built(what, "test", made_at_ms, facts, ())

    def _built(self, what: Happened, step: StepName, made_at_ms: int, facts: TextFacts, earlier: tuple[tuple[str, int], ...]) -> Event:
        registry, policy = self._core.network.registry, self._core.network.policy
        block, pressed = registry.blocks.get(what.block), registry.inputs.get((what.node, what.input))
        codes = policy.kind(what.kind).codes
        place = Place(what.block, facts.block_name, facts.meeting_point)
        if block is not None:
            place = Place(block.id, block.name, block.meeting_point, block.landmark, block.vehicle_point, block.latitude, block.longitude,
                          facts.address)
        return Event(
            step=step, incident=what.id, kind=what.kind, code=what.code, zone=registry.zone.id, zone_name=registry.zone.name,
            place=place, node=what.node, input=what.input, pressed_from_at_ms=what.pressed_from_at_ms,
            pressed_to_at_ms=what.pressed_to_at_ms, made_at_ms=made_at_ms, silent=what.silent, drill=what.drill, late=what.late,
            cid=codes.cid, sia=codes.sia, restore_sia=codes.restore_sia, cap_category=codes.cap_category,
            cap_event=codes.cap_event or what.kind, severity=codes.severity,
            zone_number=pressed.number if pressed is not None else 0, earlier=earlier,
        )
