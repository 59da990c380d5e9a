"""The repository's own files, as the tests of this folder read them."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("controller", "gateway", "node_firmware", "simulators")


def files() -> list[Path]:
    """Every file that is in the repository or would be if it were added now."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                            capture_output=True, text=True, check=True).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def imports_of(package: str) -> Iterator[tuple[str, str]]:
    """Each (file, imported top-level module) of a package, wherever in the file it stands."""
    for path in sorted((ROOT / package).rglob("*.py")):
        for step in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(step, ast.Import):
                for name in step.names:
                    yield str(path.relative_to(ROOT)), name.name.partition(".")[0]
            elif isinstance(step, ast.ImportFrom) and step.module and step.level == 0:
                yield str(path.relative_to(ROOT)), step.module.partition(".")[0]
