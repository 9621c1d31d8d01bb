"""A line of a log as a value. As in 0.24 and 0.33, Ollama writes lines of these forms:

- ``time=2026-11-30T13:10:14.305Z level=WARN source=server.go:114 msg="…" key=value "a key"="a value"``, by
  Go's slog;
- ``[GIN] 2026/11/30 - 13:10:29 | 200 |  5.243882633s |  127.0.0.1 | POST  "/api/generate"``, one for each
  request that has ended, in local time;
- those of llama.cpp, such as ``slot print_timing: id  0 | task 13 | …`` and ``llama_context: n_ctx = 2048``,
  which have no time;
- ``Error: …`` as its last words.

The built-in engine writes ``2026-11-30 13:10:22,207 WARNING name: …``, in local time.
"""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.languages import later
from llmstack_tui.base.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST = 4000
_MOST_FIELDS = 40

_WORD = r'"(?:[^"\\]|\\.)*"|[^\s="]*'
_SLOG = re.compile(rf"(?:time=(\S+) )?level=(\w+)\S* (?:source=(\S+) )?msg=({_WORD})(.*)", re.DOTALL)
# What repeats is limited, so that no line of any kind takes long.
_PAIR = re.compile(r'("(?:[^"\\]|\\.){0,60}"|[^\s="]{1,60})=("(?:[^"\\]|\\.)*"|\S*)')
_GIN = re.compile(
    r"\[GIN\] (\d{4}/\d\d/\d\d - \d\d:\d\d:\d\d) \| +(\d{3}) \| +(\S+) \| +(\S+) \| (\w+) +\"(.*)\""
)
_LLAMA = re.compile(r"(\w[\w ()~-]{1,40}?): +(.*)", re.DOTALL)
_SLOT = re.compile(r"id +(\d+) \| task (-?\d+) \| +(.*)", re.DOTALL)
_FIGURE = re.compile(r"([a-z][\w.]{0,30}(?: [a-z]{1,12}){0,3}) {1,20}= {1,20}(-?[\d.]{1,20})")
_RATE = re.compile(r"/ {1,20}(\d{1,12}) tokens[^/]{0,60}? ([\d.]{1,12}) tokens per second")
_SPEED = re.compile(r" / ([\d.]+) tokens per second")
_ENGINE = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) (\w+) ([\w.]+): (.*)", re.DOTALL)
_BAD = re.compile(r"^(?:Error: |panic: |fatal error: |SIG[A-Z]+: |terminate called )|GGML_ASSERT|ggml_abort")
_DOUBTFUL = re.compile(r"\b(?:error|failed|unable to)\b", re.IGNORECASE)
_ESCAPE = re.compile(r'\\(["\\nt])')
_ESCAPED = {'"': '"', "\\": "\\", "n": " ", "t": " "}


class LogLevel(StrEnum):
    """How serious a line is. Lines that do not tell are judged by their words."""

    DEBUG = later("debug")
    INFO = later("info")
    WARNING = later("warning")
    ERROR = later("error")

    @property
    def rank(self) -> int:
        return _RANKS[self]


_RANKS = {level: rank for rank, level in enumerate(LogLevel)}
_LEVELS = {
    "DEBUG": LogLevel.DEBUG, "TRACE": LogLevel.DEBUG, "INFO": LogLevel.INFO, "WARN": LogLevel.WARNING,
    "WARNING": LogLevel.WARNING, "ERROR": LogLevel.ERROR, "CRITICAL": LogLevel.ERROR,
}  # fmt: skip


