"""What the doctor finds, as frozen values."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.languages import later

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmstack_tui.base.sentences import Sentence, Sentences


class FindingState(StrEnum):
    """How bad a finding is. ADVICE: all works, and could be better. BROKEN: something does not work."""

    FINE = later("fine")
    ADVICE = later("advice")
    WARNING = later("warning")
    BROKEN = later("broken")
    DOES_NOT_APPLY = later("does not apply")


class FixKind(StrEnum):
    """What `core.mending.Mender` can do."""

    START_OLLAMA = "start ollama"
    START_ENGINE = "start engine"
    CLEAN_DISK = "clean disk"
    RENEW_STATE = "renew state"
    SET = "set settings"
    STOP_OLLAMA = "stop ollama"
    STOP_ENGINE = "stop engine"
    RESTART_OLLAMA = "restart ollama"
    LET_CLIPBOARD = "let clipboard"


class Fix(Struct, frozen=True):
    """What can be done about a finding, once the user has said yes.

    Attributes:
        does: what it will do.
        undo: how to take it back; None if that is not possible.
        values: what is set, by names: settings of llmstack as TOML, or options of another program.
    """

    kind: FixKind
    does: Sentence
    undo: Sentence | None = None
    values: Mapping[str, str | None] = {}


class Undo(Struct, frozen=True):
    """What takes back a fix that was carried out; as in `Fix`. A value None is one that was not there."""

    kind: FixKind
    does: Sentence
    values: Mapping[str, str | None] = {}

    @property
    def as_fix(self) -> Fix:
        return Fix(self.kind, self.does, values=self.values)


class Finding(Struct, frozen=True, kw_only=True):
    """What one check has found.

    Attributes:
        id: of the check; scripts rely on it.
        about: the URL of a server, where a check looks at several.
        says: what is so.
        evidence: how that is known, one sentence for each thing that was seen.
        advice: what the user can do about it.
        command: what mends it in a terminal of the user's, as it is typed there.
        opens: the screen of the dashboard where it can be mended, and what that is to show.
    """

    id: str
    state: FindingState
    says: Sentence
    evidence: Sentences = ()
    advice: Sentences = ()
    fix: Fix | None = None
    command: str = ""
    opens: tuple[str, ...] = ()
    about: str = ""


class Report(Struct, frozen=True):
    """All findings of one examination, in the order of the checks."""

    findings: tuple[Finding, ...]

    @property
    def broken(self) -> tuple[Finding, ...]:
        return tuple(each for each in self.findings if each.state is FindingState.BROKEN)

    @property
    def wrong(self) -> tuple[Finding, ...]:
        """What is broken, then the warnings."""
        warnings = (each for each in self.findings if each.state is FindingState.WARNING)
        return (*self.broken, *warnings)


def verdict(failed: tuple[str, ...]) -> str:
    """The last line of `llmstack doctor` and `validate`, in English always, as scripts look for it."""
    return f"OVERALL STATUS: FAIL ({', '.join(dict.fromkeys(failed))})" if failed else "OVERALL STATUS: PASS"
