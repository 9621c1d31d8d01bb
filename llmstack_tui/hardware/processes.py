"""The processor time of processes that run a model file: a sign of work where a server tells of none.

Seen of Ollama's runners on a processor: 0.00 of a core when idle, 1.02 and more while they answer.
"""

from __future__ import annotations

import math
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

# Looking through all processes costs some ten milliseconds.
_SEARCH_AGAIN_S = 30.0


class ModelProcesses:
    """Finds them by their command line, which names the blob. For one thread at a time; it raises nothing."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._found: dict[str, psutil.Process] = {}
        self._sought: frozenset[str] = frozenset()
        self._search_at = -math.inf

    def processor_s(self, digests: Collection[str]) -> Mapping[str, float]:
        """Seconds that the process of each blob has computed; none for one that is not found here."""
        used = {digest: seconds for digest in digests if (seconds := self._used(digest)) is not None}
        missing = frozenset(digests) - used.keys()
        if missing and (missing != self._sought or self._clock() >= self._search_at):
            self._sought, self._search_at = missing, self._clock() + _SEARCH_AGAIN_S
            self._search(missing)
            used |= {digest: seconds for digest in missing if (seconds := self._used(digest)) is not None}
        return used

    def _used(self, digest: str) -> float | None:
        process = self._found.get(digest)
        if process is None:
            return None
        try:
            # A process id that was given to another program is no longer this one.
            times = process.cpu_times() if process.is_running() else None
        except (psutil.Error, OSError):
            times = None
        if times is None:
            del self._found[digest]
            return None
        return float(times.user + times.system)

    def _search(self, digests: frozenset[str]) -> None:
        with suppress(psutil.Error, OSError):
            for process in psutil.process_iter(["cmdline"]):
                # None where it may not be known: another user's, on some systems.
                words = " ".join(process.info["cmdline"] or ())
                if "sha256-" in words:
                    self._found |= {digest: process for digest in digests if f"sha256-{digest}" in words}
