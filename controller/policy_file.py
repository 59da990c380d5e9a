"""The policy as a file: the rules themselves read none."""

import os
from pathlib import Path

from controller.errors import BadConfig
from controller.rules.policy import Policy


def read_policy(path: Path, zone: str = "") -> Policy:
    """The policy in a file; zone: as that zone has it, empty: the district's. Raises BadConfig with every fault of it."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as fault:
        raise BadConfig([f"policy: {path} cannot be read ({os.strerror(fault.errno or 0)}); correct the path"]) from fault
    return Policy.parse(text, str(path), zone)
