"""Reads a log from near its end, and goes on as it is written: from a file, or from systemd's journal.

It reads no faster than its lines are taken: a file waits, and ``journalctl`` is held up. Reading and parsing
happen in threads, in slices that leave the event loop free.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from pathlib import Path  # noqa: TC003 (msgspec reads the types of a struct)
from typing import TYPE_CHECKING

import msgspec

from llmstack_tui.base.commands import output_of, run
from llmstack_tui.base.sentences import Failure, Sentence
from llmstack_tui.ollama.log.files import SLICE_BYTES, LogFile, LogUnreadable
from llmstack_tui.ollama.log.lines import LogLine, parse

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

TAIL_LINES = 2000
_TAIL_BYTES = 512 * 1024
# What is written meanwhile may never end.
_TAIL_SLICES = 2 * _TAIL_BYTES // SLICE_BYTES
_LOOK_EVERY_S = 0.2
_SLICE_BYTES = 128 * 1024
_LONGEST_ENTRY = 256 * 1024
_LAST_WITHIN_S = 5.0
_CLOSED = "not seeing messages from"


class FileLog(msgspec.Struct, frozen=True):
    """A log in a file."""

    path: Path

    @property
    def shown(self) -> str:
        return str(self.path)


class JournalLog(msgspec.Struct, frozen=True):
    """What a unit of systemd has written; ``user``: it is one of this user's."""

    unit: str
    user: bool = False

    @property
    def shown(self) -> str:
        return f"journalctl{' --user' if self.user else ''} -u {self.unit}"


LogSource = FileLog | JournalLog

Batch = tuple[tuple[LogLine, ...], Sentence | None]
"""Lines, and what happened to the log before them."""


async def read_log(
    source: LogSource, environ: Mapping[str, str], *, follow: bool = False, tail: int = TAIL_LINES
) -> AsyncGenerator[Batch, None]:
    """Yield the last lines of a log, some at a time, and with ``follow`` those that are written then.

    Args:
        tail: how many of the lines that are there.

    Raises:
        LogUnreadable: it cannot be read.
        CommandFailed: journalctl is missing, or cannot be run.
    """
    if isinstance(source, FileLog):
        batches = _file(source.path, follow, tail)
    else:
        batches = _journal(source, environ, follow, tail)
    try:
        async for batch in batches:
            yield batch
    finally:
        await batches.aclose()


async def _file(path: Path, follow: bool, tail: int) -> AsyncGenerator[Batch, None]:
    file = await asyncio.to_thread(LogFile, path, _TAIL_BYTES)
    last: deque[LogLine] = deque(maxlen=tail)
    try:
        for _ in range(_TAIL_SLICES):
            batch = await asyncio.to_thread(_slice, file)
            if batch is None:
                break
            last.extend(batch[0])
        yield tuple(last), None
        while True:
            batch = await asyncio.to_thread(_slice, file)
            if batch is not None:
                yield batch
            elif follow:
                await asyncio.sleep(_LOOK_EVERY_S)
            else:
                yield _parsed([file.rest]), None
                return
    finally:
        file.close()


def _slice(file: LogFile) -> Batch | None:
    piece = file.read()
    return None if piece is None else (_parsed(piece.lines), piece.happened)


def _parsed(lines: list[bytes]) -> tuple[LogLine, ...]:
    return tuple(parse(line.decode(errors="replace")) for line in lines if line.strip())


class _JournalEntry(msgspec.Struct):
    """An entry of the journal, as ``journalctl -o json`` writes it: systemd.journal-fields(7).

    A message that is no text in UTF-8 is a list of bytes, and one that is too long null.
    """

    message: str | list[int] | None = msgspec.field(default=None, name="MESSAGE")
    at_us: str = msgspec.field(default="", name="__REALTIME_TIMESTAMP")
    program: str = msgspec.field(default="", name="SYSLOG_IDENTIFIER")


async def _journal(
    source: JournalLog, environ: Mapping[str, str], follow: bool, tail: int
) -> AsyncGenerator[Batch, None]:
    command = (
        "journalctl", *(("--user",) if source.user else ()), f"--unit={source.unit}", "--output=json",
        "--output-fields=MESSAGE,SYSLOG_IDENTIFIER", f"--lines={tail}", "--no-pager",
        *(("--follow",) if follow else ()),
    )  # fmt: skip
    if follow:  # What may not be read is said at the end, which a journal that is followed has not.
        looked = await run(*command[:-1], environ=environ)
        if not looked.output.strip() and _CLOSED in looked.errors:
            raise LogUnreadable("log.closed_journal", unit=source.unit)
        if not looked.output.strip():
            yield (), None
    async with output_of(*command, environ=environ) as journal:
        rest, seen = b"", False
        while piece := await journal.read(_SLICE_BYTES):
            *entries, rest = (rest + piece).split(b"\n")
            if len(rest) > _LONGEST_ENTRY:
                rest = b""  # What follows of it is no entry, and is left out.
            if lines := await asyncio.to_thread(_entries, entries):
                seen = True
                yield lines, None
        words = await journal.words()
    if not seen and _CLOSED in words:
        raise LogUnreadable("log.closed_journal", unit=source.unit)
    if follow or (words and not seen):
        raise LogUnreadable("log.journal_ended", words=words)


def _entries(texts: list[bytes]) -> tuple[LogLine, ...]:
    lines: list[LogLine] = []
    for text in texts:
        with suppress(msgspec.MsgspecError, ValueError):
            entry = msgspec.json.decode(text, type=_JournalEntry)
            message = entry.message or ""
            if isinstance(message, list):
                message = bytes(message).decode(errors="replace")
            at = datetime.fromtimestamp(int(entry.at_us) / 1e6, UTC) if entry.at_us.isdigit() else None
            # What systemd itself says of the unit stands there, too.
            source = "systemd" if entry.program.startswith("systemd") else ""
            lines += [parse(line, time=at, source=source) for line in message.splitlines() if line.strip()]
    return tuple(lines)


async def last_lines(source: LogSource, environ: Mapping[str, str], count: int = 200) -> list[LogLine]:
    """The last lines of a log; none of one that cannot be read in time."""
    lines: deque[LogLine] = deque(maxlen=count)
    with suppress(Failure, TimeoutError):
        async with asyncio.timeout(_LAST_WITHIN_S), aclosing(read_log(source, environ)) as batches:
            async for batch, _ in batches:
                lines.extend(batch)
    return list(lines)
