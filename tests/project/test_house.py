"""The house keeps its own rules: which room may know which, what each dependency is for, pages that lead somewhere."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.project.repository import PACKAGES, ROOT, files, imports_of

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())

MAY_IMPORT = {
    "controller": {"controller"},
    "node_firmware": {"node_firmware", "controller"},
    "gateway": {"gateway", "controller"},
    "simulators": {"simulators", "node_firmware", "gateway", "controller"},
}
CORES = ("node_firmware/block_node.py", "controller/rules")
"""Where everything is decided, and nothing is read, written, timed or drawn by lot."""
NOT_IN_A_CORE = {"asyncio", "datetime.now", "os", "pathlib", "random", "secrets", "socket", "sqlalchemy", "subprocess",
                 "threading", "time"}


@pytest.mark.parametrize("package", PACKAGES)
def test_the_arrows_point_one_way(package: str) -> None:
    ours = set(PACKAGES) | {"tests", "tools"}
    wrong = [(file, module) for file, module in imports_of(package) if module in ours - MAY_IMPORT[package]]
    assert wrong == []


def test_a_node_imports_only_what_every_part_needs() -> None:
    base = {canonicalize_name(Requirement(text).name) for text in PYPROJECT["project"]["dependencies"]}
    installed = packages_distributions()
    wrong = []
    for file, module in imports_of("node_firmware"):
        if module in sys.stdlib_module_names or module in MAY_IMPORT["node_firmware"]:
            continue
        if not base & {canonicalize_name(name) for name in installed.get(module, [])}:
            wrong.append((file, module))
    assert wrong == []


def test_the_cores_do_no_io() -> None:
    wrong = [(file, module) for package in ("node_firmware", "controller") for file, module in imports_of(package)
             if file.startswith(CORES) and module in NOT_IN_A_CORE]
    assert wrong == []


def test_every_dependency_has_its_reason() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    section = page.partition("## Why each dependency")[2]
    project = PYPROJECT["project"]
    asked = [*project["dependencies"], *(text for extra in project["optional-dependencies"].values() for text in extra),
             *(text for group in PYPROJECT["dependency-groups"].values() for text in group)]
    names = {Requirement(text).name for text in asked} - {"cuadra"}
    assert [name for name in sorted(names) if f"`{name}`" not in section] == []


def test_every_room_is_in_the_picture() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    rooms = {path.parent.relative_to(ROOT).as_posix() for path in files()
             if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in PACKAGES}
    assert [room for room in sorted(rooms) if f"`{room}/`" not in page] == []


def test_bare_make_prints_every_target() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    shown = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    assert targets == set(re.findall(r"^  make ([a-z]+) ", shown, re.MULTILINE))


def anchors_of(page: Path) -> set[str]:
    """The names under which a page's headings can be linked to."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_link_in_the_pages_leads_somewhere() -> None:
    broken = []
    for page in (path for path in files() if path.suffix == ".md"):
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            aim = (page.parent / name) if name else page
            if not aim.exists() or (anchor and anchor not in anchors_of(aim)):
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert broken == []


def test_no_file_names_the_place_where_it_was_written() -> None:
    # Written in two halves, so that this file is not the first to be found.
    places = re.compile("|".join(["/wo" "rk/", "/ro" "ot/", "/opt/py" "pi", "/tm" "p/brief"]))
    found = []
    for path in files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {match.group()}" for match in places.finditer(text)]
    assert found == []


def test_the_licence_is_whole_and_named() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "GNU AFFERO GENERAL PUBLIC LICENSE" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert PYPROJECT["project"]["license"] == "AGPL-3.0-or-later"
