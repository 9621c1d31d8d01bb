"""What we are doing to a model, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from llmstack_tui.hosts.errors import HostError


class ActKind(StrEnum):
    ACTIVATE = "activate"
    DEACTIVATE = "deactivate"


@dataclass(frozen=True, slots=True)
class Act:
    """One act under way.

    Attributes:
        host: the base URL of the host.
        model: the name as it was asked for.
        started_at_s: monotonic seconds.
    """

    kind: ActKind
    host: str
    model: str
    started_at_s: float


class Departure(StrEnum):
    """What a stop came to: the model left, it leaves when its request ends, or a newer request keeps it."""

    GONE = "gone"
    LEAVING = "leaving"
    KEPT = "kept"


class Interrupted(HostError):
    """An activation was given up because a stop of the same model was asked for."""

    title = "Activation given up"
