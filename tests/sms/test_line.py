"""Bytes from a modem, as lines; however they are cut, and whatever stands between them."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.modem.at import LINE_BYTES_MAX, LineReader
from gateway.modem.errors import ModemError, Remedy, final_answer


@given(st.lists(st.sampled_from(["OK", "+CSQ: 18,0", "ERROR", '+CMTI: "SM",3', "07911599"])), st.data())
def test_lines_come_out_the_same_however_the_bytes_are_cut(lines: list[str], data: st.DataObject) -> None:
    octets = b"".join(b"\r\n" + line.encode() + b"\r\n" for line in lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(octets)), max_size=10)))
    reader, read = LineReader(), []
    for start, end in zip([0, *cuts], [*cuts, len(octets)], strict=True):
        read += reader.feed(octets[start:end])
    assert read == lines


def test_a_prompt_is_one_only_when_it_is_waited_for() -> None:
    reader = LineReader()
    assert reader.feed(b"\r\n> ") == []
    reader = LineReader()
    reader.prompt_wanted = True
    assert reader.feed(b"\r\n>") == []
    assert reader.feed(b" ") == ["> "]
    assert reader.feed(b"\r\nOK\r\n") == ["OK"]


@given(st.binary(max_size=3 * LINE_BYTES_MAX))
def test_noise_is_never_held_beyond_a_line_and_never_raises(noise: bytes) -> None:
    reader = LineReader()
    for line in reader.feed(noise):
        assert line.isprintable()
    reader.feed(b"\r\n")
    assert reader.feed(b"OK\r\n") == ["OK"]


def test_errors_say_what_helps() -> None:
    assert final_answer("OK") is True
    assert final_answer("+CSQ: 18,0") is False
    for line, remedy in (
        ("ERROR", Remedy.LATER), ("+CMS ERROR: 38", Remedy.LATER_TWICE), ("+CMS ERROR: 500", Remedy.LATER),
        ("+CMS ERROR: 512", Remedy.LATER), ("+CMS ERROR: 27", Remedy.OTHER_WAY), ("+CMS ERROR: 50", Remedy.OTHER_SIM),
        ("+CMS ERROR: 310", Remedy.RESTART), ("+CME ERROR: 10", Remedy.RESTART), ("+CMS ERROR: 304", Remedy.NONE),
        ("+CME ERROR: SIM failure", Remedy.LATER),
    ):  # fmt: skip
        error = final_answer(line)
        assert isinstance(error, ModemError)
        assert error.remedy is remedy, line
