"""What is in force, where it comes from, and whether it is what is set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.structs import replace
from llmstack_tui.variables.rules.values import check, in_force
from llmstack_tui.variables.table import VARIABLES, variable
from llmstack_tui.variables.types import Origin, Standing, ValueSource, VariableKind, VariableRow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmstack_tui.variables.types import OllamaVariable, ServerFound, Suggestion

_PREFIX = "OLLAMA_"


def rows(found: ServerFound, suggestions: Mapping[str, Suggestion]) -> tuple[VariableRow, ...]:
    """The variables of the table, and after them what else is set for Ollama."""
    known = {each.name for each in VARIABLES}
    names = {name for name, _ in found.settings} | set(found.environ or {})
    others = sorted(name for name in names - known if name.startswith(_PREFIX))
    return tuple(
        replace(_row(each, found), suggestion=suggestions.get(each.name))
        for each in (*VARIABLES, *map(variable, others))
    )


def is_idle(of: OllamaVariable, wanted: str, running: str) -> bool:
    """Whether a value is set and the running server has another one; ``running`` is its own text."""
    return bool(wanted) and in_force(of, wanted) != in_force(of, running)


def is_unset(wanted: str, running: str) -> bool:
    """Whether the running server has a variable that is set nowhere: its next start loses it."""
    return bool(running) and not wanted


def _row(of: OllamaVariable, found: ServerFound) -> VariableRow:
    sources = tuple(source for name, source in found.settings if name == of.name)
    wanted = sources[-1].value if sources else ""
    started = None if found.environ is None else found.environ.get(of.name, "")
    value = _value(of, found, started)
    came = _came_from(of, value, sources, started)
    standing = Standing.FINE
    if value is not None and is_idle(of, wanted, value):
        standing = Standing.IDLE
    elif started is not None and is_unset(wanted, started):
        standing = Standing.UNSET
    return VariableRow(
        variable=of,
        value=value,
        origin=came.origin,
        file=came.file,
        sources=sources,
        standing=standing,
        fault=check(of, wanted or started or "") if wanted or started else None,
        is_known=found.logged is None or of.name in found.logged,
    )


def _value(of: OllamaVariable, found: ServerFound, started: str | None) -> str | None:
    if found.pid is None:
        return None
    logged = (found.logged or {}).get(of.name)
    # Where nothing sets a flag, the log says "false", also of one that Ollama chooses by the model.
    if logged is not None and (started or started is None or of.kind is not VariableKind.FLAG):
        return in_force(of, logged)
    return None if started is None else in_force(of, started)


def _came_from(
    of: OllamaVariable, value: str | None, sources: tuple[ValueSource, ...], started: str | None
) -> ValueSource:
    if value is None:
        return ValueSource(Origin.UNKNOWN, "")
    for each in reversed(sources):
        if in_force(of, each.value) == value:
            return each
    is_default = value == of.default if started is None else not started
    return ValueSource(Origin.DEFAULT if is_default else Origin.PROCESS, value)
