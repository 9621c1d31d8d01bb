"""What the screen says of a plan: its steps with what each does exactly, and how far it has come. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.languages import tr
from llmstack_tui.base.units import bytes_text
from llmstack_tui.core.wording import text
from llmstack_tui.install.rules.exact import exact
from llmstack_tui.install.types import WAY_NAMES
from llmstack_tui.tui.draw.text import content_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from textual.content import Content

    from llmstack_tui.install.types import InstallPlan, Told
    from llmstack_tui.tui.draw.marks import Marks
    from llmstack_tui.tui.draw.text import Part

_MUTED = "$text-muted"


def title(plan: InstallPlan) -> str:
    return f"{tr(WAY_NAMES[plan.way])} {plan.version}".rstrip()


def question(plan: InstallPlan) -> str:
    """What is agreed to: each step in words, its command where only root may run it, and the way back."""
    lines = [f"{number}. {text(step.does)}" for number, step in enumerate(plan.steps, 1)]
    for step in plan.steps:
        lines += [f"   {line}" for line in exact(step.act)] if step.needs_root else []
    lines += ["", *map(text, plan.notes)] if plan.notes else []
    if plan.back:
        lines += ["", tr("To take it back: {undo}", undo=text(*plan.back))]
    return "\n".join(lines)


def plan_content(plan: InstallPlan) -> Content:
    """A plan before it is carried out."""
    return _joined(_plan(plan))


def _plan(plan: InstallPlan) -> Iterator[Part]:
    for problem in plan.problems:
        yield text(problem), "$text-warning"
    for number, step in enumerate(plan.steps, 1):
        root = f"  ({tr('as root')})" if step.needs_root else ""
        yield f"{number}. {text(step.does)}{root}"
        yield from ((f"   {line}", _MUTED) for line in exact(step.act))
    if plan.notes:
        yield ""
        yield from map(text, plan.notes)
    if plan.back:
        yield ""
        yield tr("To take it back: {undo}", undo=text(*plan.back))
    if plan.script:
        yield ""
        yield tr("The script:"), "bold"
        yield plan.script, _MUTED


def version_content(version: str, *, is_kept: bool) -> Content:
    if is_kept:
        return content_of(tr("Enter has Ollama {version} run, after a question.", version=version))
    return content_of(tr("Enter shows how Ollama {version} would be installed.", version=version))


def progress_content(
    plan: InstallPlan, told: Told | None, said: tuple[str, str], lines: Iterable[str], marks: Marks
) -> Content:
    """A plan while it is carried out, and how it ended; below it what its programs have written."""
    reached = told.step if told is not None else 0
    shown: list[Part] = []
    for number, step in enumerate(plan.steps):
        is_done = number < reached or (bool(said[0]) and said[1] == "$text-success")
        at = marks.failed if said[0] else marks.dot
        mark = marks.tick if is_done else at if number == reached else " "
        shown.append((f"{mark} {text(step.does)}", "" if number <= reached or is_done else _MUTED))
        if number == reached and not said[0] and told is not None and told.done is not None:
            done = bytes_text(told.done)
            size = tr("{size} of {all}", size=done, all=bytes_text(told.total)) if told.total else done
            shown.append((f"    {size}", "$text-primary"))
    if said[0]:
        shown += ["", said]
        if said[1] == "$text-error":
            shown.append(tr("What it had done is undone."))
    written = [*lines]
    if written:
        shown += ["", *((line, _MUTED) for line in written)]
    return _joined(shown)


def _joined(parts: Iterable[Part]) -> Content:
    return content_of("\n").join(content_of(part) for part in parts)
