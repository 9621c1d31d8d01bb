"""Output of commands: text that is safe on a terminal, tables, JSON documents, a status line, questions.

Answers go to standard output, everything else to standard error, so that a script reads only answers.
Commands write through this module alone: whatever a text contains, it cannot control the terminal.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

from llmstack_tui.base.languages import tr
from llmstack_tui.base.text import clean, clean_lines
from llmstack_tui.cli import table

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Mapping, Sequence

PROGRAM = "llmstack"

_MARKS = {"active": "●", "inactive": "○", "loading": "◌", "stopping": "◐", "cloud": "☁"}
_ASCII_MARKS = {"active": "*", "inactive": "o", "loading": ".", "stopping": "~", "cloud": "@"}
# Of the doctor's findings; "does not apply" has none.
_MARKS |= {"fine": "✓", "advice": "›", "warning": "!", "broken": "✗"}
_ASCII_MARKS |= {"fine": "+", "advice": ">", "warning": "!", "broken": "x"}
# Green, yellow, blue and red of the terminal's own palette.
_COLOURS = {"active": "32", "loading": "33", "stopping": "33", "cloud": "34"}
_COLOURS |= {"fine": "32", "advice": "34", "warning": "33", "broken": "31"}


class Failed(Exception):
    """The command failed; the text is a sentence that says why and what to do."""


class WrongUsage(Exception):
    """The command was called with arguments that make no sense; the text is a sentence."""


def write(line: str) -> None:
    """Write one line, even if ``line`` has line ends: what comes from outside writes no lines of its own."""
    _print(clean(line, None))


def write_marked(state: str, line: str) -> None:
    """Write one line after the mark of a state, if that has one."""
    _print(f"{_coloured_mark(mark(state)) if state in _MARKS else ' '} {clean(line, None)}")


def write_text(text: str, *, end: str = "\n") -> None:
    """Write lines of text, as a model or a file has them."""
    _print(clean_lines(text, None), end=end)


def _print(text: str, *, end: str = "\n") -> None:
    print(text, end=end, flush=True)


def answer(options: Namespace, document: Mapping[str, object], *said: str | Callable[[], None]) -> int:
    """Write the document with --json, else the sentences of ``said``, or call it; returns 0."""
    if options.json:
        write_document(document)
        return 0
    for each in said:
        if isinstance(each, str):
            write(each)
        else:
            each()
    return 0


def write_document(document: Mapping[str, object], *, indent: int | None = 2) -> None:
    """Write one JSON document, on a single line if ``indent`` is None.

    In ASCII, as any encoding has it, with an escape for each control character: no text in it is altered.
    """
    import json

    write_text(json.dumps(document, indent=indent, default=_plain).replace("\x7f", "\\u007f"))


def _plain(value: object) -> object:
    """Types that JSON lacks: a time in ISO 8601, a duration in seconds, a path as text."""
    from datetime import datetime, timedelta
    from pathlib import Path

    match value:
        case datetime():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case Path():
            return str(value)
    raise TypeError(f"{value!r} cannot be written as JSON")


def say(text: str) -> None:
    """Write a sentence for the user to standard error."""
    _to_stderr(f"{PROGRAM}: {clean(text, None)}\n")


def inform(text: str) -> None:
    """Say what is neither an answer nor a failure: on a terminal as plainly as an answer.

    Elsewhere it goes to standard error, as scripts read answers alone.
    """
    if is_terminal(sys.stdout):
        write(text)
    else:
        say(text)


def mark(state: str) -> str:
    """The mark of a model's state, in ASCII if standard output cannot show the other."""
    return (_MARKS if shows(sys.stdout, "".join(_MARKS.values())) else _ASCII_MARKS)[state]


def shows(stream: TextIO | None, text: str) -> bool:
    """Whether a stream's encoding has all characters of ``text``."""
    try:
        text.encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def write_table(heads: Sequence[str], rows: Sequence[Sequence[str]], hosts: Sequence[str] = ()) -> None:
    """Write rows under their heads, on a terminal in its width and with coloured marks.

    Args:
        heads, rows: as `table.lines` has them.
        hosts: the host of each row, which becomes a last column if there are several hosts.
    """
    if len(set(hosts)) > 1:
        heads = [*heads, f"{tr('HOST')}?"]
        rows = [[*row, host] for row, host in zip(rows, hosts, strict=True)]
    width = os.get_terminal_size(sys.stdout.fileno()).columns if is_terminal(sys.stdout) else None
    shown = [[_as_shown(cell) for cell in row] for row in rows]
    for first, *rest in table.lines(heads, shown, width or None, "…" if shows(sys.stdout, "…") else "..."):
        _print("  ".join([_coloured_mark(first), *rest]).rstrip())


