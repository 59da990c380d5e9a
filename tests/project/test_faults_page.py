"""The page of the faults has every fault, in the words in which it is told."""

import re

from controller.rules.mending.fault_kinds import FAULT_KINDS
from controller.texts import catalogue
from tests.project.repository import ROOT

ROW = re.compile(r"^\| `([a-z]+)/([a-z-]+)` \| (.+?) · (.+?) \| .+? \| .*? \| .+ \|$", re.MULTILINE)


def test_the_page_has_every_fault_in_its_own_words() -> None:
    rows = {f"{sort}/{code}": (spanish, english) for sort, code, spanish, english in ROW.findall((ROOT / "docs/faults.md").read_text())}
    assert rows.keys() == FAULT_KINDS.keys()
    for place, language in enumerate(("es", "en")):
        words = catalogue(language)
        for key, said in rows.items():
            sort, code = key.split("/")
            assert said[place] == words.get(f"fault.{sort}.{code}", words.get(f"fault.{code}")), key
