"""What a change of variables would write, or why it cannot be. Nothing is read or written here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from llmstack_tui.base.sentences import Failure
from llmstack_tui.variables.rules.edits import changed
from llmstack_tui.variables.rules.values import check, same
from llmstack_tui.variables.sources import OWN_DROP_IN
from llmstack_tui.variables.table import BY_NAME, variable
from llmstack_tui.variables.types import FileForm, Origin, VariableChange

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmstack_tui.base.sentences import Sentence
    from llmstack_tui.variables.types import Overview, OwnFile, ValueSource, VariableRow


class VariablesFailed(Failure):
    """The variables of Ollama cannot be changed so. Nothing was."""

    @classmethod
    def of(cls, sentence: Sentence) -> Self:
        params: dict[str, Any] = dict(sentence.params)
        return cls(sentence.kind, **params)


def planned(overview: Overview, values: Mapping[str, str | None]) -> VariableChange:
    """What setting variables would do to the file; None takes one out.

    Raises:
        VariablesFailed: a value is wrong, or cannot be set here; says why.
    """
    target = overview.target
    if target is None:
        assert overview.why_not is not None  # noqa: S101 (it says why there is no target)
        raise VariablesFailed.of(overview.why_not)
    for name, value in values.items():
        _check(target, overview.row(name), name, value)
    after = changed(target.form, overview.text, values)
    return VariableChange(
        target=target, values=values, before=overview.text, after=after, by_hand=overview.by_hand
    )


def _check(target: OwnFile, row: VariableRow | None, name: str, value: str | None) -> None:
    """Raise if this value cannot be set here."""
    if value is None:
        if row is None or row.own is None:
            if row is not None and row.sources and row.sources[-1].file:
                raise VariablesFailed("variables.not_ours", name=name, file=row.sources[-1].file)
            raise VariablesFailed("variables.not_set", name=name)
        return
    if row is None and name not in BY_NAME:
        raise VariablesFailed("variables.unknown", name=name)
    if (fault := check(variable(name), value)) is not None:
        raise VariablesFailed.of(fault)
    last = row.sources[-1] if row is not None and row.sources else None
    if last is not None and _is_stronger(target, last) and not same(variable(name), last.value, value):
        raise VariablesFailed("variables.stronger", name=name, file=last.file)


def _is_stronger(target: OwnFile, source: ValueSource) -> bool:
    """Whether a value counts more than one in the target."""
    if target.form is FileForm.DROP_IN:
        is_later = source.origin is Origin.DROP_IN and Path(source.file).name > OWN_DROP_IN
        return is_later or source.origin is Origin.ENVIRONMENT_FILE
    return target.form is FileForm.AGENT and source.origin is Origin.UNIT
