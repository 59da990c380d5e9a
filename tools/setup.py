"""Sets up what a target of the Makefile needs: a virtual environment, locked packages, the tests' system packages.

It runs on a bare Debian or Raspberry Pi OS, on the system's own Python and its standard library. Whatever is there
already is left alone, so that a second run takes no time: a stamp in each environment names the lock it was made from.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "requirements"
OLDEST, NEWEST = (3, 11), (3, 13)

SYSTEM_PROGRAMS = {
    "mosquitto": "mosquitto",
    "mosquitto_pub": "mosquitto-clients",
    "postgres": "postgresql",
    "gammu": "gammu",
    "gammu-smsd": "gammu-smsd",
}
"""What the tests run, and the Debian package that brings it."""

LOCKED: dict[str, tuple[str, ...]] = {
    "dev": ("--extra", "demo", "--extra", "postgres", "--extra", "pi", "--group", "dev"),
    "demo": ("--extra", "demo"),
    "gateway": ("--extra", "gateway", "--extra", "postgres"),
    "node": ("--extra", "pi"),
    "build": ("--group", "build"),
    "uv": ("--group", "uv"),
}
"""Each lock file and what it is made from. `dev` comes first and binds the others: all agree on each version."""

INCLUDED = {"dev": ("dev", "demo"), "demo": ("demo",)}
"""Which locks an environment satisfies after the installation of one."""

LOCKING = (
    "--upgrade", "--universal", "--python-version", "3.11", "--generate-hashes", "--quiet", "--no-header",
    # Neither addresses nor this machine's places are written: whoever installs uses the sources of their own.
    "--no-annotate", "--no-emit-index-url", "--no-emit-find-links",
)

PIP_INSTALL = ("-m", "pip", "install", "--disable-pip-version-check")


class SetupError(Exception):
    """Something is missing that cannot be set up here; the text says what to type."""


def main(arguments: Sequence[str]) -> int:
    """Set up for `demo`, `dev` or `test`, or remake the locks with `lock`; 0, or 2 with one clear message."""
    (target,) = arguments
    try:
        with one_at_a_time():
            if target == "lock":
                lock()
            elif target == "test":
                system_packages()
                environment(ROOT / ".venv", base_python(), "dev")
                for version, python in other_pythons(ROOT / ".venv"):
                    environment(ROOT / ".venvs" / version, python, "dev")
            else:
                environment(ROOT / ".venv", base_python(), target)
    except SetupError as fault:
        print(f"setup: {fault}", file=sys.stderr)
        return 2
    except subprocess.CalledProcessError as fault:
        print(f"setup: {fault.cmd[0]} ended with code {fault.returncode}; what it said stands above", file=sys.stderr)
        return 2
    return 0


def say(text: str) -> None:
    """Show what goes on, also where the output is a file."""
    print(f"setup: {text}", flush=True)


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Two targets at once in one folder wait for each other instead of installing over each other."""
    folder = os.open(ROOT / "tools", os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another setup in this folder")
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


# Pythons


def version_of(python: Path) -> tuple[int, int] | None:
    """The version of the Python at `python`; None when there is none that runs."""
    try:
        found = subprocess.run([python, "-c", "import sys; print(*sys.version_info[:2])"],
                               capture_output=True, text=True, check=False, timeout=30)
    except OSError:
        return None
    numbers = found.stdout.split()
    # A version manager's stand-in exists under each name and fails for the versions that it does not have.
    return (int(numbers[0]), int(numbers[1])) if found.returncode == 0 and len(numbers) == 2 else None


def fits(version: tuple[int, int] | None) -> bool:
    """Whether the project runs on that Python."""
    return version is not None and OLDEST <= version <= NEWEST


def candidates() -> Iterator[Path]:
    """Where a Python may be: this one first, then by name, then a version manager's folders, the newest first."""
    yield Path(sys.executable)
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        named = shutil.which(f"python3.{minor}")
        if named:
            yield Path(named)
        yield from sorted((Path.home() / ".pyenv" / "versions").glob(f"3.{minor}.*/bin/python3"), reverse=True)


def base_python() -> Path:
    """The Python that the main environment is made with. Raises SetupError when there is none that fits."""
    for python in candidates():
        if fits(version_of(python)):
            return python
    raise SetupError("Python 3.11, 3.12 or 3.13 is needed; this is "
                  f"{sys.version.split()[0]}; type: sudo apt-get install python3.11 python3.11-venv")


def other_pythons(environment: Path) -> list[tuple[str, Path]]:
    """The machine's Pythons of the other versions that the project runs on, one each, as (`3.12`, where)."""
    found = {version_of(environment / "bin" / "python")}
    others = []
    for python in candidates():
        version = version_of(python)
        if version is not None and fits(version) and version not in found:
            found.add(version)
            others.append((f"{version[0]}.{version[1]}", python))
    return sorted(others)


# Environments


def stamp_of(lock_name: str) -> str:
    """What an environment's stamp holds when it was made from the lock and project file that are here now."""
    digest = hashlib.sha256()
    for path in (LOCKS / f"{lock_name}.txt", LOCKS / "build.txt", ROOT / "pyproject.toml"):
        digest.update(path.read_bytes())
    # The environment knows the project by its place.
    digest.update(os.fsencode(ROOT))
    return digest.hexdigest()


def environment(folder: Path, python: Path, lock_name: str) -> None:
    """Make sure that `folder` is an environment with what the lock names, each package by its hash, and the project."""
    inside = folder / "bin" / "python"
    stamp = folder / f".made-from-{lock_name}"
    alive = fits(version_of(inside))
    if alive and stamp.exists() and stamp.read_text() == stamp_of(lock_name):
        return
    if not alive:
        make_environment(folder, python)
    packages = sum(1 for line in (LOCKS / f"{lock_name}.txt").read_text().splitlines() if "==" in line)
    say(f"installing {packages} packages into {folder.relative_to(ROOT)} (requirements/{lock_name}.txt)")
    install(inside, "-r", str(LOCKS / "build.txt"), "-r", str(LOCKS / f"{lock_name}.txt"), hashed=True)
    say(f"installing the project itself into {folder.relative_to(ROOT)}")
    install(inside, "--no-deps", "--no-build-isolation", "--editable", str(ROOT), hashed=False)
    for name in INCLUDED[lock_name]:
        (folder / f".made-from-{name}").write_text(stamp_of(name))
    say(f"{folder.relative_to(ROOT)} is ready")


def make_environment(folder: Path, python: Path) -> None:
    """An empty environment at `folder`, with pip. Raises SetupError when this Python cannot make one."""
    missing = packages_to_make_environments(python)
    if missing:
        apt_install(missing, f"{python} cannot make virtual environments")
    say(f"making {folder.relative_to(ROOT)} with {python}")
    shutil.rmtree(folder, ignore_errors=True)
    run([python, "-m", "venv", folder])


def packages_to_make_environments(python: Path) -> list[str]:
    """The Debian package that this Python needs to make environments; none when it can."""
    if ends_well(python, "-c", "import ensurepip, venv", quiet=True):
        return []
    return ["python{}.{}-venv".format(*(version_of(python) or OLDEST))]


def install(python: Path, *arguments: str, hashed: bool) -> None:
    """Install with uv, which takes seconds where pip takes minutes; with pip where there is no uv or uv fails."""
    wanted = [*(["--require-hashes"] if hashed else []), *arguments]
    uv = uv_of(python)
    if uv is not None:
        if ends_well(uv, "--no-config", "pip", "install", "--python", python, *wanted):
            return
        say("uv could not; trying with pip, which asks the package sources that are configured for it")
    run([python, *PIP_INSTALL, *wanted])


def uv_of(python: Path) -> Path | None:
    """The locked uv inside the environment of `python`; None where there is no wheel of it for this machine."""
    uv, stamp = python.parent / "uv", python.parent.parent / ".made-from-uv"
    wanted = hashlib.sha256((LOCKS / "uv.txt").read_bytes()).hexdigest()
    if not (uv.exists() and stamp.exists() and stamp.read_text() == wanted):
        say("installing the installer (requirements/uv.txt)")
        wheel_only = ("--quiet", "--require-hashes", "--only-binary", ":all:")
        if not ends_well(python, *PIP_INSTALL, *wheel_only, "-r", LOCKS / "uv.txt"):
            say("no uv for this machine; going on with pip, which takes longer")
            return None
        stamp.write_text(wanted)
    return uv


def run(command: Sequence[str | Path]) -> None:
    """Run it in the project's folder; what it prints is shown. Raises CalledProcessError when it fails."""
    subprocess.run([str(part) for part in command], check=True, cwd=ROOT)


def ends_well(*command: str | Path, quiet: bool = False) -> bool:
    """Run it; whether it ended with code 0. quiet: show nothing of it."""
    output = subprocess.DEVNULL if quiet else None
    return subprocess.run([str(part) for part in command], check=False, stdout=output, stderr=output).returncode == 0


# System packages


def system_packages() -> None:
    """Make sure that the programs the tests run are here. Raises SetupError with the line to type where apt may not.

    What the environment needs from apt is asked for with them, so that there is one line to type and not two.
    """
    missing = [package for program, package in SYSTEM_PROGRAMS.items() if not program_is_here(program)]
    if missing:
        if not fits(version_of(ROOT / ".venv" / "bin" / "python")):
            missing += packages_to_make_environments(base_python())
        apt_install(missing, "the tests need programs that are not here")


def program_is_here(program: str) -> bool:
    """Whether it is on the path or where Debian keeps it: `/usr/sbin`, not on a user's path, or PostgreSQL's folder."""
    if shutil.which(program, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])):
        return True
    return any(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))


