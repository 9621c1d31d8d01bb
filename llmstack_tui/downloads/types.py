"""A pull, as frozen values: what the queue knows of it and a screen shows. Sizes are bytes."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from datetime import datetime

    from llmstack_tui.base.sentences import Sentences


class DownloadState(StrEnum):
    """Where a pull is. The last three are its end."""

    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        return self in (DownloadState.DONE, DownloadState.FAILED, DownloadState.CANCELLED)


class Why(StrEnum):
    """What a pull is for."""

    PULL = "pull"
    UPDATE = "update"


class LayerProgress(Struct, frozen=True):
    """A part of a model on its way; ``total`` is None until the server has told it."""

    digest: str
    completed: int = 0
    total: int | None = None


class Download(Struct, frozen=True, kw_only=True):
    """A pull of a model to a host.

    Attributes:
        id: the same for as long as the pull is remembered.
        step: what the server is at, in its words.
        speed: bytes per second of late; 0 while nothing comes, None while it is not known yet.
        reason: why it failed, or waits (for room on the disk, for a request to end).
        ended_at: None while it is not over.
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
        """None while a layer's size is unknown."""
        sizes = [layer.total for layer in self.layers]
        return sum(size for size in sizes if size is not None) if sizes and None not in sizes else None

    @property
    def left_s(self) -> float | None:
        """Seconds until it is there, at the present speed."""
        if self.total is None or not self.speed:
            return None
        return max(self.total - self.completed, 0) / self.speed
