"""All settings, each with its default, its kind of value and its purpose.

Reading the file, showing the settings and writing the example all work from the fields here.
"""

# ruff: noqa: RUF009  (`_setting` returns a field, not a value)

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, TypeVar, get_args

from llmstack_tui.base.kinds import ENGINE_CHOICES, EngineChoice
from llmstack_tui.base.languages import AUTO, LANGUAGES
from llmstack_tui.base.sentences import Sentence
from llmstack_tui.config import kinds
from llmstack_tui.config.hosts import HostSettings, hosts
from llmstack_tui.config.lines import LineNumbers, SettingOrigin

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from llmstack_tui.base.secret import Secret
    from llmstack_tui.base.sentences import Sentences
    from llmstack_tui.config.kinds import SettingKind
    from llmstack_tui.config.themes import ThemeFile

T = TypeVar("T")
_V = TypeVar("_V")

THEMES = ("dark", "light", "high-contrast", "no-colour")
OverLimit = Literal["ask", "stop", "refuse"]
SAFETY = ("BLOCK_LOW_AND_ABOVE", "BLOCK_MEDIUM_AND_ABOVE", "BLOCK_ONLY_HIGH", "BLOCK_NONE", "OFF")
OVER_LIMIT: tuple[OverLimit, ...] = get_args(OverLimit)


