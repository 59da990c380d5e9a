"""The codec: the published form, byte for byte, then against a codec that nobody here wrote."""

from datetime import UTC, datetime

import pytest
import siadc09.message as oracle  # type: ignore[import-untyped]  # ships no types
from hypothesis import given
from hypothesis import strategies as st

from gateway.channels.dc09_frame import (
    FRAME_BYTES_MAX,
    BadFrame,
    Frame,
    FrameBuffer,
    Undecipherable,
    crc,
    decode,
    encode,
    random_pad,
)

AT = int(datetime(2026, 1, 15, 12, 34, 56, tzinfo=UTC).timestamp())
K16, K32 = b"0123456789ABCDEF", b"0123456789ABCDEF" * 2
CID = "#1234|1120 01 007"
E5 = (
    b'92240098"*ADM-CID"0005R1L0#1234[95B069A83F7E02B5628FDB3FC8A5C634AE6C98AAB32D23CBE16515A8CDA9B3344A23110FBF5006C414'
    b"7A5DF9750A621BF443E73EA8B909CB9BAC10EF829963F1"
)
E6 = (
    b'71CC0098"*ADM-CID"0006R1L0#1234[3F70B5A7E7B6ACF122E0F47FD87F817F2CB9A546F4255ABC6F4DE13868BAA96C25F9099E7EE1DA55D2'
    b"51BE903DD092C361C505657AB18A21F61710D002F28E37"
)
E7 = (
    b'0BD70075"*NULL"0000R1L0#1234[95B069A83F7E02B5628FDB3FC8A5C634C6DD7A270A616E8D90467B3E9D587E18A89A09ACE23A3108F9E687'
    b"205A790452"
)
VECTORS = [
    pytest.param(Frame("ADM-CID", 1, "1234", "1", "0", CID, (), AT), None,
                 b'7136003D"ADM-CID"0001R1L0#1234[#1234|1120 01 007]_12:34:56,01-15-2026', id="E1"),
    pytest.param(Frame("SIA-DCS", 2, "1234", "1", "0", "#1234|Nri1/PA7", (), AT), None,
                 b'2E03003A"SIA-DCS"0002R1L0#1234[#1234|Nri1/PA7]_12:34:56,01-15-2026', id="E2"),
    pytest.param(Frame("NULL", 0, "1234", "1", "0"), None, b'ED620015"NULL"0000R1L0#1234[]', id="E3"),
    pytest.param(Frame("SIA-DCS", 4, "5544AA", "1", "A5", "#5544AA|Nri2/HA15", ("X077W02.370", "Y12S03.642"), AT), None,
                 b'883F0059"SIA-DCS"0004R1LA5#5544AA[#5544AA|Nri2/HA15][X077W02.370][Y12S03.642]_12:34:56,01-15-2026',
                 id="E4"),
    pytest.param(Frame("ADM-CID", 5, "1234", "1", "0", CID, (), AT, encrypted=True), K16, E5, id="E5"),
    pytest.param(Frame("ADM-CID", 6, "1234", "1", "0", CID, (), AT, encrypted=True), K32, E6, id="E6"),
    pytest.param(Frame("NULL", 0, "1234", "1", "0", "", (), AT, encrypted=True), K16, E7, id="E7"),
    pytest.param(Frame("ACK", 1, "1234", "1", "0"), None, b'1EB60014"ACK"0001R1L0#1234[]', id="R1"),
    pytest.param(Frame("DUH", 1, "1234", "1", "0"), None, b'6E6E0014"DUH"0001R1L0#1234[]', id="R2"),
]


@pytest.mark.parametrize(("frame", "key", "content"), VECTORS)
def test_every_vector_is_written_and_read_byte_for_byte(frame: Frame, key: bytes | None, content: bytes) -> None:
    raw = b"\n" + content + b"\r"
    assert encode(frame, key, lambda length: b"P" * length) == raw
    assert decode(raw, lambda _account: key) == frame


def test_the_crc_is_the_arc_one() -> None:
    assert crc(b"123456789") == 0xBB3D


@pytest.mark.parametrize("content", [
    b'"NAK"0000R0L0A0[]_12:34:56,01-15-2026', b'"NAK"0000L0R0A0[]_12:34:56,01-15-2026',
    b'"NAK"0000R1L0#1234[]_12:34:56,01-15-2026', b'"NAK"0000R1L0A0[]_12:34:56,01-15-2026',
])
def test_a_nak_is_read_in_every_form_that_receivers_give_it(content: bytes) -> None:
    nak = decode(b"\n%04X%04X%b\r" % (crc(content), len(content), content))
    assert (nak.label, nak.at_s) == ("NAK", AT)


