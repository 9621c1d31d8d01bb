"""A built-in engine whose disk is as large as a test wants, also while it is written to."""

from __future__ import annotations

import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.engine_process import killable_engine
from tests.support.stack_pulls import Engine

if TYPE_CHECKING:
    from collections.abc import Iterator

# In a name space of its own, whose owner may mount: nobody else sees it, and it goes with the process.
_OWN_MOUNTS = ("unshare", "--user", "--map-root-user", "--mount")
_MOUNT = 'mount -t tmpfs -o size=8g none "$HOME" && exec "$@"'
_TRIAL = "mount -t tmpfs -o size=8g none /mnt && mount -o remount,size=64k none /mnt"
_PAGE = 4096


@dataclass(frozen=True)
class SmallDisk:
    """``engine.models`` is where this process sees its folder."""

    engine: Engine
    _pid: int
    _home: Path

    def leaves(self, free: int) -> None:
        """Have it no more than ``free`` bytes larger than what is on it."""
        blocks = sum(path.stat().st_blocks for path in self._seen.rglob("*"))
        self._resize(blocks * 512 + free // _PAGE * _PAGE)

    def is_large(self) -> None:
        self._resize(8 * 2**30)

    @property
    def _seen(self) -> Path:
        return Path(f"/proc/{self._pid}/root{self._home}")

    def _resize(self, size: int) -> None:
        inside = ("nsenter", "--target", str(self._pid), "--user", "--mount", "--preserve-credentials")
        # With its name: else the owner is asked for again, who may be nobody in there.
        subprocess.run([*inside, "mount", "-o", f"remount,size={size}", "none", str(self._home)], check=True)


@cache
def may_mount() -> bool:
    """Whether this user may, here: many containers do not let anybody."""
    if sys.platform != "linux":
        return False
    try:
        tried = subprocess.run([*_OWN_MOUNTS, "sh", "-c", _TRIAL], check=False, capture_output=True)
    except OSError:
        return False
    return tried.returncode == 0 and shutil.which("nsenter") is not None


@contextmanager
def engine_on_a_small_disk(home: Path) -> Iterator[SmallDisk]:
    """One that has all its files on a disk of its own, which is large at first."""
    with killable_engine(home, *_OWN_MOUNTS, "sh", "-c", _MOUNT, "sh") as (url, process):
        models = Path(f"/proc/{process.pid}/root{home}/.local/share/llmstack/models")
        yield SmallDisk(Engine(url, models), process.pid, home)
