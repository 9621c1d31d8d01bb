"""Whether a model that was asked to leave does, or is kept by a newer request. Pure.

A stop never cuts a request, so a busy model stays listed. From the stop on, its ``expires_at`` stands still,
or moves with the clock. When a newer request brings its own keep-alive, the stop is forgotten, and at the end
of that request ``expires_at`` jumps ahead by the keep-alive (see Ollama's ``server/sched.go``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from datetime import datetime

# More than the error of two clocks and a round trip. A shorter keep-alive ends before it could be noticed.
_JUMP_S = 1.0


class Sighting(Struct, frozen=True):
    """When a model would leave by the server's clock, and the monotonic seconds when we read it."""

    expires_at: datetime | None
    seen_at_s: float


def is_kept(first: Sighting, later: Sighting) -> bool:
    """Whether a stop was taken back between the first sighting after it and a later one.

    Only differences of the server's clock are used: it may be another machine's.
    """
    if first.expires_at is None or later.expires_at is None:
        return False
    moved_s = (later.expires_at - first.expires_at).total_seconds()
    return moved_s > later.seen_at_s - first.seen_at_s + _JUMP_S
