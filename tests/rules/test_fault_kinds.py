"""The table of faults: every code that is raised has its row and its words, and a district may change a row."""

import re
from itertools import product

import pytest

from controller.errors import BadConfig
from controller.messages import NodeFault
from controller.rules.inputs import PartFailed, PartRecovered
from controller.rules.mending.fault_kinds import FAULT_KINDS, plain
from controller.rules.policy import Policy
from controller.texts import LANGUAGES, catalogue
from gateway.channel_life import FAILED
from gateway.channels import dc09
from gateway.decisions import CANNOT_COMMIT, STORE
from gateway.modem.life import FAULT_OF, Condition
from node_firmware.health import Health
from tests.rules.night import POLICY, Night

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
