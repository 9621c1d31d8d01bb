"""Which process a file is about: the id of a process alone would be confused with a later one's.

A process that was killed leaves its file behind, and its id is given to another one some day. So what tells
the two apart is kept, too.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from llmstack_tui.base.private_files import private_opener

if TYPE_CHECKING:
    import psutil

_BOOT = Path("/proc/sys/kernel/random/boot_id")
# Of /proc/PID/stat, counted from what follows the name, which may have spaces: proc_pid_stat(5).
_START_FIELD = 22 - 3


class ProcessRecord(msgspec.Struct, frozen=True):
    """A process; ``identity`` is that of `identity_of`."""

    pid: int
    identity: str


def identity_of(pid: int) -> str:
    """What no other process has that ever gets this id; "" if there is none, or only its remains.

    Linux computes the time of a creation from the clock, so it moves when somebody sets that: there, it is
    the ticks since the boot, and which boot that was.
    """
    import psutil  # noqa: PLC0415 (not needed to import this module)

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return ""
        return _by_boot(pid) or f"{process.create_time():.3f}"
    except psutil.Error:
        return ""


def _by_boot(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
        return f"{_BOOT.read_text().strip()} {stat.rpartition(')')[2].split()[_START_FIELD]}"
    except (OSError, IndexError):
        return ""


def record(file: Path, pid: int) -> None:
    """Write which process a file is about, if possible."""
    with suppress(OSError), open(file, "wb", opener=private_opener) as output:
        output.write(msgspec.json.encode(ProcessRecord(pid, identity_of(pid))))


def recorded(file: Path) -> psutil.Process | None:
    """The process that a file is about, if it still runs."""
    import psutil  # noqa: PLC0415

    try:
        found = msgspec.json.decode(file.read_bytes(), type=ProcessRecord)
    except (OSError, msgspec.MsgspecError):
        return None
    if not found.identity or identity_of(found.pid) != found.identity:
        return None
    with suppress(psutil.Error):
        return psutil.Process(found.pid)
    return None
