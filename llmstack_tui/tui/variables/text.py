"""What the screen says of a variable, and of a change before it is written. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.languages import tr
from llmstack_tui.core.wording import text
from llmstack_tui.tui.draw.text import content_of
from llmstack_tui.variables.rules.edits import difference
from llmstack_tui.variables.rules.shown import default_text, origin_text, value_text
from llmstack_tui.variables.rules.values import opens
from llmstack_tui.variables.types import Standing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.content import Content

    from llmstack_tui.tui.draw.text import Part
    from llmstack_tui.variables.types import Changed, VariableChange, VariableRow

_MUTED = "$text-muted"


def about(row: VariableRow) -> Content:
    """All that is known of one variable."""
    return content_of("\n").join(content_of(part) for part in _parts(row))


def _parts(row: VariableRow) -> Iterator[Part]:
    if row.variable.purpose:
        yield tr(row.variable.purpose)
    if row.variable.since:
        yield tr("Ollama has it from {version} on.", version=row.variable.since), _MUTED
    if not row.is_known:
        yield tr("The Ollama that runs does not read it."), "$text-warning"
    yield tr("In force: {value} ({origin})", value=value_text(row), origin=origin_text(row)), _MUTED
    yield tr("Default: {value}", value=default_text(row)), _MUTED
    for each in row.sources:
        place = f"{tr(each.origin)}: {each.file}" if each.file else tr(each.origin)
        yield tr("Set to {value} ({place})", value=each.value, place=place), _MUTED
    if row.fault is not None:
        yield text(row.fault), "$text-warning"
    if row.standing is Standing.IDLE:
        yield tr("What is set is not in force: Ollama reads it when it starts."), "$text-warning"
    if row.standing is Standing.UNSET:
        yield tr("It is set nowhere: the next start of Ollama loses it."), "$text-warning"
    if row.suggestion is not None:
        said = tr("Suits this machine: {value}", value=row.suggestion.value)
        yield f"{said}. {text(row.suggestion.why)}", "$text-success"


def question(change: VariableChange) -> str:
    """What is said before a change is written."""
    said = ["\n".join(difference(change.before, change.after)), ""]
    said.append(tr("This goes into {file}, which only llmstack writes.", file=str(change.target.file)))
    if change.before is not None:
        said.append(tr("A copy of what it was is kept."))
    if change.by_hand:
        said.append(tr("It was edited by hand: what it has beside variables would be lost."))
    if change.target.needs_root:
        said.append(tr("Only root may write it: sudo asks for your password, on the terminal."))
    if any(value and opens_door(name, value) for name, value in change.values.items()):
        said.append(tr("Every machine in your network can then use this server, and remove its models."))
    if "OLLAMA_HOST" in change.values:
        said.append(
            tr("llmstack and other programs find it there only by their own OLLAMA_HOST or settings.")
        )
    said.append(tr("A restart unloads all models, once the running requests have ended."))
    return "\n".join(said)


def opens_door(name: str, value: str) -> bool:
    """Whether this value lets other machines in."""
    from llmstack_tui.variables.table import variable

    return opens(variable(name), value)


def done_text(done: Changed) -> str:
    """What became of a change."""
    if done.rolled_back:
        return text(*done.rolled_back)
    if done.was_restarted:
        return tr("Ollama runs with it. The file is {file}.", file=str(done.file))
    return tr("Written: {file}. Ollama reads it when it starts.", file=str(done.file))
