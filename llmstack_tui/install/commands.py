"""Runs a program of an installation, line by line, and ends it with all that it started."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

from llmstack_tui.base.commands import CommandFailed
from llmstack_tui.base.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_LONGEST_LINE = 2**16
_GRACE_S = 3.0


async def run(
    argv: Sequence[str],
    environ: Mapping[str, str],
    tell: Callable[[str], None],
    *,
    silence_s: float,
) -> None:
    """Run a program without a terminal; ``tell`` is called with each line of its output, made harmless.

    Raises:
        CommandFailed: it is missing, hangs, or ended with another status than 0.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            env=dict(environ),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            limit=_LONGEST_LINE,
        )
    except FileNotFoundError:
        raise CommandFailed("command.missing", program=argv[0]) from None
    except OSError as error:
        why = error.strerror or str(error)
        raise CommandFailed("command.not_run", program=argv[0], why=why) from None
    last = ""
    try:
        assert process.stdout is not None  # noqa: S101 (it is a pipe)
        while line := await asyncio.wait_for(_line(process.stdout), silence_s):
            if text := clean(line.decode(errors="replace").rpartition("\r")[2].strip()):
                last = text
                tell(text)
        status = await asyncio.wait_for(process.wait(), silence_s)
    except TimeoutError:
        raise CommandFailed("command.hangs", command=shlex.join(argv), limit_s=silence_s) from None
    finally:
        await _end(process)
    if status:
        kind = "command.refused" if last else "command.refused_silently"
        raise CommandFailed(kind, command=shlex.join(argv), status=status, words=last)


async def _line(output: asyncio.StreamReader) -> bytes:
    """The next line, or as much of it as there may be in one; empty at the end."""
    try:
        return await output.readuntil(b"\n")
    except asyncio.IncompleteReadError as error:
        return error.partial
    except asyncio.LimitOverrunError as error:
        return await output.read(error.consumed)


async def _end(process: asyncio.subprocess.Process) -> None:
    """End a program that still runs, and all that belong to it."""
    if process.returncode is not None:
        return
    for each in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, each)
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _GRACE_S)
            return
