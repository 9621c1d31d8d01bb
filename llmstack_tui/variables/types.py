"""The variables of Ollama on this machine, as frozen values."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.languages import later

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from llmstack_tui.base.sentences import Sentence


class VariableKind(StrEnum):
    """How Ollama reads a variable."""

    FLAG = "flag"
    COUNT = "count"
    BYTES = "bytes"
    DURATION = "duration"
    CHOICE = "choice"
    LEVEL = "level"
    ADDRESS = "address"
    ORIGINS = "origins"
    FOLDER = "folder"
    TEXT = "text"


class OllamaVariable(Struct, frozen=True, kw_only=True):
    """A variable that Ollama reads when it starts; none is read again later.

    Attributes:
        default: as its log writes it; "" where Ollama chooses by the machine.
        auto: what an empty default means.
        purpose: a sentence.
        choices: of a CHOICE.
        least: the smallest number that makes sense.
        since: the version that had it first, as far as that is known here; "" means before 0.5.
    """

    name: str
    kind: VariableKind
    purpose: str
    default: str = ""
    auto: str = ""
    choices: tuple[str, ...] = ()
    least: int = 0
    since: str = ""


class Origin(StrEnum):
    """Where a value comes from."""

    OURS = later("llmstack's own file")
    DROP_IN = later("another drop-in file")
    UNIT = later("the service's file")
    ENVIRONMENT_FILE = later("an environment file")
    LAUNCHCTL = later("launchctl")
    SHELL = later("the shell")
    PROCESS = later("whoever started it")
    DEFAULT = later("default")
    UNKNOWN = later("not known")


class ValueSource(Struct, frozen=True):
    """A value that is set somewhere; ``file`` is "" where it is in none."""

    origin: Origin
    value: str
    file: str = ""


class Standing(StrEnum):
    """Whether what is set is what the server runs with."""

    FINE = "fine"
    IDLE = "idle"
    UNSET = "unset"


class Suggestion(Struct, frozen=True):
    """A value that suits this machine, and why."""

    value: str
    why: Sentence


class VariableRow(Struct, frozen=True, kw_only=True):
    """A variable on this machine.

    Attributes:
        value: the one in force, as the server's log writes it, or would; None if no server runs, or nobody
            can tell.
        origin, file: where that comes from.
        sources: all that is set for the next start; the last one wins.
        standing: of what is set.
        fault: why Ollama does not take what is set as it is meant.
        is_known: the running server reads this variable.
    """

    variable: OllamaVariable
    value: str | None
    origin: Origin
    file: str = ""
    sources: tuple[ValueSource, ...] = ()
    standing: Standing = Standing.FINE
    fault: Sentence | None = None
    suggestion: Suggestion | None = None
    is_known: bool = True

    @property
    def name(self) -> str:
        return self.variable.name

    @property
    def wanted(self) -> str | None:
        """What is set for the next start; None for nothing."""
        return self.sources[-1].value if self.sources else None

    @property
    def own(self) -> str | None:
        """What llmstack's own file sets."""
        return next((each.value for each in self.sources if each.origin is Origin.OURS), None)


class FileForm(StrEnum):
    """How the file is written that llmstack changes."""

    DROP_IN = "drop-in"
    AGENT = "agent"
    ENVIRONMENT = "environment"


class OwnFile(Struct, frozen=True, kw_only=True):
    """The file of llmstack's own in which variables are set.

    Attributes:
        is_user: it belongs to a service of this user alone.
        needs_root: only root may write it.
    """

    form: FileForm
    file: Path
    is_user: bool = True
    needs_root: bool = False


class ServerFound(Struct, frozen=True, kw_only=True):
    """The running server, and what is set for its next start.

    Attributes:
        pid: None if none runs.
        environ: its environment, None if that cannot be read.
        logged: what its log says it runs with, None if that is on no record.
        settings: what is set for the next start, by its source; a later one wins.
    """

    pid: int | None = None
    environ: Mapping[str, str] | None = None
    logged: Mapping[str, str] | None = None
    settings: tuple[tuple[str, ValueSource], ...] = ()


class Overview(Struct, frozen=True, kw_only=True):
    """All variables, and where they are changed.

    Attributes:
        url: where the server is, or would be.
        target: None where llmstack cannot change them; ``why_not`` says why.
        text: what the target has now, None for no file.
        by_hand: somebody else has edited it since llmstack wrote it.
    """

    rows: tuple[VariableRow, ...]
    url: str
    pid: int | None
    target: OwnFile | None = None
    why_not: Sentence | None = None
    text: str | None = None
    by_hand: bool = False

    def row(self, name: str) -> VariableRow | None:
        return next((each for each in self.rows if each.name == name), None)


class VariableChange(Struct, frozen=True, kw_only=True):
    """A change of the file as it is planned; nothing is written yet.

    Attributes:
        values: what is set, None is taken out.
        before, after: the file's text, None for no file.
        by_hand: what somebody else wrote into the file would be lost.
    """

    target: OwnFile
    values: Mapping[str, str | None]
    before: str | None
    after: str | None
    by_hand: bool = False

    @property
    def is_done(self) -> bool:
        return self.before == self.after


class Changed(Struct, frozen=True, kw_only=True):
    """What became of a change.

    Attributes:
        backup: a copy of what the file was, None if there was none.
        was_restarted: the server runs with the change.
        rolled_back: why everything is as it was before; empty if it is not.
    """

    file: Path
    backup: Path | None
    was_restarted: bool = False
    rolled_back: tuple[Sentence, ...] = ()
