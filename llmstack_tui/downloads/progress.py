"""How far a pull is and how fast it goes, from the lines that a server sends. Pure.

Seconds are monotonic: a clock that is set makes no speed.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from llmstack_tui.downloads.types import LayerProgress

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llmstack_tui.hosts.types import Progress

# Long enough to be read, short enough to follow.
_WINDOW_S = 5.0
# Of less nothing is worked out.
_LEAST_S = 1.0
# Servers say more often how far they are.
_SAMPLE_S = 0.2


class Tracker:
    """``layers`` in the order in which they were named; ``received`` counts bytes that came meanwhile."""

    def __init__(self, layers: Iterable[LayerProgress] = ()) -> None:
        self._layers = {layer.digest: layer for layer in layers}
        self._named = set[str]()
        self._samples: deque[tuple[float, int]] = deque()
        self.step = ""
        self.received = 0

    @property
    def layers(self) -> tuple[LayerProgress, ...]:
        return tuple(self._layers.values())

    def expects(self, layers: Iterable[LayerProgress]) -> None:
        """Show these from the start, as far as the server has not told of them itself."""
        self._layers = {layer.digest: layer for layer in layers} | {
            digest: self._layers[digest] for digest in self._layers if digest in self._named
        }

    def heard(self, line: Progress, now_s: float) -> None:
        """Take note of a line. Of a layer that is being checked it says how much was checked."""
        self.step = line.status
        if line.digest is not None and line.status.startswith("pulling"):
            before = self._layers.get(line.digest)
            completed = line.completed or 0
            if line.digest in self._named and before is not None:
                # What was there before this pull is in the first figure.
                self.received += max(completed - before.completed, 0)
            self._named.add(line.digest)
            total = line.total if line.total is not None or before is None else before.total
            self._layers[line.digest] = LayerProgress(line.digest, completed, total)
        self._sample(now_s)

    def speed(self, now_s: float) -> float | None:
        """Bytes per second over the last seconds; 0 when nothing came in all of them, None while it is too
        early to say.
        """
        while len(self._samples) > 1 and self._samples[1][0] <= now_s - _WINDOW_S:
            self._samples.popleft()
        if not self._samples:
            return None
        since_s, before = self._samples[0]
        passed_s = now_s - since_s
        came = self.received - before
        if came > 0:
            return came / passed_s if passed_s >= _LEAST_S else None
        return 0.0 if passed_s >= _WINDOW_S else None

    def _sample(self, now_s: float) -> None:
        sample = now_s, self.received
        if len(self._samples) > 1 and now_s - self._samples[-2][0] < _SAMPLE_S:
            # The newest is always that of the newest line.
            self._samples[-1] = sample
        else:
            self._samples.append(sample)
