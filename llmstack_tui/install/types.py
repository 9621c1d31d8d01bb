"""What is known before an installation, and what it does step by step, as frozen values."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path  # noqa: TC003  # msgspec reads the annotations of what is kept as JSON
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, field

from llmstack_tui.base.languages import later
from llmstack_tui.base.sentences import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmstack_tui.base.sentences import Sentence, Sentences


class InstallFailed(Failure):
    """An installation could not be carried out. What it had done is undone."""


class InstallWay(StrEnum):
    """The ways to get a server of models."""

    SCRIPT = "script"
    ARCHIVE = "archive"
    BREW = "brew"
    APP = "app"
    ENGINE = "engine"


WAY_NAMES = {
    InstallWay.SCRIPT: later("Ollama for all users"),
    InstallWay.ARCHIVE: later("Ollama for you alone"),
    InstallWay.BREW: later("Ollama by Homebrew"),
    InstallWay.APP: later("Ollama as an app"),
    InstallWay.ENGINE: later("Built-in engine"),
}


class Record(Struct, frozen=True, kw_only=True):
    """What is remembered about versions, as a JSON file in the folder of versions.

    Attributes:
        held: the version that stays until it is released; "" for none.
        previous: the version that was in use before the present one; "" for none.
        way: how the present one came here.
    """

    held: str = ""
    previous: str = ""
    way: str = ""


class Versions(Struct, frozen=True, kw_only=True):
    """The versions in the user's own folders.

    Attributes:
        kept: all of them, the newest first.
        current: the one in use; "" for none.
        is_running: it runs now, without systemd.
    """

    kept: tuple[str, ...] = ()
    current: str = ""
    is_running: bool = False
    record: Record = Record()


class Python(Struct, frozen=True, kw_only=True):
    """How llmstack itself was installed, for what is to be added to its environment.

    Attributes:
        program: the interpreter.
        prefix, base: its environment, and that of the Python below; the same outside of an environment.
        has: of the files that tell (`pipx_metadata.json`, `uv-receipt.toml`, `EXTERNALLY-MANAGED`), those
            that are there.
        has_pip: it can be run as a module of the interpreter.
        has_uv: it is on the path.
    """

    program: str
    prefix: str
    base: str
    has: frozenset[str] = frozenset()
    has_pip: bool = True
    has_uv: bool = False


class ThisMachine(Struct, frozen=True, kw_only=True):
    """This machine, as far as it decides how something is installed.

    Attributes:
        system: "Linux", "Darwin" or another name of ``platform.system``.
        arch: of the releases, "amd64" or "arm64"; "" for any other.
        home: the user's; None if there is none.
        folder: where versions and downloads of our own go.
        unit: where a unit of this user for Ollama would stand.
        variables: those of Ollama in the environment, which the unit keeps.
        not_writable: why that folder cannot be written, if so.
        free: bytes on its disk, if known.
        has_user_services: systemd answers for this user; ``has_services``: for the system.
        has_unit: this user has a unit for Ollama.
        has_command: this user has a program or link where ours would be.
        makers: of the graphics cards.
        jetpack: "5" or "6" on a Jetson, else "".
        ollama: the program that is there, however it came; ``version``: its own, "" if it does not say.
        server: something answers at ``url``.
        engine_missing: why the built-in engine cannot run; "" if it can.
    """

    system: str
    arch: str
    home: Path | None
    folder: Path
    unit: Path
    url: str
    python: Python
    variables: Mapping[str, str] = field(default_factory=dict)
    is_root: bool = False
    has_sudo: bool = False
    has_brew: bool = False
    has_zstd: bool = False
    has_user_services: bool = False
    has_services: bool = False
    has_unit: bool = False
    has_command: bool = False
    not_writable: Sentences = ()
    free: int | None = None
    makers: tuple[str, ...] = ()
    jetpack: str = ""
    ollama: Path | None = None
    version: str = ""
    server: bool = False
    engine_missing: str = ""


class Asset(Struct, frozen=True):
    """A file of a release. ``sha256`` and ``size`` (bytes) are "" and None where they are not published."""

    name: str
    url: str
    sha256: str = ""
    size: int | None = None


class OllamaRelease(Struct, frozen=True, kw_only=True):
    """A version of Ollama and its files."""

    version: str
    assets: tuple[Asset, ...] = ()
    script: Asset | None = None
    script_text: str = ""

    def asset(self, name: str) -> Asset | None:
        return next((each for each in self.assets if each.name == name), None)


# What a step does. Each has its opposite, by which `service` goes back.


class Fetch(Struct, frozen=True):
    """Fetch a file into ``file``; what an earlier try has brought is not fetched again."""

    asset: Asset
    file: Path


class Unpack(Struct, frozen=True):
    """Unpack archives into a new ``folder``, whole or not at all, and remove them."""

    archives: tuple[Path, ...]
    folder: Path


class Link(Struct, frozen=True):
    """Have ``link`` lead to ``target``."""

    link: Path
    target: Path


class Write(Struct, frozen=True):
    """Write a file that is the user's alone; what was there comes back when this is undone."""

    file: Path
    text: str


