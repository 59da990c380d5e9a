"""Policies that were put: numbered in each zone, all of them kept, the same again is not another."""

from controller.records import database, policy_store
from controller.records.registry_store import Change
from controller.rules.policy import Policy
from tests.rules.night import POLICY

FIRST, SECOND = Policy.parse(POLICY), Policy.parse(POLICY + "\n")
ROSA = Change("rosa", "command", 5)


def test_each_zone_counts_its_own_and_nothing_is_lost(database_url: str) -> None:
    engine = database.connect(database_url)
    database.migrate(engine)
    assert policy_store.newest_rev(engine, "z1") == 0
    assert policy_store.newest(engine, "z1") is None
    assert policy_store.put(engine, ["z1", "z2"], FIRST, ROSA) == {"z1": 1, "z2": 1}
    assert policy_store.put(engine, ["z1"], FIRST, ROSA) == {"z1": 1}
    assert policy_store.put(engine, ["z1"], SECOND, ROSA) == {"z1": 2}
    assert [one.version for one in policy_store.history(engine, "z1")] == [FIRST.version, SECOND.version]
    assert policy_store.newest(engine, "z1") == policy_store.Put(2, SECOND.version, SECOND.text, 5, "rosa")
    assert policy_store.newest_rev(engine, "z2") == 1
    engine.dispose()
