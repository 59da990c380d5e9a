"""What a receiver is told, and what its answers mean."""

from typing import Any

import pytest

from controller.dc09_address import parse_address
from controller.errors import BadMessage
from gateway.channels.dc09_frame import Frame
from gateway.channels.dc09_message import Reply, judge, message, sequence
from tests.channels.tellings import PLACE, PRESSED_AT_MS, event

CID = parse_address("dc09://1234@police.example:12300?format=adm-cid")
SIA = parse_address("dc09://1234@police.example:12300?format=sia-dcs")


@pytest.mark.parametrize(("changes", "cid", "sia"), [
    ({}, "1120 01 007", "Nri1/PA7"),
    ({"cid": "122", "sia": "HA", "zone_number": 321}, "1122 01 321", "Nri1/HA321"),
    ({"step": "updated", "cid": "129", "sia": "HA"}, "6129 01 007", "Nri1/HA7"),
    ({"step": "cancelled"}, "3120 01 007", "Nri1/PR7"),
    ({"step": "test"}, "1602 01 007", "Nri1/RP7"),
    ({"step": "test", "drill": True}, "1602 01 007", "Nri1/RP7"),
    ({"drill": True}, "1607 01 007", "Nri1/TS7"),
    ({"step": "updated", "drill": True}, "1607 01 007", "Nri1/TS7"),
    ({"step": "cancelled", "drill": True}, "3607 01 007", "Nri1/TE7"),
])
def test_each_step_has_its_codes_and_a_drill_never_an_alarms(changes: dict[str, Any], cid: str, sia: str) -> None:
    assert message(event(**changes), 1, CID).data == f"#1234|{cid}"
    assert message(event(**changes), 1, SIA).data == f"#1234|{sia}"


def test_place_and_late_time_go_along_and_contact_id_carries_one_at_most() -> None:
    late = event(late=True, pressed_from_at_ms=PRESSED_AT_MS)
    assert message(late, 1, SIA).extended == ("X077W02.370", "Y12S03.642", "H12:34:56,01-15-2026")
    assert message(late, 1, CID).extended == ("H12:34:56,01-15-2026",)
    assert message(event(), 1, CID).extended == ()
    assert message(event(place=type(PLACE)("b1", "x", "y")), 1, SIA).extended == ()


def test_the_sequence_is_the_notices_own_and_wraps_past_zero() -> None:
    assert [sequence(n) for n in (1, 9998, 9999, 10_000, 19_999)] == [1, 9998, 9999, 1, 1]


@pytest.mark.parametrize(("address", "named"), [
    ("http://1234@h:1", "scheme"), ("dc09://12@h:1", "account"), ("dc09://xyz@h:1", "account"), ("dc09://1234@h", "port"),
    ("dc09://1234@:5", "host"), ("dc09://1234@h:1?format=x", "format"), ("dc09://1234@h:1?transport=udp", "transport"),
    ("dc09://1234@h:1?key=5EC2E7", "key"), ("dc09://1234@h:1?receiver=1234567", "receiver"), ("dc09://1234@h:1?k=1", "option"),
    ("dc09://1234@h:99999", "not a URL"), ("dc09://1234@h:1?line=z", "line"), ("dc09://1234@h:1?line=1&line=2", "twice"),
])
def test_a_faulty_address_is_named_by_its_part_and_never_shown(address: str, named: str) -> None:
    with pytest.raises(BadMessage) as refused:
        parse_address(address)
    assert named in str(refused.value)
    assert "1234@" not in str(refused.value)
    assert "5EC2E7" not in str(refused.value)


def test_an_address_says_who_we_are() -> None:
    to = parse_address("dc09://5544aa@[::1]:12300?format=adm-cid&key=30313233343536373839414243444546&receiver=2&line=a5")
    assert (to.account, to.label, to.key, to.receiver, to.line) == ("5544AA", "ADM-CID", b"0123456789ABCDEF", "2", "A5")
    assert to.place == "[::1]:12300"


CLEAR = Frame("ADM-CID", 5, "1234", "1", "0", "#1234|1120 01 007", (), 1000)
SEALED = Frame("ADM-CID", 5, "1234", "1", "0", "#1234|1120 01 007", (), 1000, encrypted=True)


@pytest.mark.parametrize(("sent", "reply", "meaning"), [
    (CLEAR, Frame("ACK", 5, "1234"), Reply.ACCEPTED),
    (CLEAR, Frame("ACK", 5, "01234"), Reply.ACCEPTED),
    (CLEAR, Frame("RSP", 5, "1234", data="x"), Reply.ACCEPTED),
    (CLEAR, Frame("ACK", 6, "1234"), Reply.NOT_OURS),
    (CLEAR, Frame("ACK", 5, "1235"), Reply.NOT_OURS),
    (CLEAR, Frame("ACK", 5, ""), Reply.NOT_OURS),
    (CLEAR, Frame("DUH", 5, "1234"), Reply.NOT_UNDERSTOOD),
    (CLEAR, Frame("DUH", 6, "1234"), Reply.NOT_OURS),
    (CLEAR, Frame("NAK", 0, "", at_s=1), Reply.OTHER_TIME),
    (CLEAR, Frame("NAK", 0, ""), Reply.REFUSED),
    (CLEAR, Frame("NULL", 5, "1234"), Reply.NOT_OURS),
    (SEALED, Frame("ACK", 5, "1234", at_s=1000), Reply.NOT_OURS),
    (SEALED, Frame("ACK", 5, "1234", at_s=1000, encrypted=True), Reply.ACCEPTED),
    (SEALED, Frame("ACK", 5, "1234", at_s=900, encrypted=True), Reply.NOT_OURS),
    (SEALED, Frame("DUH", 5, "1234"), Reply.NOT_UNDERSTOOD),
])
def test_only_an_answer_to_this_message_counts_and_a_sealed_one_needs_a_sealed_answer_of_now(
    sent: Frame, reply: Frame, meaning: Reply
) -> None:
    assert judge(sent, reply, receiver_now_s=1000) is meaning
