"""Progress and speed of a pull, from the lines that a server sends. Pure.

Seconds are monotonic, so that setting the clock does not affect the speed.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from llmstack_tui.downloads.types import LayerProgress

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llmstack_tui.hosts.types import Progress

# Long enough for a steady figure, short enough to follow changes.
_WINDOW_S = 5.0
# No speed is worked out from less.
_LEAST_S = 1.0
# No model has more: each is a line on the screen.
_MOST_LAYERS = 200
# Servers report more often than this.
_SAMPLE_S = 0.2


class Tracker:
    """Tracks one pull.

    Attributes:
        layers: in the order in which they were named.
        step: what the server is doing, in its words.
        received: bytes received during this pull.
    """

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
        """Show these layers until the server reports them itself."""
        self._layers = {layer.digest: layer for layer in layers} | {
            digest: self._layers[digest] for digest in self._layers if digest in self._named
        }

    def heard(self, line: Progress, now_s: float) -> None:
        """Take note of a line. While a layer is being verified, it tells how much was verified."""
        self.step = line.status
        before = self._layers.get(line.digest or "")
        is_known = before is not None or len(self._layers) < _MOST_LAYERS
        if line.digest is not None and line.status.startswith("pulling") and is_known:
            completed = line.completed or 0
            if line.digest in self._named and before is not None:
                # The first figure includes what was there before this pull.
                self.received += max(completed - before.completed, 0)
            self._named.add(line.digest)
            total = line.total if line.total is not None or before is None else before.total
            self._layers[line.digest] = LayerProgress(line.digest, completed, total)
        self._sample(now_s)

    def speed(self, now_s: float) -> float | None:
        """Bytes per second over the last seconds; 0 if nothing arrived in them, None if it is too early."""
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
            # The last sample is always that of the newest line.
            self._samples[-1] = sample
        else:
            self._samples.append(sample)
