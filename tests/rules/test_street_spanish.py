"""Replies as they come on a bad night in Lima: slips, politeness, voice-to-text, pictures; and what looks like an answer and is none."""

import pytest

from controller.entries import IncidentMoved, IncidentNoted
from controller.rules.inputs import MemberWrote
from controller.rules.replying.replies import Word, read
from tests.rules.night import Night


@pytest.mark.parametrize(("word", "texts"), [
    (Word.GO, (
        "ya estoy yendo", "voy pa alla", "Voy pa\u2019 allá", "VOYYY", "ya boy", "voy\U0001f3c3", "1\ufe0f\u20e3", "1.", "1!!", "uno",
        "Ya voy, vecinos. Gracias.",
        "Buenas noches, ya voy para allá", "estoy en camino", "voy llegando", "ya salgo", "voy en 5", "llego en 10 minutos", "1 en 5 min", "si, voy",
        "vamos para alla", "voy a ver", "voy ahorita mismo", "1 voy", "voy 1", "1 \U0001f44d", "on my way", "marco 1",
    )),
    (Word.ON_SCENE, ("llege", "Yegue", "ya lleguee", "ya llegué vecino", "ya estoy acá", "aquí estoy", "Estoy en el lugar.", "llegamos",
        "2 ya llegue", "dos")),
    (Word.FALSE, ("es falsa alarma", "Falza alarma", "fue falsa alarma nomás", "era una falsa alarma, disculpen", "3 falsa alarma",
        "alarma falsa", "fue sin querer")),
    (Word.ARMED, ("están armados", "tienen pistola", "ojo tiene cuchillo", "3 hombres armados", "hay disparos", "4 tienen armas",
        "ARMAS!!!", "se oyen balazos")),
    (Word.OVER, ("ya pasó", "se acabó", "todo controlado", "ya está controlado", "5 gracias", "ya pasó todo vecinos")),
    (Word.HELP, ("AUXILIO!!", "auxiliooo", "ausilio", "auxilio me están pegando", "ayuda por favor", "necesito apoyo", "socorro", "9!!",
        "ayúdenme por favor")),
    (Word.CANNOT, ("no puedo ir ahorita", "no podré ir", "disculpe no puedo", "No puedo, estoy trabajando", "no voy a poder", "ya no voy",
        "noooo", "0 no puedo")),
])
def test_what_people_mean_is_understood(word: Word, texts: tuple[str, ...]) -> None:
    assert {text: read(text).word for text in texts} == dict.fromkeys(texts, word)


@pytest.mark.parametrize("text", [
    "1 k7f3", "k7f3 1", "K7F3 1.", "1k7f3", "1-k7f3", "voy k7f3", "voy a k7f3", "código k7f3 voy", "1 (k7f3) gracias",
        "ya voy k7f3 vecinos", "1 k7f3 voy con Pedro",
])
def test_the_code_may_stand_anywhere(text: str) -> None:
    assert read(text)[:2] == (Word.GO, "K7F3")


@pytest.mark.parametrize("text", [
    "no, ya voy", "voy?", "¿voy?", "1?", "¿es falsa alarma?", "¿están armados?", "3 no es falsa", "3 K7F3 no es falsa",
        "no es falsa alarma", "voy armado",
    "no hay armas", "no están armados", "nadie armado", "me voy", "no necesito ayuda", "no puedo creer que es falsa", "si no voy",
        "ya llegaron", "todavía no llego",
    "la policía no llega", "1 y 2", "5 min", "5 ladrones", "2 heridos", "ok", "si", "11", "123", "a la 1", "\U0001f44d", "jajaja",
        "todo tranquilo", "ya lo vi",
])
def test_what_is_no_answer_or_the_opposite_is_asked_back(text: str) -> None:
    assert read(text).word is Word.UNKNOWN


def test_what_a_member_writes_beside_the_word_that_ends_it_is_its_note(night: Night) -> None:
    night.press("panic")
    night.passes(1)
    night.replies("rosa", "2")
    night.does(MemberWrote("sms", "rosa", f"5 {night.codes[0]} se llevaron un celular", "p-aaaaaaaaaa", "p-bbbbbbbbbb", "d" * 64))
    [noted] = [one for one in night.bodies(IncidentNoted) if one.meaning == "over"]
    assert (noted.by, noted.note_ref, noted.digest) == ("rosa", "p-bbbbbbbbbb", "d" * 64)
    assert (night.bodies(IncidentMoved)[-1].to, night.bodies(IncidentMoved)[-1].outcome) == ("closed", "real")


def test_a_bare_word_has_no_note(night: Night) -> None:
    night.press("panic")
    night.passes(1)
    night.replies("rosa", "2")
    night.does(MemberWrote("sms", "rosa", "5 gracias", "p-aaaaaaaaaa", "p-bbbbbbbbbb", "d" * 64))
    assert [one.note_ref for one in night.bodies(IncidentNoted) if one.meaning == "over"] == [""]
