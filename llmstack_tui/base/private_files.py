"""Files that only their owner may read."""

from __future__ import annotations

import os
from contextlib import suppress

_MODE = 0o600


def private_opener(path: str, flags: int) -> int:
    """For `open`: makes the file for its owner alone, and takes it from others if it is there."""
    opened = os.open(path, flags, _MODE)
    if os.name == "posix":
        # Somebody else's file, or a disk without modes, stays as it is.
        with suppress(OSError):
            os.fchmod(opened, _MODE)
    return opened
