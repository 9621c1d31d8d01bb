"""Programs of the system that are run and read: ``systemctl``, ``launchctl``, ``brew``, ``journalctl``.

Each gets a list of arguments, never a shell; nothing on standard input, so that none can ask; English as its
language, so that its answers can be read; a time limit, after which it is killed; and what it writes is cut
and made harmless.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import subprocess
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.sentences import Failure
from llmstack_tui.base.text import clean_lines, excerpt

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

LIMIT_S = 10.0
_MOST_BYTES = 1_000_000
_KILLED_WITHIN_S = 2.0


class CommandFailed(Failure):
    """A program of the system is missing, hangs, or refused what was asked of it."""


class CommandResult(Struct, frozen=True):
    """What a program said. ``status`` is negative for a signal, as in `subprocess`."""

    status: int
    output: str
    errors: str

    @property
    def words(self) -> str:
        """What it said of an error, or else at all, on one line; "" if it said nothing."""
        return excerpt(self.errors.strip() or self.output)


class RootCommand(Struct, frozen=True):
    """A command that only root may run. A person sees it before, and ``sudo`` asks for the password.

    Attributes:
        argv: without ``sudo``.
    """

    argv: tuple[str, ...]

    @property
    def with_sudo(self) -> tuple[str, ...]:
        return ("sudo", *self.argv)

    @property
    def shown(self) -> str:
        """As it would be typed in a shell."""
        return shlex.join(self.with_sudo)


class NeedsRoot(Failure):
    """What was asked needs root. ``command`` does it: the faces run it, after a yes."""

    def __init__(self, command: RootCommand) -> None:
        super().__init__("command.needs_root", command=command.shown)
        self.command = command


def is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def is_there(program: str, environ: Mapping[str, str]) -> bool:
    """Whether a program is on the path."""
    return shutil.which(program, path=environ.get("PATH", "")) is not None


async def run(
    *argv: str, environ: Mapping[str, str], limit_s: float = LIMIT_S, folder: Path | None = None
) -> CommandResult:
    """Run a program to its end, whatever its exit status.

    Args:
        environ: the environment of this process at its start; it has the path, too.
        folder: where it runs; None for that of this process.

    Raises:
        CommandFailed: it is missing, cannot be run, or did not end in time.
    """
    process = await _spawn(argv, environ, folder)
    assert process.stdout is not None  # noqa: S101 (opened as pipes)
    assert process.stderr is not None  # noqa: S101
    try:
        async with asyncio.timeout(limit_s):
            output, errors, status = await asyncio.gather(
                _head(process.stdout), _head(process.stderr), process.wait()
            )
    except TimeoutError:
        # The program and what it was to do: the options say nothing to a person.
        words = [word for word in argv if not word.startswith("-")][:2]
        raise CommandFailed("command.hangs", command=shlex.join(words), limit_s=limit_s) from None
    finally:
        await _end(process)
    return CommandResult(status, output, errors)


async def _spawn(
    argv: tuple[str, ...], environ: Mapping[str, str], folder: Path | None = None
) -> asyncio.subprocess.Process:
    program = shutil.which(argv[0], path=environ.get("PATH", ""))
    if program is None:
        raise CommandFailed("command.missing", program=argv[0])
    try:
        return await asyncio.create_subprocess_exec(
            program,
            *argv[1:],
            env={**environ, "LC_ALL": "C", "SYSTEMD_PAGER": "", "SYSTEMD_COLORS": "0"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            cwd=folder,
        )
    except OSError as error:
        why = error.strerror or str(error)
        raise CommandFailed("command.not_run", program=argv[0], why=why) from None


async def checked(*argv: str, environ: Mapping[str, str], limit_s: float = LIMIT_S) -> CommandResult:
    """As `run`.

    Raises:
        CommandFailed: as `run`, or its exit status is not 0.
    """
    done = await run(*argv, environ=environ, limit_s=limit_s)
    if done.status != 0:
        command, words = shlex.join(argv), done.words
        kind = "command.refused" if words else "command.refused_silently"
        raise CommandFailed(kind, command=command, status=done.status, words=words)
    return done


def run_on_terminal(command: RootCommand) -> None:
    """Run a command as root, on the terminal, where ``sudo`` asks for the password. Blocking.

    Raises:
        CommandFailed: it failed, or there is no ``sudo``.
    """
    argv = command.argv if is_root() else command.with_sudo
    try:
        status = subprocess.run(argv, check=False).returncode
    except OSError as error:
        why = error.strerror or str(error)
        raise CommandFailed("command.not_run", program=argv[0], why=why) from None
    if status != 0:
        raise CommandFailed("command.root_failed", command=shlex.join(argv), status=status)


async def _head(stream: asyncio.StreamReader) -> str:
    """The first part of what a program writes; the rest is read and left out, so that it can go on."""
    parts, size = [], 0
    while piece := await stream.read(65_536):
        if size < _MOST_BYTES:
            parts.append(piece[: _MOST_BYTES - size])
        size += len(piece)
    return clean_lines(b"".join(parts).decode(errors="replace"), None)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill the program and what it has started, if it still runs."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        if os.name == "posix":
            os.killpg(process.pid, 9)
        else:
            process.kill()
    # One that waits for a broken device cannot be killed: nobody waits for it.
    with suppress(TimeoutError):
        async with asyncio.timeout(_KILLED_WITHIN_S):
            await process.wait()


@asynccontextmanager
async def output_of(*argv: str, environ: Mapping[str, str]) -> AsyncIterator[RunningCommand]:
    """A program whose output is read while it runs; it is ended when the block is left.

    What is not read makes the program wait. Raises as `run` when it cannot be run.
    """
    process = await _spawn(argv, environ)
    assert process.stdout is not None  # noqa: S101 (opened as pipes)
    assert process.stderr is not None  # noqa: S101
    errors = asyncio.create_task(_head(process.stderr))
    try:
        yield RunningCommand(process.stdout, errors)
    finally:
        await _end(process)
        errors.cancel()
        await asyncio.gather(errors, return_exceptions=True)


class RunningCommand:
    """A program that runs."""

    def __init__(self, output: asyncio.StreamReader, errors: asyncio.Task[str]) -> None:
        self._output = output
        self._errors = errors

    async def read(self, most: int) -> bytes:
        """The next bytes of its output, ``most`` of them; none once it has ended."""
        return await self._output.read(most)

    async def words(self) -> str:
        """What it said of an error, on one line; it has ended."""
        return excerpt(await self._errors)
