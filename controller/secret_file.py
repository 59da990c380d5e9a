"""A machine's own secrets, each alone in a small file that is made where it is used."""

import os
import tempfile
from pathlib import Path


def make(path: Path, secret: str) -> None:
    """A new file (mode 0600) with this one line: whole and synced, or not there at all.

    Raises FileExistsError when there is one, OSError when it cannot be made.
    """
    descriptor, unfinished = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secret + "\n")
            file.flush()
            os.fsync(file.fileno())
        # A power cut must not leave an empty file under the secret's name, nor a second process make a second secret.
        os.link(unfinished, path)
    finally:
        Path(unfinished).unlink()
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
