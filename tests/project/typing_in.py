"""Lines of the pages, typed as they stand."""

import os
import re
import subprocess

from tests.project.repository import ROOT

_MACHINE = """sudo() { [ "$1" = -u ] && shift 2; "$@"; }
useradd() { echo "useradd $*"; }
systemctl() { echo "systemctl $*"; }
"""


def lines_after(page: str, heading: str) -> str:
    """The first block of shell lines behind `heading`."""
    found = re.search(r"```sh\n(.*?)```", (ROOT / page).read_text().partition(heading)[2], re.DOTALL)
    assert found is not None, f"{page}: no lines behind {heading}"
    return found.group(1)


def typed(script: str) -> str:
    """What these lines print, typed here by somebody who may do everything; the machine's users and services are left alone."""
    done = subprocess.run(["sh", "-e"], input=_MACHINE + script, cwd=ROOT, capture_output=True, text=True, check=False,
                          env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"})
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout
