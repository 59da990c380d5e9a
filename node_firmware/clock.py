"""The node's clocks. Delays and ages are counted on CLOCK_BOOTTIME: a mere restart of the process does not reset it."""

import time
from pathlib import Path
from typing import Final

from controller.instants import Now

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


def boottime_ms() -> int:
    """Milliseconds since the machine's start, time asleep included."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


def now() -> Now:
    """This moment on both clocks; the second one is a guess on a machine without a clock of its own."""
    return Now(boottime_ms(), time.time_ns() // 1_000_000)


def kernel_boot_id() -> str:
    """The kernel's own id of this life of the machine: two times on CLOCK_BOOTTIME compare only under the same one."""
    return _BOOT_ID.read_text().strip()
