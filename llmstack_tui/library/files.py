"""Files that are whole or not there: what is written has an unfinished name until it is done."""

from __future__ import annotations

import os
import secrets
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

UNFINISHED = ".unfinished-"


def write_whole(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path`` atomically: nobody sees a part of it there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = unfinished_path(path.parent)
    try:
        with unfinished.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def unfinished_path(folder: Path) -> Path:
    """A new path in ``folder``; its name contains the current time, and no model can have it."""
    return folder / f"{UNFINISHED}{int(time.time())}-{secrets.token_hex(8)}"


def remove_empty(folder: Path, root: Path) -> None:
    """Remove ``folder`` and its parents below ``root``, as long as they are empty."""
    while folder != root and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
