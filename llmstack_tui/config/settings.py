"""All settings: each with its default, the values it takes and what it is for, in one place.

What reads the file, what shows the settings and what writes the example follow from the fields here.
"""

# ruff: noqa: RUF009  (what `_setting` makes is a field, no value)

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, TypeVar, get_args

from llmstack_tui.base.kinds import ENGINE_CHOICES, EngineChoice
from llmstack_tui.config import kinds
from llmstack_tui.config.hosts import HostSettings, hosts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmstack_tui.config.kinds import SettingKind

T = TypeVar("T")
_V = TypeVar("_V")

Theme = Literal["dark", "light", "high-contrast", "no-colour"]
THEMES: tuple[Theme, ...] = get_args(Theme)
OverLimit = Literal["ask", "stop", "refuse"]
OVER_LIMIT: tuple[OverLimit, ...] = get_args(OverLimit)
_NEVER = "0 or negative: never"


def _setting(default: T, kind: SettingKind[_V], purpose: str, *, implied: tuple[str, T] | None = None) -> T:
    """A field that is a setting.

    Args:
        implied: another variable of the environment, and the default where that is set.
    """
    return field(
        default_factory=lambda: default, metadata={"kind": kind, "purpose": purpose, "implied": implied}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """``[engine]``: which server is used, and how the built-in one runs."""

    choice: EngineChoice = _setting(
        "auto",
        kinds.one_of(*ENGINE_CHOICES),
        "Which server to look for where no host is named. auto takes a running Ollama first, then the "
        "built-in engine.",
    )
    port: int | None = _setting(
        None,
        kinds.optional(kinds.integer(1, 65535)),
        "The port of the built-in engine. auto is 11434 where no Ollama is installed, else the next free "
        "one.",
    )
    keep: bool = _setting(
        False, kinds.flag(), "Leave an engine that the dashboard started running when the dashboard ends."
    )
    keep_alive: timedelta = _setting(
        timedelta(minutes=5),
        kinds.duration(),
        "How long the built-in engine keeps a model after its last request.",
    )
    max_loaded: int | None = _setting(
        None,
        kinds.optional(kinds.integer(1, 1000)),
        "How many models the built-in engine keeps loaded at once. auto leaves it to the engine.",
    )
    context_length: int = _setting(
        4096,
        kinds.integer(16, 100_000_000),
        "Tokens of context that the built-in engine loads a model with, unless the request or the model "
        "says otherwise.",
    )
    connections: int = _setting(
        8, kinds.integer(1, 64), "How many connections the built-in engine downloads a model over at once."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HardwareSettings:
    """``[hardware]``: what this machine is taken for."""

    profile: str | None = _setting(
        None,
        kinds.optional(
            kinds.matching(
                r"cpu|(nvidia|amd)_[1-9][0-9]{0,3}gb|apple(_[a-z][0-9]{1,2})?",
                'a profile such as "cpu", "nvidia_8gb", "amd_16gb" or "apple_m3"',
            )
        ),
        "The profile that sets the limits of this machine. auto finds it out.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardSettings:
    """``[guard]``: how much may be loaded, and what is stopped by itself."""

    enabled: bool = _setting(
        True,
        kinds.flag(),
        "Keep the limit of loaded models and stop those that are idle. A request is never cut, and a "
        "pinned model is never stopped.",
    )
    max_loaded: int | None = _setting(
        None,
        kinds.optional(kinds.integer(1, 1000)),
        "How many models may be loaded at once on a server. auto is what suits this machine, and no "
        "limit for a server elsewhere.",
    )
    memory_budget: int | None = _setting(
        None,
        kinds.optional(kinds.size()),
        "How much memory all loaded models may take together, on all servers of this "
        "machine. auto is what it has, less a reserve, and no limit for a server elsewhere.",
    )
    idle_stop: timedelta = _setting(
        timedelta(minutes=10),
        kinds.duration(_NEVER),
        "How long a model may be idle before it is stopped. What is loaded here also leaves by "
        "itself after this time, when nobody guards.",
    )
    models: Mapping[str, timedelta] = _setting(
        {}, kinds.durations(_NEVER), "The same for single models, by name."
    )
    over_limit: OverLimit = _setting(
        "ask",
        kinds.one_of(*OVER_LIMIT),
        "What the dashboard does when you activate one model more than may be loaded: ask with what "
        "would be stopped, stop it without asking, or refuse.",
    )
    others: bool = _setting(
        True, kinds.flag(), "Also stop models that other programs loaded. Without it they only count."
    )
    temperature_limit: int | None = _setting(
        None,
        kinds.optional(kinds.integer(40, 120)),
        "Above how many °C of a graphics card nothing is loaded and the least used model is stopped. "
        "auto does it when a card itself says that it slows down for heat.",
    )
    remote: bool = _setting(
        False,
        kinds.flag(),
        "Also guard servers of other machines, where you may act on them. Without it only those of this "
        "machine are guarded.",
    )

    @property
    def allowed(self) -> int | None:
        """Bytes that the models of this machine may take together; None is as many as it has."""
        return self.memory_budget or None if self.enabled else None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdatesSettings:
    """``[updates]``: what is asked of the registries that models come from."""

    check_every: timedelta | None = _setting(
        timedelta(hours=6),
        kinds.interval(timedelta(seconds=1)),
        "How often the registries are asked for newer versions, at first when the dashboard starts. "
        "Nothing is downloaded by it. off asks only when you do.",
    )
    automatic: bool = _setting(
        False,
        kinds.flag(),
        "Fetch a newer version as soon as a check has found it: of models that are not busy, were not "
        "changed here and are not left alone.",
    )
    parallel: int = _setting(
        1, kinds.integer(1, 32), "How many models are pulled at once; the others wait for their turn."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class UiSettings:
    """``[ui]``: how the dashboard looks and what its keys are."""

    theme: Theme = _setting(
        "dark",
        kinds.one_of(*THEMES),
        "The colours. Where NO_COLOR is set, the default is no-colour.",
        implied=("NO_COLOR", "no-colour"),
    )
    ascii: bool = _setting(
        False,
        kinds.flag(),
        "Draw with ASCII characters only. Terminals that show no others are recognised without this.",
    )
    keys: Mapping[str, str] = _setting(
        {},
        kinds.keys(),
        "Other keys, by the id of what they do. The dashboard lists the ids when one is wrong.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings. Without ``hosts`` a server is looked for."""

    hosts: tuple[HostSettings, ...] = _setting(
        (),
        hosts(),
        "The servers to use. Without any: OLLAMA_HOST, or one that runs on this machine.\n"
        'A table says more: { url = "https://gpu-box", name = "GPU box", allow = "act" }. With "act", '
        'models may be loaded, unloaded, added and removed there; with "look", not. Where neither is '
        "said, a server of this machine may be acted on, and one elsewhere is only looked at. One that "
        'is named by --host may be acted on, unless it is "look" here.',
    )
    read_only: bool = _setting(False, kinds.flag(), "Change nothing anywhere, whatever the host.")
    engine: EngineSettings = field(default_factory=EngineSettings)
    hardware: HardwareSettings = field(default_factory=HardwareSettings)
    guard: GuardSettings = field(default_factory=GuardSettings)
    updates: UpdatesSettings = field(default_factory=UpdatesSettings)
    ui: UiSettings = field(default_factory=UiSettings)

    def may_act(self, url: str) -> bool:
        """Whether anything may be changed on the server at this base URL."""
        named = next((host for host in self.hosts if host.url == url), None)
        return not self.read_only and (named is None or named.may_act)
