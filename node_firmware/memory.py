"""What stands between a pin and the siren stays in memory: a page that must be read from the SD card waits for it."""

import ctypes
import logging
import os
from typing import Final

logger = logging.getLogger(__name__)

_CURRENT_AND_FUTURE: Final = 1 | 2
_ON_FAULT: Final = 4


def lock(*, unused: bool = False) -> None:
    """Keep every page of this process that is used, now or later, in memory; also those of code, which the kernel drops first.

    unused: read in and keep also what has not been used yet (37 MB for the guard).
    Needs `LimitMEMLOCK=infinity`, as the unit has it. It does not outlive an exec: each program asks for itself.
    """
    if ctypes.CDLL(None, use_errno=True).mlockall(_CURRENT_AND_FUTURE if unused else _CURRENT_AND_FUTURE | _ON_FAULT) != 0:
        logger.info("memory: it is not locked (%s); the unit's LimitMEMLOCK allows it", os.strerror(ctypes.get_errno()))
