"""The state of a pull, as frozen values. Sizes are in bytes."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.languages import later

if TYPE_CHECKING:
    from datetime import datetime

    from llmstack_tui.base.sentences import Sentences


class DownloadState(StrEnum):
    """The state of a pull. The last three are final."""

    WAITING = later("waiting")
    RUNNING = later("running")
    PAUSED = later("paused")
    DONE = later("done")
    FAILED = later("failed")
    CANCELLED = later("cancelled")

    @property
    def is_over(self) -> bool:
        return self in (DownloadState.DONE, DownloadState.FAILED, DownloadState.CANCELLED)


class Why(StrEnum):
    """What a pull is for."""

    PULL = "pull"
    UPDATE = "update"


class LayerProgress(Struct, frozen=True):
    """The progress of one layer of a model; ``total`` is None until the server tells it."""

    digest: str
    completed: int = 0
    total: int | None = None


class Download(Struct, frozen=True, kw_only=True):
    """A pull of a model to a host.

    Attributes:
        id: stays the same for as long as the pull is stored.
        step: what the server is doing, in its words.
        speed: recent bytes per second; 0 while nothing arrives, None if not known yet.
        reason: why it failed, or what it waits for (disk space, the end of a request).
        ended_at: None until it is over.
    """

    id: int
    host: str
    model: str
    why: Why
    state: DownloadState
    asked_at: datetime
    step: str = ""
    layers: tuple[LayerProgress, ...] = ()
    speed: float | None = None
    reason: Sentences = ()
    ended_at: datetime | None = None

    @property
    def completed(self) -> int:
        return sum(layer.completed for layer in self.layers)

    @property
    def total(self) -> int | None:
        """The size of all layers; None while that of one is unknown."""
        sizes = [layer.total for layer in self.layers]
        return sum(size for size in sizes if size is not None) if sizes and None not in sizes else None

    @property
    def left_s(self) -> float | None:
        """Seconds until the end of the pull at the present speed; None if not known."""
        if self.total is None or not self.speed:
            return None
        return max(self.total - self.completed, 0) / self.speed
