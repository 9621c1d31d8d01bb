"""The engine as a process of its own: start it, find it, stop it.

One engine runs per user: a lock keeps two dashboards that open at the same time from starting two.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from llmstack_tui.base.languages import tr
from llmstack_tui.base.paths import data_folder
from llmstack_tui.base.private_files import private_opener
from llmstack_tui.base.sentences import UserFacingError
from llmstack_tui.engine.process.requirements import missing_reason
from llmstack_tui.engine.process.state import EngineProcess, log_file, saved, status

if TYPE_CHECKING:
    import psutil

    from llmstack_tui.base.kinds import EngineLife

__all__ = ["EngineFailed", "EngineHandle", "EngineProcess", "missing_reason", "start", "status", "stop"]

START_SECONDS = 30.0
# "-m" imports from the current folder first, where any module could shadow one of ours.
_SAFE_FOLDER = Path(__file__).resolve().parents[3]


class EngineFailed(UserFacingError):
    """The engine could not be started or stopped; the text is a sentence with the cause and what to do."""


class EngineHandle:
    """A started engine. After `release`, an engine with an owner ends once nobody else uses it."""

    def __init__(self, process: EngineProcess, pipe: IO[bytes] | None = None) -> None:
        self.process = process
        self._pipe = pipe

    def release(self) -> None:
        """Give up ownership."""
        if self._pipe is not None:
            self._pipe.close()


async def start(
    *, life: EngineLife, port: int | None = None, host: str = "127.0.0.1", config: Path | None = None
) -> EngineHandle:
    """Start the engine, unless it runs already, and return when it is ready.

    Args:
        life: what ends it, beside `stop`. With "owner", this process owns the engine.
        port: by default Ollama's if no Ollama is installed, else the next free one.
        config: the settings file; by default the usual one.

    Raises:
        EngineFailed: with the cause.
    """
    if reason := missing_reason():
        raise EngineFailed(reason)
    from filelock import AsyncFileLock, Timeout  # noqa: PLC0415 (not needed to import this module)

    try:
        log_file().parent.mkdir(parents=True, exist_ok=True)
        async with AsyncFileLock(data_folder() / "engine.lock", timeout=2 * START_SECONDS):
            return await _start(server_arguments(port, host, life=life, config=config), owned=life == "owner")
    except Timeout:
        raise EngineFailed(tr("Another program has been starting the engine for a minute.")) from None
    except OSError as error:
        from llmstack_tui.base.system_errors import system_words  # noqa: PLC0415 (as above)

        raise EngineFailed(
            tr(
                "The engine's folder {folder} cannot be used: {why}.",
                folder=data_folder(),
                why=system_words(error.strerror or str(error)),
            )
        ) from error


async def stop(*, force: bool = False, timeout_s: float = START_SECONDS) -> bool:
    """Stop the engine: running requests get a time limit to finish, then the models are unloaded.

    Returns whether an engine was running. With ``force``, it is killed if it has not ended within
    ``timeout_s``.

    Raises:
        EngineFailed: it has not ended within ``timeout_s``, and ``force`` is not set.
    """
    import psutil  # noqa: PLC0415 (not needed to import this module)

    state = saved()
    if state is None:
        return False
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(state.pid)
        process.terminate()
        if await _ended(process, timeout_s):
            return True
        if not force:
            raise EngineFailed(
                tr(
                    "The engine (process {pid}) has not ended within {seconds:g} seconds: it is still "
                    "answering. End it at once with: llmstack engine stop --force",
                    pid=state.pid,
                    seconds=timeout_s,
                )
            )
        process.kill()
        await _ended(process, timeout_s)
    return True


async def _start(arguments: list[str], *, owned: bool) -> EngineHandle:
    found = await asyncio.to_thread(status)
    if found is not None:
        return EngineHandle(found)
    if (hung := saved()) is not None:
        raise EngineFailed(
            tr(
                "An engine runs (process {pid}) and does not answer at {url}. End it with: "
                "llmstack engine stop --force",
                pid=hung.pid,
                url=hung.url,
            )
        )
    process = _spawn(arguments, owned=owned)
    # Prevents a zombie: nothing else waits for the process, which may outlive this one.
    threading.Thread(target=process.wait, daemon=True, name="engine-reaper").start()
    try:
        await _ready(process)
        found = await asyncio.to_thread(status)
        if found is None:
            said = tr("The engine has started and does not answer. Its log is {log}", log=log_file())
            raise EngineFailed(said)
    except BaseException:
        process.kill()
        if process.stdin is not None:
            process.stdin.close()
        raise
    return EngineHandle(found, process.stdin)


def server_arguments(port: int | None, host: str, *, life: EngineLife, config: Path | None) -> list[str]:
    """The arguments of `engine.process.server` for this."""
    return [
        *("--host", host),
        *(() if port is None else ("--port", str(port))),
        *(("--owner", str(os.getpid())) if life == "owner" else ()),
        *(("--while-loaded",) if life == "loaded" else ()),
        *(() if config is None else ("--config", str(config.absolute()))),
    ]


def _spawn(arguments: list[str], *, owned: bool) -> subprocess.Popen[bytes]:
    detached = 0
    if sys.platform == "win32":
        detached = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
    with open(log_file(), "ab", opener=private_opener) as log:
        return subprocess.Popen(
            [sys.executable, "-m", "llmstack_tui.engine.process.server", *arguments],
            stdin=subprocess.PIPE if owned else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=_SAFE_FOLDER,
            start_new_session=True,
            creationflags=detached,
        )


async def _ready(process: subprocess.Popen[bytes]) -> None:
    """Wait for the engine's line, which has its address or its error."""
    assert process.stdout is not None  # noqa: S101 (it was opened as a pipe)
    reading = asyncio.ensure_future(asyncio.to_thread(process.stdout.readline))
    try:
        line = await asyncio.wait_for(asyncio.shield(reading), START_SECONDS)
    except TimeoutError:
        raise EngineFailed(
            tr(
                "The engine does not answer after {seconds:g} seconds. Its log is {log}",
                seconds=START_SECONDS,
                log=log_file(),
            )
        ) from None
    finally:
        if not reading.done():
            # Ends the read in the other thread, so that the pipe can be closed.
            process.kill()
            await reading
        process.stdout.close()
    report = (
        json.loads(line)
        if line
        else {"error": tr("The engine ended at its start. {words}", words=_last_words(log_file()))}
    )
    if "error" in report:
        raise EngineFailed(report["error"])


async def _ended(process: psutil.Process, timeout_s: float) -> bool:
    import psutil  # noqa: PLC0415

    deadline = time.monotonic() + timeout_s
    with suppress(psutil.NoSuchProcess):
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.05)
    return True


def _last_words(log: Path) -> str:
    lines: list[str] = []
    with suppress(OSError):
        lines = log.read_text(errors="replace").strip().splitlines()
    if not lines:
        return tr("Its log is {log}", log=log)
    return tr("Its log, {log}, ends with: {line}", log=log, line=lines[-1][:300])
