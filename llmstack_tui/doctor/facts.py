"""What the doctor knows about this machine when it judges, as frozen values.

Sizes are bytes and times seconds. A part of `Facts` is None when it could not be looked at in time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from llmstack_tui.base.kinds import HostKind
    from llmstack_tui.base.sentences import Sentences
    from llmstack_tui.hardware.pci import PciCard
    from llmstack_tui.hardware.readings import MachineReading, Space
    from llmstack_tui.hosts.types import RunningModel
    from llmstack_tui.library.use import FolderUse
    from llmstack_tui.ollama.processes import ServerProcess


class Package(Struct, frozen=True):
    """A package that llmstack needs; ``wanted`` is as in ">=8.2,<9", ``installed`` None if it is missing."""

    name: str
    wanted: str
    installed: str | None


class ProgramFacts(Struct, frozen=True):
    """The Python that runs llmstack, and its packages; none where llmstack itself is not installed."""

    python: Package
    packages: tuple[Package, ...] = ()


class ServerFacts(Struct, frozen=True, kw_only=True):
    """How a server answered.

    Attributes:
        named: the user named it: in the settings, with --host, or by an OLLAMA_HOST of another machine.
        problem: why it does not answer as a server of models; empty if it does.
        is_other: something answers that is no such server.
        program: what listens there, if that can be seen.
        latency_s: of a request that the server answers from memory.
        loaded: the models whose memory it tells; ``measured``: the last loads that are on record.
    """

    url: str
    named: bool
    kind: HostKind | None = None
    version: str = ""
    problem: Sentences = ()
    is_other: bool = False
    program: str = ""
    latency_s: float | None = None
    loaded: tuple[RunningModel, ...] = ()
    measured: tuple[RunningModel, ...] = ()


class OllamaFacts(Struct, frozen=True, kw_only=True):
    """Ollama on this machine.

    Attributes:
        binary: None if it is not installed.
        url: where it is, or would be.
        unit: the variables that its systemd unit and drop-ins set; None without a unit.
        exported: the variables OLLAMA_… of our own environment.
        start_s: how long its last start took; None if that is on no record. ``log`` is the record.
    """

    binary: Path | None
    url: str
    processes: tuple[ServerProcess, ...] = ()
    unit: Mapping[str, str] | None = None
    exported: Mapping[str, str] = {}
    start_s: float | None = None
    log: str = ""


class EngineFacts(Struct, frozen=True, kw_only=True):
    """The built-in engine.

    Attributes:
        missing: why it cannot run, in a sentence; None if it can.
        idle_cards: the makers of graphics cards that its build cannot use.
        url, pid: of the process on record; ``answers``: whether it answers.
        context_length: the tokens of context that it loads a model with.
    """

    missing: str | None
    context_length: int
    idle_cards: tuple[str, ...] = ()
    url: str | None = None
    pid: int | None = None
    answers: bool = False


class CardFacts(Struct, frozen=True):
    """The graphics cards on the bus; ``files``: the device files by which programs reach them."""

    cards: tuple[PciCard, ...]
    files: frozenset[str]
    in_container: bool


class DiskFacts(Struct, frozen=True):
    """The folders of models, with what is wrong with others, and the disks that they are on."""

    folders: tuple[FolderUse, ...]
    problems: Sentences
    spaces: tuple[tuple[Path, Space], ...]


class SettingsFacts(Struct, frozen=True):
    """The settings file, and a sentence for each mistake in the settings."""

    file: str
    problems: Sentences


class RegistryFacts(Struct, frozen=True):
    """The registry, without a URL if it was not asked; ``ahead_s``: how far our clock is ahead of its own."""

    url: str
    problem: Sentences = ()
    ahead_s: float | None = None


class OpenDoor(Struct, frozen=True):
    """An address of a server of this machine that others may reach; ``has_key``: it asks for a key."""

    url: str
    has_key: bool


class StateFacts(Struct, frozen=True):
    """The state file; ``problem`` is empty if it is sound or not there yet."""

    file: str
    problem: Sentences = ()
    is_damaged: bool = False


class SystemFacts(Struct, frozen=True, kw_only=True):
    """The system.

    Attributes:
        macos: the version, empty elsewhere.
        open_files: how many files one of our processes may have open; None is without a limit.
        proxies: by scheme; ``direct``: the hosts that are asked without one.
    """

    macos: str = ""
    open_files: int | None = None
    proxies: Mapping[str, str] = {}
    direct: tuple[str, ...] = ()


class TerminalFacts(Struct, frozen=True, kw_only=True):
    """The terminal; ``size`` is None without one. ``program``: that of TERM_PROGRAM, tmux or screen."""

    size: tuple[int, int] | None
    term: str = ""
    colours: int = 0
    encoding: str = ""
    program: str = ""
    passes_clipboard: bool | None = None


class Facts(Struct, frozen=True, kw_only=True):
    """All that was gathered for one examination."""

    program: ProgramFacts | None = None
    servers: tuple[ServerFacts, ...] | None = None
    ollama: OllamaFacts | None = None
    engine: EngineFacts | None = None
    machine: MachineReading | None = None
    cards: CardFacts | None = None
    disk: DiskFacts | None = None
    settings: SettingsFacts | None = None
    registry: RegistryFacts | None = None
    doors: tuple[OpenDoor, ...] | None = None
    state: StateFacts | None = None
    system: SystemFacts | None = None
    terminal: TerminalFacts | None = None
