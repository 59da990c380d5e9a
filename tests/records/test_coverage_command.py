"""`cuadra coverage`, as somebody types it."""

import time

from controller.entries import Chain, CoverageChanged, ReplyReceived
from controller.records.store import Store
from tests.typed import Cuadra

WEEK_MS = 7 * 86_400_000


def test_those_on_duty_see_which_block_is_not_protected_and_the_public_a_share_of_a_week_ago(
    store: Store, database_url: str, cuadra: Cuadra,
) -> None:
    now_ms = time.time_ns() // 1_000_000
    told = [(now_ms - 3 * WEEK_MS, "b12", ""), (now_ms - 3 * WEEK_MS, "b13", "node-late"), (now_ms - 60_000, "b12", "nobody-on-duty")]
    store.commit([(Chain.OPEN, at_ms, CoverageChanged(block, why)) for at_ms, block, why in told])
    live = cuadra("coverage", "--database", database_url).stdout
    assert "b12  NOT PROTECTED since" in live
    assert "nobody-on-duty" in live
    public = cuadra("coverage", "--database", database_url, "--public").stdout
    assert "2 blocks, protected 50 % of the time" in public
    assert "b12" not in public


def test_before_a_gateway_has_run_it_says_what_to_do(store: Store, database_url: str, cuadra: Cuadra) -> None:
    store.commit([(Chain.OPEN, 1, ReplyReceived("sms", "drill"))])
    said = cuadra("coverage", "--database", database_url).stdout
    assert "nothing on record yet" in said
    assert "Start it" in said
