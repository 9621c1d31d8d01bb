"""The acts of loading and unloading a model, how they end, and whether a stop was taken back."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from llmstack_tui.base.kinds import Actor
from llmstack_tui.base.sentences import Sentence, Sentences
from llmstack_tui.hosts.errors import HostError

if TYPE_CHECKING:
    from datetime import datetime, timedelta


def because(word: str) -> Sentences:
    """The reason of an act that is part of another one, such as a chat, a restart or a pull."""
    return (Sentence(f"reason.{word}"),)


# The reason of an unload that is the first step of a removal. Its failure is recorded as that of the removal.
REMOVAL = because("remove")


class ActKind(StrEnum):
    ACTIVATE = "activate"
    DEACTIVATE = "deactivate"


class Act(Struct, frozen=True):
    """One act under way.

    Attributes:
        host: the base URL of the host.
        model: the name as given in the request.
        started_at_s: monotonic seconds.
        is_part: it belongs to something that is recorded anyway, such as a pin or a load that was cancelled:
            it is recorded only if it fails.
    """

    kind: ActKind
    host: str
    model: str
    started_at_s: float
    asked_by: Actor = Actor.USER
    reason: Sentences = ()
    keep_alive: timedelta | None = None
    context_length: int | None = None
    is_part: bool = False


class Departure(StrEnum):
    """The result of a stop: the model left, leaves when its request ends, or is kept by a newer request."""

    GONE = "gone"
    LEAVING = "leaving"
    KEPT = "kept"


class ActEnd(StrEnum):
    """How an act ended.

    LEAVING: the model leaves when its request ends; a final end may follow.
    SUPERSEDED: a newer act took its place.
    """

    LOADED = "loaded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    GONE = "gone"
    LEAVING = "leaving"
    KEPT = "kept"
    SUPERSEDED = "superseded"


class ActObserver(Protocol):
    """Hears of every act."""

    def began(self, act: Act) -> None: ...

    def ended(self, act: Act, end: ActEnd, error: HostError | None = None) -> None: ...


class Interrupted(HostError):
    """An activation was cancelled because a stop of the same model was requested."""

    title = "title.given_up"


# A stop never cuts a request, so a busy model stays listed. From the stop on, its ``expires_at`` stands
# still, or moves with the clock. When a newer request brings its own keep-alive, the stop is forgotten, and
# at the end of that request ``expires_at`` jumps ahead by the keep-alive (see Ollama's ``server/sched.go``).

# More than the error of two clocks and a round trip. A shorter keep-alive ends unnoticed.
_JUMP_S = 1.0


class Sighting(Struct, frozen=True):
    """When a model would leave by the server's clock, and the monotonic seconds when we read it."""

    expires_at: datetime | None
    seen_at_s: float


def is_kept(first: Sighting, later: Sighting) -> bool:
    """Whether a stop was taken back between the first sighting after it and a later one.

    Only differences of the server's clock are used, as the server may be on another machine.
    """
    if first.expires_at is None or later.expires_at is None:
        return False
    moved_s = (later.expires_at - first.expires_at).total_seconds()
    return moved_s > later.seen_at_s - first.seen_at_s + _JUMP_S
