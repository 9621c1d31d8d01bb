"""Files that only their owner may read."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_MODE = 0o600


def private_opener(path: str, flags: int) -> int:
    """For `open`: makes the file for its owner alone, and takes it from others if it is there."""
    opened = os.open(path, flags, _MODE)
    if os.name == "posix":
        # Somebody else's file, or a disk without modes, stays as it is.
        with suppress(OSError):
            os.fchmod(opened, _MODE)
    return opened


def replace_private(file: Path, content: bytes) -> None:
    """Write a file, whole or not at all, also if the power fails. Blocking. Raises OSError."""
    new = file.with_name(f".{file.name}.new")
    try:
        with open(new, "wb", opener=private_opener) as output:
            output.write(content)
            output.flush()
            os.fsync(output.fileno())
        new.replace(file)
    except OSError:
        with suppress(OSError):
            new.unlink(missing_ok=True)
        raise