HEX = st.text("0123456789ABCDEF", min_size=1, max_size=6)
PLAIN = st.text(st.characters(codec="utf-8", exclude_characters="[]|\r\n"), max_size=40)
FRAMES = st.builds(
    Frame, label=st.sampled_from(["ADM-CID", "SIA-DCS", "NULL", "ACK", "RSP", "XNM"]), seq=st.integers(0, 9999),
    account=st.text("0123456789ABCDEF", min_size=3, max_size=16), receiver=HEX, line=HEX, data=PLAIN,
    extended=st.lists(PLAIN.filter(bool), max_size=4).map(tuple), at_s=st.integers(0, 4_000_000_000),
    encrypted=st.booleans(),
)


@given(FRAMES, st.sampled_from([16, 24, 32]).flatmap(lambda n: st.binary(min_size=n, max_size=n)))
def test_what_is_written_is_read_back(frame: Frame, key: bytes) -> None:
    assert decode(encode(frame, key), lambda _account: key) == frame


@given(FRAMES.filter(lambda frame: not frame.encrypted), st.data())
def test_a_changed_byte_is_noticed(frame: Frame, data: st.DataObject) -> None:
    raw = bytearray(encode(frame))
    place = data.draw(st.integers(9, len(raw) - 2))
    raw[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(BadFrame):
        decode(bytes(raw))


@given(st.binary(max_size=200))
def test_rubbish_is_refused_and_nothing_else(raw: bytes) -> None:
    with pytest.raises((BadFrame, Undecipherable)):
        decode(raw)


@given(st.lists(FRAMES, max_size=5), st.binary(max_size=20).filter(lambda b: b"\r" not in b and b"\n" not in b), st.data())
def test_a_stream_is_cut_into_frames_however_it_arrives(frames: list[Frame], rubbish: bytes, data: st.DataObject) -> None:
    raws = [encode(frame, K16) for frame in frames]
    stream = b"".join(rubbish + raw for raw in raws)
    buffer, got, at = FrameBuffer(), [], 0
    while at < len(stream):
        size = data.draw(st.integers(1, 97))
        got += buffer.feed(stream[at:at + size])
        at += size
    assert got == raws


def test_an_endless_frame_is_dropped_and_the_next_one_read() -> None:
    buffer, raw = FrameBuffer(), encode(Frame("NULL", 0, "1234"))
    assert buffer.feed(b"\n" + b"x" * FRAME_BYTES_MAX) == []
    assert buffer.feed(raw) == [raw]


def test_the_pad_fills_a_block_and_holds_nothing_that_ends_it() -> None:
    assert not set(random_pad(5000)) & set(b"|[]")
    for length in range(32):
        frame = Frame("ADM-CID", 1, "1234", "1", "0", "x" * length, (), AT, encrypted=True)
        asked: list[int] = []
        encode(frame, K16, lambda n, asked=asked: asked.append(n) or b"P" * n)  # type: ignore[misc]  # a default binds it
        assert 16 <= asked[0] <= 31


def test_the_wrong_key_is_told_apart_from_a_damaged_frame() -> None:
    raw = encode(Frame("ADM-CID", 5, "1234", "1", "0", CID, (), AT, encrypted=True), K16)
    with pytest.raises(Undecipherable) as refused:
        decode(raw, lambda _account: b"F" * 16)
    assert (refused.value.account, refused.value.seq) == ("1234", 5)
    with pytest.raises(Undecipherable):
        decode(raw)


@pytest.mark.parametrize(("frame", "key", "content"), VECTORS)
def test_another_codec_reads_every_vector_as_we_mean_it(frame: Frame, key: bytes | None, content: bytes) -> None:
    theirs = oracle.parse_frame(b"\n" + content + b"\r", key)
    assert (theirs.idtoken, theirs.seq, theirs.account.acct) == (frame.label, frame.seq, int(frame.account, 16))
    if not frame.encrypted:
        assert theirs.encode(encrypt=False) == encode(frame)


@given(st.integers(1, 9999), st.sampled_from([16, 24, 32]).flatmap(lambda n: st.binary(min_size=n, max_size=n)))
def test_what_another_codec_acknowledges_is_read(seq: int, key: bytes) -> None:
    account = oracle.Account(acct=0x1234, pref=0, rcvr=1, key=key)
    raw = oracle.AckMessage(account, seq, datetime.fromtimestamp(AT, UTC), encrypted=True).encode()
    assert decode(raw, lambda _account: key) == Frame("ACK", seq, "1234", "1", "0", "", (), AT, encrypted=True)
    sent = Frame("SIA-DCS", seq, "1234", "1", "0", "#1234|Nri1/PA7", ("X077W02.370",), AT, encrypted=True)
    assert oracle.parse_frame(encode(sent, key), key).xdata[0].pack(brackets=False) == b"X077W02.370"
