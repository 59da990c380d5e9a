"""What people read: one SMS whatever a block is called, each language whole, and nothing in it that must not be."""

import re
import shutil
from pathlib import Path
from string import Formatter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller import texts
from controller.gsm7 import SINGLE_SEPTETS_MAX, septets, to_gsm7
from controller.texts import LANGUAGES, REVIEWED, SILENT, TEMPLATES, TextFacts, catalogue, compose

AT_21_14 = 1_790_043_240_000  # 2026-09-21 21:14 in Lima
FACTS = TextFacts(
    kind="panic", code="K7F3", block_name="Mz C, AA.HH. Virgen de Lourdes", meeting_point="cancha",
    pressed_from_at_ms=AT_21_14, pressed_to_at_ms=AT_21_14, made_at_ms=AT_21_14 + 2_000, who="Puma 3", others=("K7F3", "P4R9"),
    address="Lote 12, segundo piso, puerta verde", outcome="mistake", fault="late", subject="node/z1b01n1",
)
LONG = "Asociación de Vivienda Señor de los Milagros, Segunda Etapa, Sector Quebrada Honda Alta {}[]~|€"


def placeholders(wording: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(wording) if name}


def test_the_alarm_says_kind_block_meeting_point_time_code_and_how_to_take_it() -> None:
    text = compose("alarm", FACTS, "es").text
    assert text.startswith("PANICO Mz C, AA.HH. Virgen de Lourdes. Punto: cancha. 21:14. Clave K7F3. 1=voy")
    assert "No persigas" in text


def test_a_time_stands_on_the_districts_clock() -> None:
    elsewhere = msgspec.structs.replace(FACTS, timezone="Europe/Madrid", made_at_ms=AT_21_14 + 86_400_000)
    assert " 22/09 04:14." in compose("alarm", elsewhere, "es").text


def test_a_late_press_bears_the_interval_it_lies_in() -> None:
    late = msgspec.structs.replace(FACTS, late=True, pressed_from_at_ms=AT_21_14 - 1_380_000, made_at_ms=AT_21_14 + 1_200_000)
    text = compose("late", late, "es").text
    assert "entre 20:51 y 21:14, llego ahora" in text


def test_a_silent_alarm_names_no_kind_and_no_emergency() -> None:
    for template in TEMPLATES:
        for kind in ("violence", "extortion"):
            composed = compose(template, msgspec.structs.replace(FACTS, silent=True, kind=kind), "es")
            said = f"{composed.title} {composed.text}".lower()
            told = re.search(r"violen|extors|panico|sirena sonando|robo", said)
            assert told is None, (template, said)
            assert "alarm" not in composed.title.lower()


def test_an_exercise_says_so_in_every_text_and_title() -> None:
    for template in TEMPLATES:
        composed = compose(template, msgspec.structs.replace(FACTS, drill=True), "es")
        assert composed.text.startswith("SIMULACRO"), template
        assert composed.title.startswith("SIMULACRO"), template


def test_only_who_goes_is_given_the_address() -> None:
    for template in TEMPLATES:
        assert ("puerta verde" in compose(template, FACTS, "es").text) == (template == "taken_you")
    unknown = compose("taken_you", msgspec.structs.replace(FACTS, address=""), "es").text
    assert "cancha" in unknown
    assert ". ." not in unknown


@pytest.mark.usefixtures("any_language")
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("drill", [False, True])
def test_every_text_is_one_sms_whatever_the_block_is_called(template: str, language: str, drill: bool) -> None:
    for kind in ("panic", "medical", "violence", "flood"):
        for silent in (False, True):
            facts = msgspec.structs.replace(
                FACTS, drill=drill, silent=silent, kind=kind, block_name=LONG * 2, meeting_point=LONG, who="Coordinadora 12 Norte",
                pressed_from_at_ms=AT_21_14 - 90_000_000, made_at_ms=AT_21_14 + 90_000_000, others=("K7F3",) * 40,
            )
            for spare in (0, 4):
                text = compose(template, facts, language, spare=spare).text
                length = septets(text)
                assert length is not None, text
                assert length <= SINGLE_SEPTETS_MAX - spare, text


@given(block=st.text(max_size=120), meeting=st.text(max_size=120))
def test_any_name_fits(block: str, meeting: str) -> None:
    text = compose("alarm", msgspec.structs.replace(FACTS, block_name=block, meeting_point=meeting), "es").text
    length = septets(text)
    assert length is not None
    assert length <= SINGLE_SEPTETS_MAX
    assert "K7F3. 1=voy" in text
    assert "\n" not in text


@given(name=st.text(alphabet="abc xyzñé.,|", min_size=1, max_size=80), room=st.integers(6, 80))
def test_a_shortened_name_has_the_room_it_was_given(name: str, room: int) -> None:
    length = septets(texts.shortened(name, room))
    assert length is not None
    assert length <= room


def test_a_long_address_is_never_cut() -> None:
    address = "Lote 12, " + "al fondo del pasaje, " * 8 + "puerta verde"
    assert address in compose("taken_you", msgspec.structs.replace(FACTS, address=address), "es").text


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_is_whole(language: str) -> None:
    words = catalogue(language)
    sent = {msgid for msgid in catalogue("es") if language not in REVIEWED or not msgid.startswith(("cap.", "explain.", "days"))}
    wanted = sent | set(TEMPLATES) | {f"{name}.silent" for name in SILENT} | {"taken_you.unaddressed"}
    assert wanted - set(words) == set()
    for msgid in words:
        name = msgid.removesuffix(".silent").removesuffix(".unaddressed")
        if name in TEMPLATES:
            assert placeholders(words[msgid]) <= set(TEMPLATES[name]), msgid
        assert placeholders(words[msgid]) == placeholders(catalogue("es")[msgid]), msgid


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_template_forgets_what_it_is_for(language: str) -> None:
    for name, needed in TEMPLATES.items():
        used = placeholders(catalogue(language)[name])
        assert set(needed) - used == set(), name


