"""The processes that run models, and their use of memory and processors.

A process that computes is a sign of activity, for servers that report none. Ollama's runners on a processor
were seen to use 0.00 of a core when idle, and 1.02 or more while they answer.
"""

from __future__ import annotations

import math
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

ProcessKey = str | int
"""The digest of a blob, or the id of a process."""

# A search through all processes takes some ten milliseconds.
_SEARCH_AGAIN_S = 30.0


class ProcessUse(NamedTuple):
    """The processor time that a process has used, and the memory that it holds.

    Attributes:
        processor_s: seconds, over all cores.
        resident: bytes of main memory; ``mapped`` of them are pages of files, which count as free.
    """

    pid: int
    processor_s: float
    resident: int
    mapped: int


class ModelProcesses:
    """Finds the processes of models by id, or by the blob in the command line. For one thread at a time."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._found: dict[ProcessKey, psutil.Process] = {}
        self._sought: frozenset[str] = frozenset()
        self._search_at = -math.inf

    def used(self, wanted: Collection[ProcessKey]) -> Mapping[ProcessKey, ProcessUse]:
        """The use of each of these processes that is found. Raises nothing."""
        found = {each: use for each in wanted if (use := self._used(each)) is not None}
        missing = frozenset(each for each in wanted if isinstance(each, str)) - found.keys()
        if missing and (missing != self._sought or self._clock() >= self._search_at):
            self._sought, self._search_at = missing, self._clock() + _SEARCH_AGAIN_S
            self._search(missing)
            found |= {digest: use for digest in missing if (use := self._used(digest)) is not None}
        return found

    def _used(self, wanted: ProcessKey) -> ProcessUse | None:
        try:
            process = self._found.get(wanted)
            if process is None and isinstance(wanted, int):
                process = self._found[wanted] = psutil.Process(wanted)
            # False if the id now belongs to another process.
            if process is not None and process.is_running():
                times, memory = process.cpu_times(), process.memory_info()
                # Only Linux has this figure; elsewhere mapped files count as other memory.
                mapped = min(getattr(memory, "shared", 0), memory.rss)
                return ProcessUse(process.pid, times.user + times.system, memory.rss, mapped)
        except (psutil.Error, OSError, ValueError, OverflowError):
            pass
        self._found.pop(wanted, None)
        return None

    def _search(self, digests: frozenset[str]) -> None:
        with suppress(psutil.Error, OSError):
            for process in psutil.process_iter(["cmdline"]):
                # None without the right to read it: on some systems, of other users' processes.
                words = " ".join(process.info["cmdline"] or ())
                if "sha256-" in words:
                    self._found |= {digest: process for digest in digests if f"sha256-{digest}" in words}
