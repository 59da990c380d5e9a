"""Runs the parts of `make test` one after the other, all of them whatever fails, and names at the end what failed."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import IO, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = ("3.11", "3.12", "3.13")
NETWORK = ("tests/street", "tests/whole", "tests/demo")
"""Where gateways, brokers and nodes run together."""
TESTS = "every other test"
STOP_S = 30


class Part(NamedTuple):
    """One check: what it is called, and the command, run in the project's folder."""

    name: str
    command: tuple[str, ...]


def parts(which: str) -> Iterator[tuple[Part, ...]]:
    """The parts of `lint`, `types` or `all`, in the order in which they run, those together that run side by side.

    What starts and kills whole processes runs in two halves: it waits more than it works, and one after the other takes minutes more.
    """
    python = sys.executable
    if which in ("lint", "all"):
        yield (Part("ruff", (python, "-m", "ruff", "check", ".")),)
    if which in ("types", "all"):
        yield tuple(Part(f"mypy for Python {version}", (python, "-m", "mypy", "--python-version", version)) for version in VERSIONS)
    if which == "all":
        whole = (python, "-m", "pytest", "-m", "whole")
        yield (Part("whole processes: nodes and their parts", (*whole, *(f"--ignore={room}" for room in NETWORK))),
               Part("whole processes: the network", (*whole, *NETWORK)))
        pythons = {other.parent.parent.name: str(other) for other in sorted((ROOT / ".venvs").glob("3.*/bin/python"))}
        pythons["{}.{}".format(*sys.version_info)] = python
        yield tuple(Part(f"{TESTS} on Python {version}", (one, "-m", "pytest", "-m", "not whole")) for version, one in pythons.items())


class Stopped(BaseException):
    """Somebody ends the whole run (SIGTERM)."""


def stop(_number: int, _frame: FrameType | None) -> None:
    """End, and what runs with it."""
    raise Stopped


def run(parts: Sequence[Part], environment: Mapping[str, str]) -> list[str]:
    """Run these parts side by side, what each prints shown whole when it ends; the names of those that failed.

    One part alone is shown while it runs.
    """
    running: list[tuple[Part, subprocess.Popen[bytes], IO[bytes] | None]] = []
    failed = []
    try:
        for part in parts:
            output: IO[bytes] | None = tempfile.TemporaryFile() if len(parts) > 1 else None  # noqa: SIM115 (closed below, when it is shown)
            process = subprocess.Popen(part.command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output,
                                       stderr=subprocess.STDOUT if output else None)
            running.append((part, process, output))
        for part, process, output in running:
            code = process.wait()
            if output is not None:
                print(f"check: {part.name}", flush=True)
                output.seek(0)
                shutil.copyfileobj(output, sys.stdout.buffer)
                sys.stdout.flush()
                output.close()
            if code != 0:
                failed.append(part.name)
    except BaseException:
        # pytest ends what its tests have started when it is interrupted, not when it is killed.
        for _, process, _ in running:
            process.send_signal(signal.SIGINT)
        for _, process, _ in running:
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
        raise
    return failed


def main(which: str) -> int:
    """Run the parts; 1 when any failed."""
    signal.signal(signal.SIGTERM, stop)
    # A user's path on Debian lacks the folder where the broker is.
    environment = {**os.environ, "PATH": os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])}
    failed: list[str] = []
    for together in parts(which):
        start = time.monotonic()
        names = " and ".join(part.name for part in together)
        print(f"check: {names}" + (f" (failed so far: {', '.join(failed)})" if failed else ""), flush=True)
        failures = run(together, environment)
        failed += failures
        # Nothing follows the last part's own closing lines but the names of what failed.
        if not names.startswith(TESTS):
            print(f"check: {names}: {'failed' if failures else 'well'}, {time.monotonic() - start:.0f} s", flush=True)
    for name in failed:
        print(f"check: FAILED: {name}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1]))
    except (Stopped, KeyboardInterrupt):
        sys.exit(143)