@pytest.fixture
def any_language(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a speaker had reviewed each catalogue."""
    monkeypatch.setattr(texts, "REVIEWED", frozenset())


def test_an_unknown_language_gets_spanish() -> None:
    assert compose("alarm", FACTS, "tlh") == compose("alarm", FACTS, "es")


def test_quechua_is_sent_only_when_a_speaker_who_reviewed_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(texts.LOCALE, tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr(texts, "LOCALE", tmp_path)
    file = tmp_path / "quy" / "LC_MESSAGES" / "cuadra.po"
    draft = file.read_text(encoding="utf-8")
    for name, language in ((texts.NOBODY, "es"), ("Saturnina Huamán <Ayacucho>", "quy")):
        file.write_text(draft.replace(f"Last-Translator: {texts.NOBODY}", f"Last-Translator: {name}"), encoding="utf-8")
        for cached in (texts._read, texts.catalogue):  # noqa: SLF001
            cached.cache_clear()
        assert texts.sent_in("quy") == language
        assert ("Huñunakuy: cancha" in compose("alarm", FACTS, "quy").text) == (language == "quy")
    monkeypatch.undo()
    for cached in (texts._read, texts.catalogue):  # noqa: SLF001
        cached.cache_clear()


def test_an_unknown_template_is_named() -> None:
    with pytest.raises(KeyError, match="alarn"):
        compose("alarn", FACTS, "es")


def test_a_fault_of_a_part_names_the_part_in_the_readers_language() -> None:
    told = compose("fault", TextFacts(fault="stuck:b1", subject="node/z1b01n1", made_at_ms=AT_21_14), "es").text
    assert "(b1)" in told
    assert "stuck" not in told


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", ["summary", "summary_zone"])
@pytest.mark.parametrize("drill", [False, True])
def test_a_summary_names_every_code_with_as_much_of_its_block_as_there_is_room_for(language: str, drill: bool, template: str) -> None:
    codes = ("K7F3", "X4TT", "H3ET", "7W9J", "9PFM", "R43P")
    text = compose(template, TextFacts(calls=tuple((code, LONG) for code in codes), drill=drill), language, spare=4).text
    length = septets(text)
    assert length is not None
    assert length <= SINGLE_SEPTETS_MAX - 4
    for code in codes:
        assert re.search(rf"{code} \w", text), text
    short = compose("summary", TextFacts(calls=(("K7F3", "Mz C"), ("X4TT", LONG))), language).text
    assert "K7F3 Mz C; X4TT " in short


@pytest.mark.usefixtures("any_language")
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_call_says_what_to_do_and_what_not_for_its_kind(language: str) -> None:
    said = {compose("alarm", msgspec.structs.replace(FACTS, kind=kind), language).text.rpartition("0=")[2].partition(". ")[2]
            for kind in ("panic", "fire", "medical", "tamper")}
    assert len(said) == 4
    for template in ("alarm", "raised", "reopened"):
        for kind in ("panic", "fire", "medical", "flood"):
            text = compose(template, msgspec.structs.replace(FACTS, kind=kind), language).text
            advice = catalogue(language).get(f"advice.{kind}") or catalogue(language)["advice.other"]
            assert to_gsm7(advice) in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_came_of_it_blames_nobody(language: str) -> None:
    texts_of = {outcome: compose("closed", msgspec.structs.replace(FACTS, outcome=outcome), language).text
                for outcome in ("mistake", "prank", "cancelled", "good-faith", "faulty-hardware", "real")}
    assert texts_of["mistake"] == texts_of["prank"], "who reads it cannot tell one from the other"
    assert len(set(texts_of.values())) == 5


HOW = {"es": "1=voy", "en": "1="}


@pytest.mark.usefixtures("any_language")
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["panic", "fire", "medical", "tamper", "violence"])
def test_the_alarm_of_each_kind_says_all_its_clauses_in_each_language(language: str, kind: str) -> None:
    silent = kind == "violence"
    facts = msgspec.structs.replace(FACTS, kind=kind, silent=silent, block_name="Mz Ñ, José Gálvez", meeting_point="losa")
    text = compose("alarm", facts, language).text
    words = catalogue(language)
    said = words["kind.silent"] if silent else words[f"kind.{kind}"]
    for clause in (to_gsm7(said), to_gsm7("Mz Ñ, José Gálvez"), "losa", "21:14", "K7F3", HOW.get(language, "1=")):
        assert clause in text, (clause, text)
    assert septets(text) is not None, "one SMS in seven bits"


@pytest.mark.parametrize(("written", "sent"), [
    ("ñÑ¿¡éüÜ", "ñÑ¿¡éüÜ"), ("áíóúÁÍÓÚ", "aiouAIOU"), ("Él llegó: PÁNICO", "Él llego: PANICO"), ("cañón", "cañon"),
])
def test_accented_letters_that_would_make_it_ucs2_lose_their_accent_and_no_other_does(written: str, sent: str) -> None:
    assert to_gsm7(written) == sent
    assert septets(to_gsm7(written)) is not None