def apt_install(packages: Sequence[str], why: str) -> None:
    """Install Debian packages when this user may, unasked. Raises SetupError with the line to type otherwise."""
    command = ["sh", str(ROOT / "tools" / "install_system_packages.sh"), *packages]
    if not shutil.which("apt-get"):
        raise SetupError(f"{why}; install what your system calls {', '.join(packages)}, then run this again")
    if os.geteuid() != 0:
        if not (shutil.which("sudo") and ends_well("sudo", "-n", "true", quiet=True)):
            line = f"sudo sh tools/install_system_packages.sh {' '.join(packages)}"
            raise SetupError(f"{why}; type this, then run it again:\n\n    {line}\n")
        command = ["sudo", "-n", *command]
    say(f"{why}; installing {', '.join(packages)}")
    run(command)


# Locks


def lock() -> None:
    """Remake each lock file from pyproject.toml, the newest versions that its ranges allow."""
    environment_python = ROOT / ".venv" / "bin" / "python"
    if not fits(version_of(environment_python)):
        make_environment(ROOT / ".venv", base_python())
    uv = uv_of(environment_python)
    if uv is None:
        raise SetupError("the locks are made by uv, which this machine cannot run; make them on another")
    LOCKS.mkdir(exist_ok=True)
    for name, sources in LOCKED.items():
        say(f"requirements/{name}.txt")
        # A group alone is locked without the project's own dependencies.
        project = [] if name in ("build", "uv") else ["pyproject.toml"]
        bound = [] if name == "dev" else ["--constraints", "requirements/dev.txt"]
        file = f"requirements/{name}.txt"
        run([uv, "--no-config", "pip", "compile", *project, *sources, *bound, *LOCKING, "--output-file", file])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