class Move(Struct, frozen=True):
    """Give a file or folder another name."""

    source: Path
    target: Path


class Remove(Struct, frozen=True):
    """Remove a file, a link or a folder for good."""

    path: Path


class RunProgram(Struct, frozen=True):
    """Run a program. ``back`` is what undoes it, if something does.

    Attributes:
        as_root: only root may run it, so sudo asks for the password in the terminal.
        silence_s: seconds without a line of output after which it hangs.
    """

    argv: tuple[str, ...]
    back: tuple[str, ...] = ()
    as_root: bool = False
    silence_s: float = 600.0


class StopOllama(Struct, frozen=True):
    """End the Ollama of ours that runs without systemd."""


class StartOllama(Struct, frozen=True):
    """Start a program as a process that stays; it is up when it answers at ``url``."""

    program: Path
    url: str


class Wait(Struct, frozen=True):
    """Wait until a server answers at ``url``."""

    url: str


class StartEngine(Struct, frozen=True):
    """Start the built-in engine."""


Act = (
    Fetch | Unpack | Link | Write | Move | Remove | RunProgram | StopOllama | StartOllama | Wait | StartEngine
)


class InstallStep(Struct, frozen=True):
    """A step of a plan: ``does`` says it in words, ``act`` carries it out."""

    does: Sentence
    act: Act
    needs_root: bool = False


class InstallPlan(Struct, frozen=True, kw_only=True):
    """All that an installation will do.

    Attributes:
        version: of what is installed; "" where the installer decides.
        problems: why it cannot be carried out now; empty if it can.
        notes: what the user should know before a yes.
        back: how to take it back afterwards.
        script: the text of the script that is run.
        download, disk: bytes, if known.
        record: what is remembered once it is done.
    """

    way: InstallWay
    version: str = ""
    steps: tuple[InstallStep, ...] = ()
    problems: Sentences = ()
    notes: Sentences = ()
    back: Sentences = ()
    script: str = ""
    download: int | None = None
    record: Record | None = None

    @property
    def needs_password(self) -> bool:
        return any(isinstance(each.act, RunProgram) and each.act.as_root for each in self.steps)


class InstallOffer(Struct, frozen=True, kw_only=True):
    """What can be installed on this machine now.

    Attributes:
        plans: the ways, the best first.
        known: the published versions, the newest first; empty if they could not be asked for.
        problems: why they, or the files of a version, could not be asked for.
        ollama: the program that is there, however it came.
    """

    plans: tuple[InstallPlan, ...]
    versions: Versions = field(default_factory=Versions)
    known: tuple[str, ...] = ()
    problems: Sentences = ()
    ollama: Path | None = None


class Told(Struct, frozen=True):
    """What happens during a step: a line of output, or bytes done of all."""

    step: int
    line: str = ""
    done: int | None = None
    total: int | None = None


class Starter(Protocol):
    """What starts servers for an installation: `core.installation`."""

    async def start(self, program: Path, url: str) -> None:
        """Start a program as a process that stays, and return when it answers. Raises Failure."""

    async def start_engine(self) -> None:
        """Start the built-in engine. Raises Failure."""

    async def answers(self, url: str) -> bool:
        """Whether a server of models answers."""
