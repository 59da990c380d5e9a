"""A machine's own key through a power cut at its first start: it is there whole, or not there at all."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from controller.authentication import PrivateKey


class PowerCut(BaseException):
    """Nothing after it is done."""


def cut_at(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    def cut(*_: Any) -> None:  # noqa: ANN401 (whatever the real one takes)
        raise PowerCut

    monkeypatch.setattr(os, step, cut)


@pytest.mark.parametrize("step", ["fsync", "link", "unlink"])
def test_a_cut_while_the_key_is_made_leaves_a_whole_key_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    path = tmp_path / "node.key"
    with monkeypatch.context() as cutting:
        cut_at(cutting, step)
        with pytest.raises(PowerCut):
            PrivateKey.at(path)
    made = PrivateKey.at(path)
    assert PrivateKey.at(path).public == made.public
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_key_is_on_disk_before_it_has_its_name_and_then_its_name_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []

    def noting(step: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*given: Any) -> Any:  # noqa: ANN401 (whatever the real one takes)
            folder = step == "fsync" and Path(f"/proc/self/fd/{given[0]}").is_dir()
            steps.append(f"{step} {'folder' if folder else 'file'}")
            return real(*given)

        return noted

    monkeypatch.setattr(os, "fsync", noting("fsync", os.fsync))
    monkeypatch.setattr(os, "link", noting("link", os.link))
    PrivateKey.at(tmp_path / "node.key")
    assert steps == ["fsync file", "link file", "fsync folder"]


def test_who_makes_it_second_takes_the_first_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "node.key"
    monkeypatch.setattr(Path, "exists", lambda _: False)
    assert PrivateKey.at(path).public == PrivateKey.at(path).public
    assert [file.name for file in tmp_path.iterdir()] == ["node.key"]
