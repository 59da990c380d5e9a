"""The lock files: each package by its hash, no addresses or places, and in step with pyproject.toml."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.project.repository import ROOT

LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
UV = Path(sys.executable).parent / "uv"


def locked(name: str) -> dict[str, list[Requirement]]:
    """What requirements/<name>.txt pins, by package; of two versions of one package the markers say which."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    pinned: dict[str, list[Requirement]] = {}
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        requirement = Requirement(line.partition("--hash")[0])
        pinned.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return pinned


def wanted(name: str) -> list[Requirement]:
    """What pyproject.toml asks for in the lock `name`."""
    project, groups = PYPROJECT["project"], PYPROJECT["dependency-groups"]
    extras = project["optional-dependencies"]
    asked = {
        "node": [*project["dependencies"], *extras["pi"]],
        "gateway": [*project["dependencies"], *extras["gateway"], *extras["postgres"]],
        "demo": [*project["dependencies"], *extras["gateway"], *extras["demo"]],
        "dev": [*project["dependencies"], *extras["gateway"], *extras["demo"], *extras["postgres"], *extras["pi"],
                *groups["dev"]],
        "build": groups["build"],
        "uv": groups["uv"],
    }[name]
    return [Requirement(text) for text in asked if not text.startswith("cuadra[")]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
def test_a_lock_names_packages_and_hashes_and_nothing_else(lock: Path) -> None:
    text = lock.read_text()
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        assert re.fullmatch(
            r"[a-z0-9-]+==[a-z0-9.+!]+( ; [a-zA-Z0-9_.<>=!'() ]+?)? *( ?--hash=sha256:[0-9a-f]{64})+", line
        ), line[:200]


@pytest.mark.parametrize("name", [path.stem for path in LOCKS])
def test_a_lock_holds_what_pyproject_asks_for(name: str) -> None:
    pinned = locked(name)
    for requirement in wanted(name):
        versions = [next(iter(pin.specifier)).version for pin in pinned.get(canonicalize_name(requirement.name), [])]
        assert versions, f"{requirement.name} is not in requirements/{name}.txt; make lock"
        unfit = [version for version in versions if not requirement.specifier.contains(version)]
        assert unfit == [], f"{requirement}; make lock"


@pytest.mark.parametrize("name", ["node", "gateway", "demo", "build"])
def test_every_lock_pins_what_the_tests_have_run_with(name: str) -> None:
    tested = locked("dev")
    for package, pins in locked(name).items():
        if package in tested:
            assert {str(pin.specifier) for pin in pins} <= {str(pin.specifier) for pin in tested[package]}, package


def test_the_demo_needs_nothing_that_the_tests_environment_lacks() -> None:
    assert set(locked("demo")) <= set(locked("dev"))


@pytest.mark.skipif(not UV.exists(), reason="the resolver that knows other machines' wheels has none for this machine")
@pytest.mark.parametrize("python", ["3.11", "3.13"])
@pytest.mark.parametrize("name", ["node", "gateway", "demo"])
def test_a_raspberry_pi_installs_wheels_alone(name: str, python: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [UV, "--no-config", "pip", "install", "--dry-run", "--target", tmp_path, "--python", sys.executable,
         "--python-version", python, "--python-platform", "aarch64-manylinux_2_36", "--only-binary", ":all:",
         "--require-hashes", "-r", ROOT / "requirements" / f"{name}.txt"],
        capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Would install" in done.stderr
