"""The catalogues themselves: what people edit is read as it stands there."""

import re

import pytest

from controller import texts
from controller.texts import LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_wording_stands_twice(language: str) -> None:
    path = texts.LOCALE / language / "LC_MESSAGES" / "cuadra.po"
    msgids = re.findall(r'^msgid "(.+)"$', path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert [msgid for msgid in msgids if msgids.count(msgid) > 1] == []
