"""The terminal: what the dashboard can show there, and what reaches it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.doctor.types import Finding, FindingState, Fix, FixKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmstack_tui.doctor.facts import TerminalFacts

LEAST_SIZE, USUAL_SIZE = (60, 16), (80, 24)
# The console of Linux has neither a mouse nor a clipboard; "dumb" is what editors give to their shells.
_PLAIN = ("linux", "dumb", "")
# These do not take what a program wants to copy (OSC 52).
_NO_CLIPBOARD = ("Apple_Terminal", "screen")


def _no_terminal(id_: str) -> Finding:
    return Finding(id=id_, state=FindingState.DOES_NOT_APPLY, says=Sentence("doctor.no_terminal"))


def colours(id_: str, terminal: TerminalFacts) -> Iterator[Finding]:
    if terminal.size is None:
        yield _no_terminal(id_)
        return
    is_poor = terminal.colours < 256
    says = Sentence("doctor.colours", {"count": terminal.colours, "term": terminal.term})
    yield Finding(
        id=id_,
        state=FindingState.ADVICE if is_poor else FindingState.FINE,
        says=says,
        advice=(Sentence("doctor.more_colours"),) if is_poor else (),
        command="export COLORTERM=truecolor" if is_poor else "",
    )


def unicode(id_: str, terminal: TerminalFacts) -> Iterator[Finding]:
    if terminal.size is None:
        yield _no_terminal(id_)
        return
    is_whole = terminal.encoding.lower().replace("-", "") == "utf8"
    yield Finding(
        id=id_,
        state=FindingState.FINE if is_whole else FindingState.ADVICE,
        says=Sentence("doctor.encoding", {"encoding": terminal.encoding}),
        advice=() if is_whole else (Sentence("doctor.set_locale"),),
        command="" if is_whole else "export LANG=C.UTF-8",
    )


def mouse(id_: str, terminal: TerminalFacts) -> Iterator[Finding]:
    if terminal.size is None:
        yield _no_terminal(id_)
    elif terminal.term in _PLAIN:
        says = Sentence("doctor.no_mouse", {"term": terminal.term})
        advice = (Sentence("doctor.keys_do"),)
        yield Finding(id=id_, state=FindingState.ADVICE, says=says, advice=advice)
    else:
        yield Finding(id=id_, state=FindingState.FINE, says=Sentence("doctor.mouse"))


def size(id_: str, terminal: TerminalFacts) -> Iterator[Finding]:
    if terminal.size is None:
        yield _no_terminal(id_)
        return
    (columns, rows), (least, lines) = terminal.size, LEAST_SIZE
    is_small = columns < USUAL_SIZE[0] or rows < USUAL_SIZE[1]
    state = FindingState.ADVICE if is_small else FindingState.FINE
    yield Finding(
        id=id_,
        state=FindingState.WARNING if columns < least or rows < lines else state,
        says=Sentence("doctor.size", {"columns": columns, "rows": rows}),
        advice=(Sentence("doctor.larger", {"columns": USUAL_SIZE[0], "rows": USUAL_SIZE[1]}),)
        if is_small
        else (),
    )


def clipboard(id_: str, terminal: TerminalFacts) -> Iterator[Finding]:
    """Whether what is copied reaches the clipboard, as far as that is known of a terminal."""
    if terminal.size is None:
        yield _no_terminal(id_)
    elif terminal.passes_clipboard is False:
        advice = (Sentence("doctor.tmux_clipboard"),)
        says = Sentence("doctor.no_clipboard", {"program": "tmux"})
        does, undo = Sentence("doctor.pass_clipboard"), Sentence("doctor.clipboard_as_before")
        fix = Fix(FixKind.LET_CLIPBOARD, does, undo)
        yield Finding(id=id_, state=FindingState.ADVICE, says=says, advice=advice, fix=fix)
    elif terminal.term in _PLAIN or terminal.program in _NO_CLIPBOARD:
        says = Sentence("doctor.no_clipboard", {"program": terminal.program or terminal.term})
        advice = (Sentence("doctor.select_with_shift"),)
        yield Finding(id=id_, state=FindingState.ADVICE, says=says, advice=advice)
    else:
        yield Finding(id=id_, state=FindingState.FINE, says=Sentence("doctor.clipboard"))