def _setting(
    default: T,
    kind: SettingKind[_V],
    purpose: str,
    *,
    live: bool = False,
    implied: tuple[str, T] | None = None,
) -> T:
    """A dataclass field for a setting.

    Args:
        live: a dashboard applies it as soon as the file has changed; otherwise it counts from the next start.
        implied: another environment variable, and the default if that is set.
    """
    metadata = {"kind": kind, "purpose": purpose, "is_live": live, "implied": implied}
    return field(default_factory=lambda: default, metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """``[engine]``: which server is used, and how the built-in one runs."""

    choice: EngineChoice = _setting(
        "auto",
        kinds.one_of(*ENGINE_CHOICES),
        "Which server to look for if no host is named. auto takes a running Ollama, or else the built-in "
        "engine.",
    )
    port: int | None = _setting(
        None,
        kinds.optional(kinds.integer(1, 65535)),
        "The port of the built-in engine. auto is 11434 if no Ollama is installed, or else the next free "
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
        "How many models the built-in engine keeps loaded at once. auto is the engine's own limit.",
    )
    context_length: int = _setting(
        4096,
        kinds.integer(16, 100_000_000),
        "Tokens of context that the built-in engine loads a model with, unless the request or the model "
        "says otherwise.",
    )
    api_key: Secret | None = _setting(
        None,
        kinds.secret(),
        "The key that the built-in engine asks for, and that llmstack sends to it. It wins over "
        "api_key_file. It is never shown.",
    )
    api_key_file: str | None = _setting(
        None,
        kinds.optional(kinds.file()),
        "The file with that key, which only you may read; `llmstack engine key` makes it. auto is engine.key "
        "beside the state, if it is there. Without a key, the engine listens on this machine only.",
    )
    confine: bool = _setting(
        True,
        kinds.flag(),
        "Let the process of a model read its own files and the system's only, and write nothing (Linux with "
        "Landlock). Turn it off if the driver of a graphics card needs more.",
    )
    connections: int = _setting(
        8, kinds.integer(1, 64), "Over how many connections the built-in engine downloads a model."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HardwareSettings:
    """``[hardware]``: the profile of this machine."""

    profile: str | None = _setting(
        None,
        kinds.optional(
            kinds.matching(
                r"cpu|(nvidia|amd)_[1-9][0-9]{0,3}gb|apple(_[a-z][0-9]{1,2})?",
                Sentence("allowed.profile"),
            )
        ),
        "The profile that sets the limits of this machine. auto detects it.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardSettings:
    """``[guard]``: how much may be loaded, and which models are unloaded automatically."""

    enabled: bool = _setting(
        True,
        kinds.flag(),
        "Keep the limit of loaded models and unload those that are idle. A request is never cut, and a "
        "pinned model is never unloaded.",
        live=True,
    )
    max_loaded: int | None = _setting(
        None,
        kinds.optional(kinds.integer(1, 1000)),
        "How many models may be loaded at once on a server. auto is the limit of this machine's profile, and "
        "none for a server elsewhere.",
        live=True,
    )
    memory_budget: int | None = _setting(
        None,
        kinds.optional(kinds.size()),
        "How much memory all loaded models may take together, on all servers of this machine. auto is the "
        "machine's memory less a reserve, and no limit for a server elsewhere.",
        live=True,
    )
    idle_stop: timedelta = _setting(
        timedelta(minutes=10),
        kinds.duration("allowed.never"),
        "How long a model may be idle before it is unloaded. Models that llmstack loads also get this time "
        "as their keep-alive, so that they leave even when nothing guards them.",
        live=True,
    )
    models: Mapping[str, timedelta] = _setting(
        {},
        kinds.durations("allowed.never"),
        "The same as idle_stop for single models, by name.",
        live=True,
    )
    over_limit: OverLimit = _setting(
        "ask",
        kinds.one_of(*OVER_LIMIT),
        "What happens when you load one model too many. ask: a question before another model is unloaded. "
        "stop: it is unloaded without a question. refuse: nothing is loaded.",
        live=True,
    )
    others: bool | None = _setting(
        None,
        kinds.optional(kinds.flag(), "ask"),
        "Also unload models that other programs loaded. If false, they only count. ask: the dashboard asks "
        "before it unloads the first one, and `llmstack guard run` unloads them unless you answered no.",
        live=True,
    )
    temperature_limit: int | None = _setting(
        None,
        kinds.optional(kinds.integer(40, 120)),
        "The °C of a graphics card above which nothing is loaded and the least used model is unloaded. "
        "auto does so when a card reports that it slows down because of heat.",
        live=True,
    )
    remote: bool = _setting(
        False,
        kinds.flag(),
        "Also guard servers of other machines, if you may act on them. If false, only those of this machine "
        "are guarded.",
        live=True,
    )

    @property
    def allowed(self) -> int | None:
        """Bytes that the models of this machine may take together; None: all that the machine has."""
        return self.memory_budget or None if self.enabled else None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdatesSettings:
    """``[updates]``: checks for newer versions, and pulls."""

    check_every: timedelta | None = _setting(
        timedelta(hours=6),
        kinds.interval(timedelta(seconds=1)),
        "How often registries are asked for newer versions, starting when the dashboard opens. A check "
        "downloads nothing. off: only when you ask for a check.",
    )
    automatic: bool = _setting(
        False,
        kinds.flag(),
        "Pull a newer version as soon as a check finds it, unless the model is busy, was changed here or is "
        "to be left alone.",
    )
    parallel: int = _setting(
        1, kinds.integer(1, 32), "How many models are pulled at once; further ones wait."
    )
    limit: int = _setting(
        0,
        kinds.rate(),
        "How much of the connection all pulls of the built-in engine may take together, from its next start "
        "on. What Ollama pulls cannot be limited.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogSettings:
    """``[catalog]``: the search for models that are not in the catalog."""

    online_url: str = _setting(
        "https://huggingface.co",
        kinds.url(),
        "Where `llmstack catalog --online` and the key `catalog.online` search for GGUF files: Hugging Face, "
        "or a mirror with its API. It is asked only then.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolsSettings:
    """``[tools]``: what a model may call in a talk with tools."""

    shell: bool = _setting(False, kinds.flag(), "Offer a model commands of the shell, each after a question.")
    servers: Mapping[str, str] = _setting(
        {},
        kinds.programs(),
        "MCP servers whose tools are offered, too: for each name its command, as in a shell, or its address.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallSettings:
    """``[install]``: where Ollama is installed from."""

    script_url: str | None = _setting(
        None,
        kinds.optional(kinds.url()),
        "The script that installs Ollama for all users. auto is the one of the version, or else "
        "https://ollama.com/install.sh.",
    )
    archive_url: str = _setting(
        "https://github.com/ollama/ollama/releases/download",
        kinds.url(),
        "The folder of Ollama's releases: archives and checksums of version X are in vX there.",
    )
    versions_url: str = _setting(
        "https://api.github.com/repos/ollama/ollama/releases",
        kinds.url(),
        "Where it is asked which versions of Ollama there are, only when you want to install one.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvidersSettings:
    """``[providers]``: who answers programs and chats, here or in a cloud."""

    default: str | None = _setting(
        None,
        kinds.optional(kinds.name()),
        "Who answers where none is named: ollama, openai, anthropic, gemini, … LLM_PROVIDER wins. auto is "
        "the first of the chain, or else ollama. `llmstack providers` lists all.",
    )
    chain: tuple[str, ...] = _setting(
        (),
        kinds.names(),
        "Who answers instead, in this order, if one fails before the first token. It is said in the answer. "
        "What you ask then goes to that provider.",
    )
    models: Mapping[str, str] = _setting(
        {},
        kinds.texts(kinds.model(), Sentence("allowed.models"), "anthropic=claude-opus-5"),
        "The model of each provider, where none is named. The provider's own variable, such as "
        "ANTHROPIC_MODEL, wins.",
    )
    urls: Mapping[str, str] = _setting(
        {},
        kinds.texts(kinds.url(), Sentence("allowed.urls"), "openai=http://gpu-box:8000/v1"),
        "Another address of a provider, such as a server that speaks its protocol. The provider's own "
        "variable, such as OPENAI_BASE_URL, wins.",
    )
    gemini_safety: str | None = _setting(
        None,
        kinds.optional(kinds.one_of(*SAFETY)),
        "From which probability of harm on Gemini refuses an answer. auto leaves it to Google.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class UiSettings:
    """``[ui]``: how the dashboard looks and what its keys are."""

    theme: str = _setting(
        "dark",
        kinds.theme(*THEMES),
        "The colours, also those of a file of yours. If NO_COLOR is set, the default is no-colour.",
        live=True,
        implied=("NO_COLOR", "no-colour"),
    )
    ascii: bool = _setting(
        False,
        kinds.flag(),
        "Draw with ASCII characters only. Terminals that cannot show others are detected without this.",
        live=True,
    )
    language: str = _setting(
        AUTO,
        kinds.one_of(AUTO, *(each.code for each in LANGUAGES)),
        "The language of screens and commands. auto is that of your locale (LC_ALL, LC_MESSAGES, LANG).",
        live=True,
    )
    active_first: bool = _setting(
        False, kinds.flag(), "List the models in memory first, whatever the order of the list.", live=True
    )
    keys: Mapping[str, str] = _setting(
        {},
        kinds.keys(),
        "Your own keys, by the id of their action. The dashboard lists the ids when one is wrong.",
        live=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings. If ``hosts`` is empty, a server is looked for."""

    hosts: tuple[HostSettings, ...] = _setting(
        (),
        hosts(),
        "The servers to use. If empty: OLLAMA_HOST, or a server that runs on this machine.\n"
        'A table can say more: { url = "https://gpu-box", name = "GPU box", allow = "act" }. With "act", '
        'models may be loaded, unloaded, added and removed there; with "look", not. The default is "act" '
        'for a server of this machine and "look" for one elsewhere. A server given by --host may be acted '
        'on, unless it is "look" here.',
    )
    read_only: bool = _setting(False, kinds.flag(), "Change nothing anywhere, whatever the host.", live=True)
    engine: EngineSettings = field(default_factory=EngineSettings)
    hardware: HardwareSettings = field(default_factory=HardwareSettings)
    guard: GuardSettings = field(default_factory=GuardSettings)
    updates: UpdatesSettings = field(default_factory=UpdatesSettings)
    catalog: CatalogSettings = field(default_factory=CatalogSettings)
    tools: ToolsSettings = field(default_factory=ToolsSettings)
    install: InstallSettings = field(default_factory=InstallSettings)
    providers: ProvidersSettings = field(default_factory=ProvidersSettings)
    ui: UiSettings = field(default_factory=UiSettings)

    def may_act(self, url: str) -> bool:
        """Whether anything may be changed on the server at this base URL."""
        named = next((host for host in self.hosts if host.url == url), None)
        return not self.read_only and (named is None or named.may_act)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedSettings:
    """The settings that were read.

    Attributes:
        problems: one for each mistake. The faulty parts were ignored.
        invalid: the names of the settings with a mistake in them.
        broken: there is a file, and nothing in it could be read.
        theme, theme_file: what the file of the user's theme says, and where it is or would be.
    """

    settings: Settings
    problems: Sentences = ()
    invalid: frozenset[str] = frozenset()
    broken: bool = False
    theme: ThemeFile | None = None
    theme_file: Path | None = None
    origins: Mapping[str, SettingOrigin] = field(default_factory=dict, repr=False)
    lines: LineNumbers = field(default_factory=LineNumbers, repr=False, compare=False)

    def origin(self, name: str) -> SettingOrigin:
        """Where a setting came from, by its name in `llmstack_tui.config.table`."""
        origin = self.origins.get(name, SettingOrigin("default"))
        line = self.lines.of(tuple(name.split("."))) if origin.kind == "file" else origin.line
        return origin._replace(line=line)
