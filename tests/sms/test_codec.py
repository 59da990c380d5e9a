"""Bytes: the vectors one by one, properties, and two codecs that nobody here wrote (libGammu is asked in test_foreign_drivers.py)."""

from datetime import UTC, datetime

import gsm0338  # type: ignore[import-untyped]  # it brings no types
import gsmmodem.pdu  # type: ignore[import-untyped]  # it brings no types
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller import gsm7
from controller.errors import BadMessage
from gateway.modem.incoming import normalised
from gateway.modem.pdu import (
    Address,
    Concat,
    Deliver,
    StatusReport,
    decode_incoming,
    encode_submits,
    gsm7_text,
    pack,
    split,
    unpack,
)
from simulators.phone_pdu import decode_submit, encode_delivers, encode_report

ROSA = "+51987654321"
IN_ALPHABET = st.text(st.sampled_from(sorted(gsm7.CODES)), max_size=700)
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=400)
INTERNATIONAL = st.from_regex(r"\+[0-9]{3,15}", fullmatch=True)
NUMBERS = st.from_regex(r"\+?[0-9]{3,15}", fullmatch=True)

VECTORS = [
    ("ALERTA Z7: panico Mz C Lt 7 12:34", 42,
     "0021000B911589674523F10000214166514A0D82B4371D081E76A7C76F50530F1A829874D00D1493E96634"),
    ("Pánico Mz C", 35, "0021000B911589674523F1000816005000E1006E00690063006F0020004D007A00200043"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "length", "octets"), VECTORS)
def test_submit_byte_for_byte(text: str, length: int, octets: str) -> None:
    assert encode_submits(ROSA, text, ref=0, validity_minutes=None) == [(octets, length)]


def test_submit_in_two_parts_byte_for_byte() -> None:
    first, second = encode_submits(ROSA, "x" * 200, ref=0x25, validity_minutes=None)
    assert first.octets.startswith("0061000B911589674523F10000A0050003250201F0783C")
    assert (first.length, second.length) == (153, 61)


def test_an_alarm_is_valid_for_an_hour() -> None:
    (submit,) = encode_submits(ROSA, "hola", ref=0)
    assert submit.octets.startswith("0031000B911589674523F100000B04")
    assert decode_submit(*submit).validity_minutes == 60


def test_deliver_and_report_byte_for_byte() -> None:
    assert decode_incoming("07911599999999F9040B911589674523F100006210511243650005C8329BFD06") == Deliver(
        Address(ROSA), "Hello", datetime(2026, 1, 15, 21, 34, 56, tzinfo=UTC)
    )
    at = datetime(2026, 1, 15, 7, 34, 56, tzinfo=UTC), datetime(2026, 1, 15, 7, 34, 57, tzinfo=UTC)
    report = decode_incoming("07911599999999F9060B0B911589674523F1621051214365026210512143750200")
    assert report == StatusReport(11, Address(ROSA), *at, 0)


def test_a_stamp_of_lima_has_its_quarters() -> None:
    message = decode_incoming("07911599999999F9040B911589674523F1000062105112436" + "50A" + "05C8329BFD06")
    assert isinstance(message, Deliver)
    assert message.sent_at == datetime(2026, 1, 16, 2, 34, 56, tzinfo=UTC)


@given(IN_ALPHABET)
def test_the_alphabet_is_the_one_of_gsm0338(text: str) -> None:
    codes = [code for character in text for code in gsm7.CODES[character]]
    assert bytes(codes) == gsm0338.Codec().encode(text)[0]
    assert gsm7.septets(text) == len(codes)
    assert gsm7_text(codes) == text


@given(st.lists(st.integers(0, 127), max_size=160), st.integers(0, 6))
def test_packing_and_unpacking(septets: list[int], fill: int) -> None:
    assert unpack(pack(septets, fill), len(septets), fill) == septets


@given(ANY_TEXT | IN_ALPHABET)
def test_parts_join_to_the_text_and_each_fits(text: str) -> None:
    parts = split(text)
    assert "".join(parts) == text
    in_gsm7 = gsm7.is_gsm7(text)
    for part in parts:
        size = gsm7.septets(part) if in_gsm7 else len(part.encode("utf-16-be")) // 2
        assert size <= ((160 if in_gsm7 else 70) if len(parts) == 1 else (153 if in_gsm7 else 67))


@pytest.mark.parametrize(("text", "parts"), [
    ("x" * 160, [160]), ("x" * 161, [153, 8]), ("x" * 159 + "€", [153, 7]), ("x" * 152 + "€" + "x" * 20, [152, 21]),
    ("á" * 70, [70]), ("á" * 71, [67, 4]), ("á" * 66 + "😀" + "á" * 9, [66, 10]), ("", [0]),
])  # fmt: skip
def test_no_pair_is_split(text: str, parts: list[int]) -> None:
    assert [len(part) for part in split(text)] == parts


