"""Runs the parts of `make test` one after the other, all of them whatever fails, and names at the end what failed."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = ("3.11", "3.12", "3.13")


class Part(NamedTuple):
    """One check: what it is called, and the command, run in the project's folder."""

    name: str
    command: tuple[str, ...]


def parts(which: str) -> Iterator[Part]:
    """The parts of `lint`, `types` or `all`, in the order in which they run; the whole suite comes last."""
    python = sys.executable
    if which in ("lint", "all"):
        yield Part("ruff", (python, "-m", "ruff", "check", "."))
    if which in ("types", "all"):
        for version in VERSIONS:
            yield Part(f"mypy for Python {version}", (python, "-m", "mypy", "--python-version", version))
    if which == "all":
        for other in sorted((ROOT / ".venvs").glob("3.*/bin/python")):
            yield Part(f"tests on Python {other.parent.parent.name} (all but whole processes)",
                       (str(other), "-m", "pytest", "-m", "not whole"))
        yield Part("tests on Python {}.{}".format(*sys.version_info), (python, "-m", "pytest"))


def main(which: str) -> int:
    """Run the parts; 1 when any failed."""
    # A user's path on Debian lacks the folder where the broker is.
    environment = {**os.environ, "PATH": os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])}
    failed: list[str] = []
    for part in parts(which):
        print(f"check: {part.name}" + (f" (failed so far: {', '.join(failed)})" if failed else ""), flush=True)
        start = time.monotonic()
        code = subprocess.run(part.command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, check=False).returncode
        if code != 0:
            failed.append(part.name)
        # Nothing follows the last part's own closing lines but the names of what failed.
        if which != "all" or not part.name.startswith("tests"):
            print(f"check: {part.name}: {'failed' if code else 'well'}, {time.monotonic() - start:.0f} s", flush=True)
    for name in failed:
        print(f"check: FAILED: {name}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
