"""What is said of a variable, on the screen and by the command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.languages import tr
from llmstack_tui.variables.rules.values import same
from llmstack_tui.variables.types import VariableKind

if TYPE_CHECKING:
    from llmstack_tui.variables.types import VariableRow

UNKNOWN = "?"
_LIMITLESS = (VariableKind.DURATION, "-1")


def value_text(row: VariableRow) -> str:
    """The value in force; where Ollama chooses it, how."""
    if row.value is None:
        return UNKNOWN
    if (row.variable.kind, row.value) == _LIMITLESS:
        return tr("for ever")
    return row.value or default_text(row)


def is_automatic(row: VariableRow) -> bool:
    """Whether Ollama chooses the value."""
    return row.value == "" and bool(row.variable.auto)


def better_value(row: VariableRow) -> str:
    """What would suit this machine better than what is in force; "" if nothing would."""
    suggestion = row.suggestion
    if suggestion is None or (row.value is not None and same(row.variable, suggestion.value, row.value)):
        return ""
    return suggestion.value


def default_text(row: VariableRow) -> str:
    """What is in force where nothing is set."""
    if row.variable.default or not row.variable.auto:
        return row.variable.default or "-"
    return tr("automatic: {how}", how=tr(row.variable.auto))


def origin_text(row: VariableRow) -> str:
    """Where the value in force comes from."""
    return f"{tr(row.origin)}: {row.file}" if row.file else tr(row.origin)