@given(NUMBERS, ANY_TEXT | IN_ALPHABET, st.integers(0, 255), st.sampled_from([None, 5, 60, 720]))
def test_what_is_submitted_is_read_as_it_was(number: str, text: str, ref: int, validity: int | None) -> None:
    submits = encode_submits(number, text, ref=ref, validity_minutes=validity)
    read = [decode_submit(*submit) for submit in submits]
    assert "".join(part.text for part in read) == text
    assert {(part.to, part.report_wanted, part.validity_minutes) for part in read} == {(number, True, validity)}
    concats = [Concat(ref, len(read), n) for n in range(1, len(read) + 1)] if len(read) > 1 else [None]
    assert [part.concat for part in read] == concats


@settings(max_examples=40, deadline=None)
@given(INTERNATIONAL, st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]) | st.sampled_from(sorted(gsm7.CODES)), max_size=200))
def test_gsmmodem_makes_the_same_bytes(number: str, text: str) -> None:
    """What it cannot do is left out: its table is wrong about five characters, and it writes local numbers as national ones."""
    text = text.translate(str.maketrans("§ÿ`\f\x1b", "Sy'  "))
    ours = encode_submits(number, text, ref=7, validity_minutes=None)
    theirs = gsmmodem.pdu.encodeSmsSubmitPdu(number, text, reference=0, requestStatusReport=True, sendFlash=False)
    assert [submit.length for submit in ours] == [pdu.tpduLength for pdu in theirs]
    if len(ours) == 1:
        assert ours[0].octets == str(theirs[0])
    read = [gsmmodem.pdu.decodeSmsPdu(submit.octets) for submit in ours]
    assert "".join(part["text"] for part in read) == text
    assert {part["number"] for part in read} == {number}


@given(st.sampled_from([ROSA, "7711", "CLARO", "Ñusta"]), ANY_TEXT.filter(bool), st.integers(0, 255))
def test_what_the_network_brings_is_read_as_it_was(sender: str, text: str, ref: int) -> None:
    now = datetime(2026, 11, 24, 3, 4, 5, tzinfo=UTC)
    read = [decode_incoming(pdu) for pdu in encode_delivers(sender, text, ref, now)]
    assert "".join(part.text for part in read if isinstance(part, Deliver)) == text
    assert {(part.sender.text, part.sent_at) for part in read if isinstance(part, Deliver)} == {(sender, now)}


@given(st.binary(max_size=60))
def test_rubbish_is_a_bad_message_that_names_its_place(octets: bytes) -> None:
    try:
        decode_incoming(octets.hex())
    except BadMessage as fault:
        assert "octet" in str(fault)  # noqa: PT017 (whether it raises depends on the bytes)


@pytest.mark.parametrize(("octets", "place"), [
    ("", "character 0"), ("0", "character 1"), ("07zz", "character 2"), ("07911599", "octet 1"), ("0001", "octet 1"),
    ("0004FF91", "octet 2"), ("00040B911589674523F10000621051124365000FC832", "octet 20"),
    ("00440B911589674523F10000621051124365000209", "octet 20"), ("00440B911589674523F1002062105112436500", "octet 19"),
    ("00440B911589674523F100006210511243650002FF00", "octet 20"),
])  # fmt: skip
def test_a_cut_or_impossible_message_says_where(octets: str, place: str) -> None:
    with pytest.raises(BadMessage, match=place):
        decode_incoming(octets)


@given(st.integers(0, 255), INTERNATIONAL, st.integers(0, 255))
def test_gsmmodem_reads_the_networks_reports(ref: int, number: str, status: int) -> None:
    at = datetime(2026, 11, 24, 3, 4, 5, tzinfo=UTC)
    pdu = encode_report(ref, number, at, at, status)
    theirs = gsmmodem.pdu.decodeSmsPdu(pdu)
    assert (theirs["reference"], theirs["number"], theirs["status"]) == (ref, number, status)
    assert decode_incoming(pdu) == StatusReport(ref, Address(number), at, at, status)


@pytest.mark.parametrize(("text", "plain"), [
    ("Pánico en la Mz «C» — ¡corran! ¿quién va?", 'Panico en la Mz "C" - ¡corran! ¿quién va?'),
    ("ÁÍÓÚ áíóú éÉ ñÑ üÜ", "AIOU aiou éÉ ñÑ üÜ"), ("1.º piso\t…", "1.o piso ..."), ("🏃", "?"), ("e\u0301", "é"),
    ("ç", "c"), ("Ç", "Ç"), ("€ [x]", "€ [x]"),
])  # fmt: skip
def test_spanish_is_written_within_the_alphabet(text: str, plain: str) -> None:
    assert gsm7.to_gsm7(text) == plain


@given(ANY_TEXT)
def test_whatever_is_written_within_the_alphabet_is_in_it(text: str) -> None:
    written = gsm7.to_gsm7(text)
    assert gsm7.is_gsm7(written)
    assert gsm7.to_gsm7(written) == written


@pytest.mark.parametrize("sender", ["+51987654321", "987654321", "51987654321", "051987654321", "0987654321", "0051987654321"])
def test_a_member_is_known_however_the_network_writes_the_number(sender: str) -> None:
    assert normalised(Address(sender), "51") == "+51987654321"


@pytest.mark.parametrize(("sender", "country"), [("123", "51"), ("50050", "51"), ("Claro", "51"), ("51987654321", "")])
def test_short_codes_and_names_stay_as_they_are(sender: str, country: str) -> None:
    assert normalised(Address(sender), country) == sender
