"""The processes that run a model file, and their use of memory and processors.

Computing is a sign of activity where the server itself reports none.

Seen of Ollama's runners on a processor: 0.00 of a core when idle, 1.02 and more while they answer.
"""

from __future__ import annotations

import math
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

Wanted = str | int
"""The digest of a blob, or the id of a process."""

# Looking through all processes costs some ten milliseconds.
_SEARCH_AGAIN_S = 30.0


class ProcessUse(NamedTuple):
    """What one process has used so far, and holds now.

    Attributes:
        processor_s: seconds of processors.
        resident: bytes of main memory; ``mapped`` of them are pages of files, which count as free.
    """

    pid: int
    processor_s: float
    resident: int
    mapped: int


class ModelProcesses:
    """Finds them by their ids, or by their command line, which names the blob. For one thread at a time."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._found: dict[Wanted, psutil.Process] = {}
        self._sought: frozenset[str] = frozenset()
        self._search_at = -math.inf

    def used(self, wanted: Collection[Wanted]) -> Mapping[Wanted, ProcessUse]:
        """The use of each process; one that is not found is left out. Nothing is raised."""
        found = {each: use for each in wanted if (use := self._used(each)) is not None}
        missing = frozenset(each for each in wanted if isinstance(each, str)) - found.keys()
        if missing and (missing != self._sought or self._clock() >= self._search_at):
            self._sought, self._search_at = missing, self._clock() + _SEARCH_AGAIN_S
            self._search(missing)
            found |= {digest: use for digest in missing if (use := self._used(digest)) is not None}
        return found

    def _used(self, wanted: Wanted) -> ProcessUse | None:
        try:
            process = self._found.get(wanted)
            if process is None and isinstance(wanted, int):
                process = self._found[wanted] = psutil.Process(wanted)
            # A process id that was given to another program is no longer this one.
            if process is not None and process.is_running():
                times, memory = process.cpu_times(), process.memory_info()
                # Only Linux has this figure; elsewhere mapped files cannot be told from other memory.
                mapped = min(getattr(memory, "shared", 0), memory.rss)
                return ProcessUse(process.pid, times.user + times.system, memory.rss, mapped)
        except (psutil.Error, OSError, ValueError, OverflowError):
            pass
        self._found.pop(wanted, None)
        return None

    def _search(self, digests: frozenset[str]) -> None:
        with suppress(psutil.Error, OSError):
            for process in psutil.process_iter(["cmdline"]):
                # None where it may not be known: another user's, on some systems.
                words = " ".join(process.info["cmdline"] or ())
                if "sha256-" in words:
                    self._found |= {digest: process for digest in digests if f"sha256-{digest}" in words}
