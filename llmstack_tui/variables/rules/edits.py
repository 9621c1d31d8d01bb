"""The text of llmstack's own file with variables of Ollama: made, read, compared."""

from __future__ import annotations

import plistlib
import re
from difflib import unified_diff
from hashlib import sha256
from typing import TYPE_CHECKING
from xml.parsers.expat import ExpatError

from llmstack_tui.base.environment_files import assigned, drop_in, environment, pairs
from llmstack_tui.variables.types import FileForm

if TYPE_CHECKING:
    from collections.abc import Mapping

LABEL = "llmstack.ollama-variables"
_SEAL = re.compile(r"digest [0-9a-f]{16}")
_OPEN = "digest"
_HEAD = "# Written by llmstack, and changed with `llmstack variables`; digest\n"
_COMMENT = "<!-- Written by llmstack, and changed with `llmstack variables`; digest -->\n"


def own_values(form: FileForm, text: str | None) -> dict[str, str]:
    """The variables that the file sets; none if it cannot be read."""
    if text is None:
        return {}
    if form is FileForm.DROP_IN:
        return {name: value for name, value, _ in assigned(text) if name}
    if form is FileForm.ENVIRONMENT:
        return dict(pairs(text))
    try:
        found = plistlib.loads(text.encode())["EnvironmentVariables"]
        return {str(name): str(value) for name, value in found.items()}
    except (plistlib.InvalidFileException, ExpatError, ValueError, LookupError, TypeError, AttributeError):
        return {}


def made(form: FileForm, values: Mapping[str, str]) -> str | None:
    """The file's text with these variables; None for no variable, and so no file."""
    if not values:
        return None
    if form is FileForm.DROP_IN:
        return _sealed(drop_in(values, _HEAD))
    if form is FileForm.ENVIRONMENT:
        return _sealed(environment(values, _HEAD))
    return _sealed(_agent(values))


def changed(form: FileForm, before: str | None, values: Mapping[str, str | None]) -> str | None:
    """The file's text with some variables changed, of which None is taken out."""
    after = {**own_values(form, before), **values}
    return made(form, {name: value for name, value in after.items() if value is not None})


def is_by_hand(text: str | None) -> bool:
    """Whether somebody else has written the file, or edited it since."""
    if text is None:
        return False
    found = _SEAL.search(text)
    return found is None or _seal(_SEAL.sub(_OPEN, text, count=1)) != found[0]


def difference(before: str | None, after: str | None) -> tuple[str, ...]:
    """The lines that go and come, each with its sign; without those about the file itself."""
    old, new = (_SEAL.sub(_OPEN, text or "").splitlines() for text in (before, after))
    lines = unified_diff(old, new, lineterm="", n=2)
    return tuple(line for line in lines if not line.startswith(("---", "+++", "@@")))


def _sealed(text: str) -> str:
    return text.replace(_OPEN, _seal(text), 1)


def _seal(text: str) -> str:
    return f"{_OPEN} {sha256(text.encode()).hexdigest()[:16]}"


def _agent(values: Mapping[str, str]) -> str:
    """An agent of launchd that sets the variables of the session at each login, as it forgets them.

    The values stand in its environment, so that none of them is a word of the shell's.
    """
    script = "; ".join(f'launchctl setenv {name} "${name}"' for name in sorted(values))
    agent = {
        "Label": LABEL,
        "RunAtLoad": True,
        "EnvironmentVariables": dict(sorted(values.items())),
        "ProgramArguments": ["/bin/sh", "-c", script],
    }
    return plistlib.dumps(agent).decode().replace("<plist ", f"{_COMMENT}<plist ", 1)
