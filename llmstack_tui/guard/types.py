"""The input and the decisions of the guard, as frozen values.

Sizes are in bytes, times in monotonic seconds; ``None`` means "not known" or "none", never zero.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import StrEnum

from msgspec import Struct, field

from llmstack_tui.base.languages import later
from llmstack_tui.base.sentences import Sentences  # noqa: TC001  # tests build situations from their types


class Consent(StrEnum):
    """The user's answer to whether the guard may unload models that other programs loaded."""

    ASK = "ask"
    YES = "yes"
    NO = "no"


class Limits(Struct, frozen=True, kw_only=True):
    """The limits of loaded models.

    Attributes:
        max_loaded: models on one host at once; None is no limit.
        memory_budget: bytes that all models on the machine may take together; None is no limit.
        memory_word: the name of that memory, RAM or VRAM.
    """

    max_loaded: int | None = None
    memory_budget: int | None = None
    memory_word: str = later("memory")


class LoadedModel(Struct, frozen=True, kw_only=True):
    """One model in memory.

    Attributes:
        name: as the host lists it.
        size: its share of the memory that is limited.
        sign_at_s: time of its last sign of activity; the lower, the longer ago it was used.
        idle_s: observed seconds without a sign of activity; time that the machine slept does not count.
        busy: it shows a sign of activity now.
        pinned: it is never unloaded.
        ours: llmstack loaded it.
        consent: whether it may be unloaded at all; YES for what llmstack loaded.
        lasting: another program loaded it to stay for ever, which counts as that program's pin.
        leaving_s: seconds since it was asked to leave; None if it was not.
        spared: do not ask it to leave: it was just asked and stayed, the user has just loaded it over the
            limits, it has no name left to unload it by, or no guard is active on its host.
        idle_limit_s: how long it may be idle; None is for ever.
        host: the URL of its host.
        lapses_s: seconds until a keep-alive set by another client ends. Only of a pinned model that llmstack
            loaded to stay for ever and that was not reloaded since; else None.
        fresh: llmstack loaded it, it was pinned since, and does not stay for ever yet.
        shares: other names, as installed, that the same process answers to: they leave with it.
    """

    name: str
    digest: str = ""
    size: int | None = None
    sign_at_s: float = 0.0
    idle_s: float = 0.0
    busy: bool = False
    pinned: bool = False
    ours: bool = True
    consent: Consent = Consent.YES
    lasting: bool = False
    leaving_s: float | None = None
    spared: bool = False
    idle_limit_s: float | None = None
    host: str = ""
    lapses_s: float | None = None
    fresh: bool = False
    shares: tuple[str, ...] = ()


class Situation(Struct, frozen=True, kw_only=True):
    """A host at one look.

    Attributes:
        host: its URL.
        looks_over: consecutive looks, including this one, that found the limits exceeded.
        held: hold is on: nothing is unloaded.
        coming: how many models are about to be loaded and not listed yet.
        heat: why the machine is too hot; empty if it is not.
        hot_for_s: for how long it has been too hot.
        heat_stop_s: seconds since a model was unloaded because of heat; None if none was.
        elsewhere: the models of other hosts on the same machine, which share its memory.
        lost: names of pinned models that were unloaded, though not by llmstack.
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
    """Why a model is unloaded."""

    IDLE = "idle"
    COUNT = "count"
    MEMORY = "memory"
    HEAT = "heat"


class Stop(Struct, frozen=True):
    """Ask this model to leave.

    Attributes:
        asks: another program loaded the model, and the user has not said whether such models may go.
    """

    model: str
    digest: str
    cause: Cause
    reason: Sentences
    host: str = ""
    asks: bool = False


class Propose(Struct, frozen=True):
    """This would be done, but the user has to be asked first."""

    stop: Stop

    @property
    def reason(self) -> Sentences:
        return self.stop.reason


class Renew(Struct, frozen=True):
    """Set the keep-alive of this pinned model again, so that it stays."""

    model: str
    digest: str
    reason: Sentences


class Warn(Struct, frozen=True):
    """Tell the user of a problem, once; ``about`` identifies it."""

    about: tuple[str, str]
    reason: Sentences


class Nothing(Struct, frozen=True):
    """Do nothing."""

    reason: Sentences


Decision = Stop | Propose | Renew | Warn | Nothing


class Wanted(Struct, frozen=True):
    """A model that is to be loaded; ``size`` is the memory it will take, None if not known."""

    name: str
    size: int | None = None
    host: str = ""


class Allow(Struct, frozen=True):
    """The model may be loaded."""


class Ask(Struct, frozen=True):
    """The model may be loaded after these have been unloaded.

    Attributes:
        stops: the least recently used first; empty if every loaded model has to stay.
        enough: after these stops the limits hold.
    """

    stops: tuple[Stop, ...]
    enough: bool
    reason: Sentences


class Refuse(Struct, frozen=True):
    """The model may not be loaded now."""

    reason: Sentences


Admission = Allow | Ask | Refuse


class LimitChoice(StrEnum):
    """What the user wants done about a load that exceeds a limit.

    ANYWAY: it is loaded, and nothing is unloaded for some minutes.
    """

    LEAVE = "leave"
    MAKE_ROOM = "make room"
    ANYWAY = "anyway"


Confirm = Callable[[Ask], Awaitable[LimitChoice]]
"""Asks the user whether the named models may be unloaded for one more."""


class PinEffect(StrEnum):
    """What pinning a model has done to its keep-alive.

    KEPT: it stays for ever.
    IN_USE: a guard sets it when the running request has ended.
    THEIRS: another program loaded it, or loaded it again with other options, so nothing was sent: it leaves
        when that program says.
    NOT_LOADED: there was nothing to keep.
    """

    KEPT = "kept"
    IN_USE = "in use"
    THEIRS = "theirs"
    NOT_LOADED = "not loaded"


class GuardState(Struct, frozen=True, kw_only=True):
    """The state of the guard of one host, to be shown.

    Attributes:
        off: why the host is not guarded; empty if it is.
        leads: this program is the one that acts; False if another is, None until that is known.
        held: hold is on: nothing is unloaded automatically.
        heat: why the machine is too hot; empty if it is not.
        pinned: the names of the pinned models, as they were entered.
        overridden: loaded pinned models that would leave because another client set their keep-alive.
        renewed: those of ``overridden`` whose keep-alive the guard sets again before it ends.
        decisions: the last ones.
        others: the answer in force about models that other programs loaded.
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
    others: Consent = Consent.YES

    @property
    def proposed(self) -> tuple[Stop, ...]:
        """What this guard would do, but asks about first: until it is answered, it only watches."""
        return tuple(each.stop for each in self.decisions if isinstance(each, Propose) and self.leads)
