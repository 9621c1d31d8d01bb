"""What a model would take with longer contexts and smaller caches. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from llmstack_tui.base.kinds import CACHE_TYPES
from llmstack_tui.base.units import bytes_text
from llmstack_tui.fit.memory import Basis, Request, estimate, largest_context
from llmstack_tui.fit.verdict import Fit, verdict
from llmstack_tui.tui.draw.figures import about_text, count_text
from llmstack_tui.tui.widgets.section import Part

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from llmstack_tui.fit.memory import Estimate, Load, Subject
    from llmstack_tui.fit.verdict import Room, Verdict

_CONTEXTS = (2048, 4096, 8192, 16_384, 32_768, 65_536, 131_072, 262_144)
_WORDS = {Fit.NOW: "fits", Fit.ALONE: "alone", Fit.PARTLY: "part CPU", Fit.NO: "no"}
_TONES = {Fit.NOW: "$text-success", Fit.ALONE: "$text-warning", Fit.PARTLY: "$text-warning"}
_CONTEXT_CELLS, _CELLS = 10, 20
_MUTED = "$foreground 60%"
_EXPLAINED = {
    Fit.ALONE: "alone: once the other models are unloaded.",
    Fit.PARTLY: "part CPU: partly on the CPU, and slower.",
}
_BASES = {Basis.FORMULA: "the architecture of the model", Basis.FILE_SIZE: "the size of its file"}


def fit_part(subject: Subject, room: Room, loads: Sequence[Load] = ()) -> Part | None:
    """A line for each context, a column for each type of cache; None where nothing is known.

    Args:
        loads: of this version that were measured.
    """
    head = "Context".rjust(_CONTEXT_CELLS) + "".join(f"   {name}".ljust(_CELLS) for name in CACHE_TYPES)
    lines = [Content.styled(head, _MUTED)]
    measured, basis = False, Basis.FORMULA
    fits: set[Fit] = set()
    for context in _contexts(subject):
        line = Content(count_text(context).rjust(_CONTEXT_CELLS))
        for name in CACHE_TYPES:
            request = Request(context_length=context, cache_type=name)
            found = estimate(subject.weights, subject.shape, request, loads)
            if found is None:
                return None
            measured |= found.basis is Basis.MEASURED
            basis = found.basis if found.basis is not Basis.MEASURED else basis
            known = verdict(found, room)
            fits |= {known.fit} if known else set()
            line += _cell(found, known)
        lines.append(line)
    lines += [Content(text) for text in _longest(subject, room)]
    explained = [
        f"Estimated from {_BASES[basis]}.",
        *(text for fit, text in _EXPLAINED.items() if fit in fits),
    ]
    explained += ["*: measured here."] if measured else []
    lines.append(Content.styled(" ".join(explained), _MUTED))
    return Part(Content("\n").join(lines))


def _contexts(subject: Subject) -> Iterator[int]:
    trained = subject.shape.context_length if subject.shape else None
    if trained is None:
        yield from _CONTEXTS[:5]
        return
    yield from (context for context in _CONTEXTS if context < trained)
    yield trained


def _cell(found: Estimate, known: Verdict | None) -> Content:
    size = about_text(found.total)
    if found.basis is Basis.MEASURED:
        size = f"*{bytes_text(found.total)}"
    word = "?" if known is None else _WORDS[known.fit]
    if known is not None and known.tight and known.fit is Fit.NOW:
        word = "tight"
    tone = _TONES.get(known.fit, "") if known else ""
    return Content.assemble(f"   {size:8}", (word.ljust(_CELLS - 11), tone or "$foreground"))


def _longest(subject: Subject, room: Room) -> Iterator[str]:
    if subject.weights is None or subject.shape is None or room.budget is None:
        return
    found = [
        (
            largest_context(
                subject.weights, subject.shape, Request(context_length=1, cache_type=name), room.budget
            ),
            name,
        )
        for name in CACHE_TYPES
    ]
    contexts = {context for context, _ in found}
    if contexts == {subject.shape.context_length}:
        yield f"Fits, even at its full context ({count_text(subject.shape.context_length)})."
        return
    texts = [f"{count_text(context)} ({name})" for context, name in found if context]
    yield (
        f"Longest context that fits: {', '.join(texts)}"
        if texts
        else "Does not fit, even with a short context."
    )