def coloured(text: str, colour: str, stream: TextIO | None) -> str:
    """A text in a colour (as in ``ESC [ 32 m``) on a terminal that has any, unless NO_COLOR is set."""
    has_colours = _can_control(stream, os.environ) and not os.environ.get("NO_COLOR")
    return f"\x1b[{colour}m{text}\x1b[0m" if has_colours else text


def _can_control(stream: TextIO | None, environ: Mapping[str, str]) -> bool:
    """Whether the stream is a terminal that knows control sequences."""
    return is_terminal(stream) and environ.get("TERM", "") not in ("", "dumb")


def _coloured_mark(text: str) -> str:
    for state, colour in _COLOURS.items():
        if text in (_MARKS[state], _ASCII_MARKS[state]):
            return coloured(text, colour, sys.stdout)
    return text


def clock(seconds: float) -> str:
    """A duration as on a clock: "0:07", "1:02:03"."""
    minutes, rest = divmod(max(round(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class StatusLine:
    """One line on standard error that is rewritten in place; nothing if that is not a terminal."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._shown = False
        self.enabled = _can_control(sys.stderr, environ)

    def show(self, text: str) -> None:
        if self.enabled:
            columns = os.get_terminal_size(sys.stderr.fileno()).columns or 80
            _to_stderr(f"\r\x1b[K{_one_line(text, columns - 1)}")
            self._shown = True

    def clear(self) -> None:
        if self._shown:
            _to_stderr("\r\x1b[K")
            self._shown = False


def draw(lines: Sequence[str], width: int) -> None:
    """Write lines to the terminal, which `undraw` can remove; leaves the cursor below them."""
    _to_stderr("".join(f"\r\x1b[K{_one_line(line, width)}\n" for line in lines))


def _one_line(text: str, width: int) -> str:
    return table.clipped(clean(text), width)


def undraw(count: int) -> None:
    _to_stderr("\x1b[1A\x1b[2K" * count + "\r")


def confirm(options: Namespace, question: str, otherwise: str) -> None:
    """Ask before something is lost, unless --yes was given.

    Raises:
        Failed: with ``otherwise``, if the answer is no or nobody can be asked.
    """
    if options.yes:
        return
    if options.json or not is_terminal(sys.stdin):
        advice = tr("There is no terminal to ask on: add --yes to do it without a question.")
        raise Failed(f"{otherwise} {advice}")
    if not ask(question):
        raise Failed(otherwise)


def ask(question: str) -> bool:
    """Ask a yes/no question on the terminal; anything but a yes is a no."""
    return is_yes(ask_for(f"{question} {tr('[y/N]')}"))


def is_yes(answer: str) -> bool:
    """Whether an answer of `ask_for` means yes, in English or in the language of the question."""
    return answer in {"y", "yes", *tr("y yes").split()}


def ask_for(question: str) -> str:
    """The answer to a question on the terminal, in lower case."""
    import signal

    _to_stderr(f"{clean(question, None)} ")
    # With the event loop's own handler, Ctrl-C would have no effect until a line is read.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return sys.stdin.readline().strip().lower()
    finally:
        signal.signal(signal.SIGINT, before)


def ask_hidden(question: str) -> str:
    """The answer to a question on the terminal, which does not show it."""
    import signal
    from getpass import getpass

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return getpass(f"{clean(question, None)} ", sys.stderr)
    except EOFError:
        return ""
    finally:
        signal.signal(signal.SIGINT, before)


def is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and not stream.closed and stream.isatty()


def _to_stderr(text: str) -> None:
    # If standard error fails, there is nowhere to report it.
    with suppress(OSError):
        if sys.stderr is not None:
            sys.stderr.write(text)
            sys.stderr.flush()


def _as_shown(text: str) -> str:
    """The text as standard output will show it, so that its width is measured right."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return clean(text, None).encode(encoding, errors="replace").decode(encoding)
