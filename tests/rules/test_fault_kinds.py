"""The table of faults: every code that is raised has its row and its words, and a district may change a row."""

import re
from collections.abc import Callable
from itertools import product

import pytest

from controller.entries import Chain, NoticeMoved
from controller.errors import BadConfig
from controller.messages import NodeFault
from controller.rules.desk import Desk
from controller.rules.effects import QueueNotice
from controller.rules.inputs import PartFailed, PartRecovered
from controller.rules.mending import faults
from controller.rules.mending.fault_kinds import FAULT_KINDS, Ends, Hears, plain
from controller.rules.policy import Policy
from controller.texts import LANGUAGES, catalogue
from gateway.channel_life import FAILED
from gateway.channels import dc09
from gateway.decisions import CANNOT_COMMIT, STORE
from gateway.modem.life import FAULT_OF, Condition
from node_firmware.health import Health
from tests.rules.night import POLICY, UNHURRIED, Night

NODE_CODES = re.search(r"code: one of (.*?)\.\n", NodeFault.__doc__ or "", re.DOTALL)


def raised() -> set[str]:
    """The row of every code that nodes and parts of the gateway name. Those of the rules are seen in each story: see `Night.does`."""
    found = {f"modem/{code}" for code in (*filter(None, FAULT_OF.values()), *Condition)}
    found |= {f"receiver/{code}" for code in dc09.DETAILS}
    found |= {f"gateway/{FAILED}", f"{STORE.partition('/')[0]}/{CANNOT_COMMIT}", "gateway/down", "cap/expired", "webhook/expired"}
    assert NODE_CODES is not None
    found |= {f"node/{code}" for code in re.findall(r"`([a-z-]+)`", NODE_CODES[1])}
    found |= {f"node/{fault.code}" for fault in everything_is_wrong().faults()}
    return found


def everything_is_wrong() -> Health:
    health = Health()
    health.slow = health.supply = health.unreadable = health.filling = True
    health.guard = health.keys = False
    health.settings_refused = "b1"
    return health


def test_every_code_that_is_raised_has_its_row() -> None:
    assert raised() - FAULT_KINDS.keys() == set()


@pytest.mark.parametrize(("language", "key"), list(product(LANGUAGES, FAULT_KINDS)))
def test_every_row_has_its_words_in_each_language(language: str, key: str) -> None:
    sort, _, code = key.partition("/")
    assert f"fault.{plain(code)}" in catalogue(language)
    assert f"subject.{sort}" in catalogue(language)


def test_a_row_that_a_district_changes_is_told_to_others_later_and_at_another_pace() -> None:
    policy = Policy.parse(POLICY + '[faults_to.of."modem/weak-signal"]\nroles = ["coordinator"]\nafter_s = 900\nrepeat_s = 3600\n')
    night = Night(policy=policy)
    night.does(PartFailed("modem/sim1", "weak-signal"))
    night.passes(880)
    night.expects()
    night.passes(40)
    night.expects(caro="fault")
    night.passes(3600)
    night.expects(caro="fault_reminder")
    night.does(PartRecovered("modem/sim1", "weak-signal"))
    night.passes(601)
    night.expects(caro="fault_ended")


def test_what_ends_before_its_time_is_told_to_nobody() -> None:
    night = Night(policy=Policy.parse(POLICY + '[faults_to.of."modem/weak-signal"]\nafter_s = 900\n'))
    night.does(PartFailed("modem/sim1", "weak-signal"))
    night.passes(600)
    night.does(PartRecovered("modem/sim1", "weak-signal"))
    night.ends_quietly(7200)


def test_a_policy_that_changes_a_fault_that_is_none_is_refused_by_name() -> None:
    with pytest.raises(BadConfig, match=r"faults_to\.of.*modem/weak"):
        Policy.parse(POLICY + '[faults_to.of."modem/weak"]\nafter_s = 900\n')


HEAR = {Hears.MENDERS: ["tito"], Hears.URGENT: ["caro", "tito"], Hears.BLOCK: ["elva"], Hears.ROSTER: ["caro"]}
PLACES = {"node": "b12n1", "block": "b12", "input": "b12n1.b1", "roster": "patrol"}


@pytest.mark.parametrize("key", FAULT_KINDS)
def test_each_fault_is_told_once_to_its_own_reminded_at_its_pace_and_its_end_is_told(key: str) -> None:
    """Raised and ended by hand, at the place where all of them are: the rules' own looks would end at once what is not so."""
    night = Night(policy=UNHURRIED)
    night.all_read()
    sort, _, code = key.partition("/")
    subject, kind = f"{sort}/{PLACES.get(sort, 'x')}", FAULT_KINDS[key]
    hear = {name: ["fault"] for name in HEAR[kind.hears]}

    def at(do: Callable[[Desk], None]) -> dict[str, list[str]]:
        """What people read when that is done, and the looks of a while have passed."""
        desk = Desk("z3", night.zone.state, night.zone.network, night.now, night.now.utc_ms, {})
        do(desk)
        return carried_out(desk)

    def moves(s: float) -> None:
        night.passed_ms += int(s * 1000)

    def look(desk: Desk) -> None:
        faults.look(desk, night.zone.signs)

    def carried_out(desk: Desk) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for effect in desk.effects:
            if isinstance(effect, QueueNotice):
                assert effect.notice.about["fault"] == code
                found.setdefault(effect.notice.member, []).append(effect.notice.template)
                desk.record(Chain.OPEN, NoticeMoved(effect.notice.id, "notified"))
        return found

    def rises(desk: Desk) -> None:
        if kind.ends is Ends.UNSEEN:
            faults.seen(desk, night.zone.signs, subject, code)
        else:
            faults.raise_fault(desk, subject, code)

    told = at(rises)
    if kind.after_s:
        assert told == {}, "not before its time"
        moves(kind.after_s - 1)
        assert at(look) == {}
        moves(1)
        told = at(look)
    assert told == hear
    assert at(rises) == at(look) == {}, "once"
    if kind.ends is Ends.UNSEEN:
        moves(3599)
        assert at(look) == {}
        moves(1)
        assert at(look) == {name: ["fault_ended"] for name in hear}
        assert night.zone.state.fault_of == {}
        return
    pace_s = kind.repeat_s or night.policy.times.fault_repeat_s
    for _ in range(2):
        moves(pace_s - 1)
        assert at(look) == {}, "not sooner than its pace"
        moves(1)
        assert at(look) == {name: ["fault_reminder"] for name in hear}
    assert at(lambda desk: faults.end_fault(desk, subject, code)) == {name: ["fault_ended"] for name in hear}
    assert night.zone.state.fault_of == {}
    moves(10 * pace_s)
    assert at(look) == {}, "and nothing more"