class LogLine(Struct, frozen=True, gc=False):
    """A line of a log, harmless and at most `LONGEST` characters long.

    Thousands are kept, so what a line holds is small, and nothing that Python would look for circles in.

    Attributes:
        time: with a zone; None where the line has none.
        source: what wrote it: a place in the code, ``GIN``, a part of llama.cpp, ``systemd``; "" if unknown.
        message: what it says, without time, level and source.
        text: the whole line.
    """

    time: datetime | None
    level: LogLevel
    source: str
    message: str
    text: str

    @property
    def fields(self) -> Mapping[str, str]:
        """Its values, by their names; read from the text each time."""
        if self.source == "GIN" and (found := _GIN.match(self.text)) is not None:
            _, status, took, client, method, path = found.groups()
            return {"status": status, "took": took, "client": client, "method": method, "path": path}
        if (found := _SLOG.match(self.text)) is not None:
            pairs = _PAIR.findall(found[5])[:_MOST_FIELDS] if found[5] else ()
            return {_bare(name): _bare(value) for name, value in pairs}
        if self.source.startswith("slot ") and (slot := _SLOT.search(self.text)) is not None:
            return {"id": slot[1], "task": slot[2], **_figures(slot[3])}
        return _figures(self.message) if self.source.startswith("llama_") else {}


def parse(text: str, *, time: datetime | None = None, source: str = "") -> LogLine:
    """Read a line.

    Args:
        time: when it was written, where something else than the line itself knows that.
        source: as `LogLine.source`, of a line that has none.
    """
    text = clean(text, LONGEST).rstrip()
    if "level=" in text and (found := _SLOG.match(text)) is not None:
        level = _LEVELS.get(found[2], LogLevel.INFO)
        return LogLine(_at(found[1]) or time, level, found[3] or "", _bare(found[4]), text)
    if text.startswith("[GIN] ") and (found := _GIN.match(text)) is not None:
        return _request(text, found, time)
    if text[:1].isdigit() and (found := _ENGINE.match(text)) is not None:
        at = datetime.strptime(found[1], "%Y-%m-%d %H:%M:%S,%f").astimezone()
        return LogLine(time or at, _LEVELS.get(found[2], LogLevel.INFO), found[3], found[4], text)
    message = text
    if not source and (found := _LLAMA.match(text)) is not None and not text.startswith("Error: "):
        source, message = " ".join(found[1].split()), found[2]
        if source.startswith("slot ") and (slot := _SLOT.match(message)) is not None:
            message = slot[3]
    return LogLine(time, _judged(text), source, message, text)


def _request(text: str, found: re.Match[str], time: datetime | None) -> LogLine:
    at, status, took, _, method, path = found.groups()
    if status >= "400":
        level = LogLevel.ERROR if status >= "500" else LogLevel.WARNING
    else:  # Questions about the state come every second, from this dashboard, too.
        level = LogLevel.DEBUG if method in ("GET", "HEAD") else LogLevel.INFO
    when = datetime.strptime(at, "%Y/%m/%d - %H:%M:%S").astimezone()
    return LogLine(time or when, level, "GIN", f"{method} {path} {status} {took}", text)


def _figures(message: str) -> dict[str, str]:
    """The figures of a line of llama.cpp, such as ``n_tokens = 512`` and the speed."""
    figures = {name: value.rstrip(".") for name, value in _FIGURE.findall(message)[:_MOST_FIELDS]}
    if "tokens per second" in message:
        if (rate := _RATE.search(message)) is not None:
            figures |= {"tokens": rate[1], "tokens per second": rate[2]}
        elif (speed := _SPEED.search(message)) is not None:
            figures["tokens per second"] = speed[1]
    return figures


def _judged(text: str) -> LogLevel:
    if text.startswith("[GIN-debug]"):
        return LogLevel.DEBUG
    if _BAD.search(text):
        return LogLevel.ERROR
    return LogLevel.WARNING if _DOUBTFUL.search(text) else LogLevel.INFO


def _at(text: str | None) -> datetime | None:
    """A time with nanoseconds at most, of which Python takes six digits."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    except ValueError:
        return None


def _bare(word: str) -> str:
    """A word without its quotation marks."""
    if not word.startswith('"'):
        return word
    inner = word[1:-1]
    return _ESCAPE.sub(lambda found: _ESCAPED[found[1]], inner) if "\\" in inner else inner
