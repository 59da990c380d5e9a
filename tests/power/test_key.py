"""A machine's own key and password through a power cut when they are made: each is there whole, or not there at all."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from controller.authentication import PrivateKey
from controller.broker_password import password_at

Secret = Callable[[Path], str]


def key_at(path: Path) -> str:
    return PrivateKey.at(path).public


SECRETS = pytest.mark.parametrize("secret_at", [key_at, password_at])


class PowerCut(BaseException):
    """Nothing after it is done."""


def cut_at(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    def cut(*_: Any) -> None:  # noqa: ANN401 (whatever the real one takes)
        raise PowerCut

    monkeypatch.setattr(os, step, cut)


@SECRETS
@pytest.mark.parametrize("step", ["fsync", "link", "unlink"])
def test_a_cut_while_a_secret_is_made_leaves_a_whole_one_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, secret_at: Secret
) -> None:
    path = tmp_path / "secret"
    with monkeypatch.context() as cutting:
        cut_at(cutting, step)
        with pytest.raises(PowerCut):
            secret_at(path)
    made = secret_at(path)
    assert secret_at(path) == made
    assert path.stat().st_mode & 0o777 == 0o600


@SECRETS
def test_a_secret_is_on_disk_before_it_has_its_name_and_then_its_name_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret_at: Secret
) -> None:
    steps: list[str] = []

    def noting(step: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*given: Any) -> Any:  # noqa: ANN401 (whatever the real one takes)
            folder = step == "fsync" and Path(f"/proc/self/fd/{given[0]}").is_dir()
            steps.append(f"{step} {'folder' if folder else 'file'}")
            return real(*given)

        return noted

    monkeypatch.setattr(os, "fsync", noting("fsync", os.fsync))
    monkeypatch.setattr(os, "link", noting("link", os.link))
    secret_at(tmp_path / "secret")
    assert steps == ["fsync file", "link file", "fsync folder"]


@SECRETS
def test_who_makes_it_second_takes_the_first_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret_at: Secret) -> None:
    path = tmp_path / "secret"
    monkeypatch.setattr(Path, "exists", lambda _: False)
    assert secret_at(path) == secret_at(path)
    assert [file.name for file in tmp_path.iterdir()] == ["secret"]
