"""What the guard decides from, and what it decides, as frozen values.

Sizes are bytes, times monotonic seconds; ``None`` is "not known" or "none", never zero.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import StrEnum

from msgspec import Struct, field

from llmstack_tui.base.sentences import Sentences  # noqa: TC001  # tests build situations from their types


class Limits(Struct, frozen=True, kw_only=True):
    """What may be loaded.

    Attributes:
        max_loaded: models at once on one host; None is no limit.
        memory_budget: bytes that all on the machine may take; None is no limit.
        memory_word: what that memory is called.
        others: also models that other programs loaded are stopped.
    """

    max_loaded: int | None = None
    memory_budget: int | None = None
    memory_word: str = "memory"
    others: bool = True


class LoadedModel(Struct, frozen=True, kw_only=True):
    """One model in memory.

    Attributes:
        name: as the host lists it.
        size: what it takes of the memory that is limited.
        sign_at_s: its last sign of activity; of two models the one with the lower was used less recently.
        idle_s: seconds without a sign for which somebody looked on; those of a sleep do not count.
        busy: it shows a sign of activity now.
        pinned: it is never stopped.
        ours: we loaded it.
        leaving_s: seconds since it was asked to leave; None where it was not.
        spared: it is not to be asked: it was a moment ago and stayed, a person has just loaded it though the
            limits will not hold, no name can stop it, or nobody guards its host.
        idle_limit_s: how long it may be idle; None is for ever.
        host: that has it, of those of a machine.
        lapses_s: seconds until another client's keep-alive lets a pinned model go that we loaded and that is
            as it was when it was to stay for ever; None for all others.
    """

    name: str
    digest: str = ""
    size: int | None = None
    sign_at_s: float = 0.0
    idle_s: float = 0.0
    busy: bool = False
    pinned: bool = False
    ours: bool = True
    leaving_s: float | None = None
    spared: bool = False
    idle_limit_s: float | None = None
    host: str = ""
    lapses_s: float | None = None


class Situation(Struct, frozen=True, kw_only=True):
    """A host at one look.

    Attributes:
        looks_over: looks in a row, this one counted, that found more than the limits allow.
        held: the user wants nothing to be stopped.
        coming: how many models are being loaded, or about to be, and not listed yet.
        heat: why the machine is too hot; empty where it is not.
        hot_for_s: for how long it has been.
        heat_stop_s: seconds since a model was stopped for the heat; None where none was.
        elsewhere: what other hosts of the same machine hold, which share its memory.
        lost: names of pinned models that were loaded and are no more, and that nobody here asked to leave.
    """

    host: str = ""

    loaded: tuple[LoadedModel, ...] = ()
    limits: Limits = field(default_factory=Limits)
    looks_over: int = 0
    coming: int = 0
    held: bool = False
    heat: Sentences = ()
    hot_for_s: float = 0.0
    heat_stop_s: float | None = None
    elsewhere: tuple[LoadedModel, ...] = ()
    lost: tuple[str, ...] = ()


class Cause(StrEnum):
    """Why a model is stopped."""

    IDLE = "idle"
    COUNT = "count"
    MEMORY = "memory"
    HEAT = "heat"


class Stop(Struct, frozen=True):
    """Ask this model to leave."""

    model: str
    digest: str
    cause: Cause
    reason: Sentences
    host: str = ""


class Renew(Struct, frozen=True):
    """Tell the server again that this model is to stay."""

    model: str
    digest: str
    reason: Sentences


class Warn(Struct, frozen=True):
    """Tell the user. ``about`` is the same for the same trouble, which is told once."""

    about: tuple[str, str]
    reason: Sentences


class Nothing(Struct, frozen=True):
    """Leave all as it is."""

    reason: Sentences


Decision = Stop | Renew | Warn | Nothing


class Wanted(Struct, frozen=True):
    """A model that somebody wants to load; ``size`` is what it will take, as far as that is known."""

    name: str
    size: int | None = None
    host: str = ""


class Allow(Struct, frozen=True):
    """It may be loaded."""


class Ask(Struct, frozen=True):
    """It may be loaded when these have been stopped.

    Attributes:
        stops: the least used first; may be empty, where all that is loaded has to stay.
        enough: with these stopped the limits hold.
    """

    stops: tuple[Stop, ...]
    enough: bool
    reason: Sentences


class Refuse(Struct, frozen=True):
    """It may not be loaded now."""

    reason: Sentences


Admission = Allow | Ask | Refuse
Confirm = Callable[[Ask], Awaitable[bool]]
"""Asks a person whether what is named may be stopped for one more model."""


class GuardState(Struct, frozen=True, kw_only=True):
    """What the guard of one host is doing, for those who show it.

    Attributes:
        off: why nothing is guarded there; empty where it is.
        leads: this program acts; False where another one does, None until that is known.
        held: nothing is unloaded by itself.
        heat: why the machine is too hot; empty where it is not.
        pinned: the names of models that are never stopped, as they were written.
        overridden: of those that are loaded, the ones that leave all the same: another client set their
            keep-alive.
        renewed: of those, the ones whose keep-alive is renewed before that.
        decisions: what it decided last.
    """

    limits: Limits = field(default_factory=Limits)
    off: Sentences = ()
    leads: bool | None = None
    held: bool = False
    heat: Sentences = ()
    pinned: frozenset[str] = frozenset()
    overridden: frozenset[str] = frozenset()
    renewed: frozenset[str] = frozenset()
    decisions: tuple[Decision, ...] = ()
