"""Ollama on this machine: where it is installed, and starting it."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from llmstack_tui.base.address import default_host
from llmstack_tui.base.environment_files import pairs
from llmstack_tui.base.paths import NoHome, config_file, is_file, logs_folder, ollama_folder
from llmstack_tui.base.private_files import private_opener
from llmstack_tui.base.process_records import record
from llmstack_tui.base.sentences import Failure, said
from llmstack_tui.hosts.errors import HostError, Unreachable
from llmstack_tui.hosts.transport import Timeouts
from llmstack_tui.ollama.client import OllamaHost
from llmstack_tui.ollama.processes import ollama_url

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_ASK_EVERY_S = 0.2
_MAX_LOG_BYTES = 10 * 2**20


class StartFailed(Failure):
    """Ollama could not be started."""


def find_ollama(environ: Mapping[str, str]) -> Path | None:
    """The ``ollama`` program: on the path, or where its installers put it."""
    found = shutil.which("ollama", path=environ.get("PATH", ""))
    if found is not None:
        return Path(found)
    return next((path for path in usual_places(environ) if is_file(path)), None)


async def start_ollama(
    binary: Path,
    url: str,
    *,
    wait_seconds: float = 30.0,
    on_progress: Callable[[float], None] = lambda _: None,
    environ: Mapping[str, str] | None = None,
) -> None:
    """Start ``ollama serve`` at ``url`` as a process of its own, and return when it answers.

    Ollama outlives this program, writes its output to `log_file`, and is recognized by `record_file` later.
    Cancelling this call ends it.

    Args:
        on_progress: called from time to time with the seconds that have passed.
        environ: Ollama's environment, by default our own.

    Raises:
        StartFailed: Ollama ended at once, or did not answer in time.
    """
    log = log_file()
    try:
        own = own_variables()
        # What the user has set for it counts more than where we would look for it.
        url = default_host(own) if own.get("OLLAMA_HOST") else url
        process = await asyncio.to_thread(_spawn, binary, url, {**(environ or os.environ), **own}, log)
    except OSError as error:
        raise StartFailed(
            "ollama.not_started", program=str(binary), why=error.strerror or str(error)
        ) from None
    # Prevents a zombie: nothing else waits for the process, which may outlive this one.
    threading.Thread(target=process.wait, daemon=True, name="ollama-reaper").start()
    try:
        await _wait_until_ready(process, url, log, wait_seconds, on_progress)
    except BaseException:
        process.terminate()
        raise
    await asyncio.to_thread(record, record_file(), process.pid)


def log_file() -> Path:
    """Where an Ollama that llmstack has started writes its output."""
    return logs_folder() / "ollama.log"


def record_file() -> Path:
    """Which process that is; see `base.process_records`."""
    return logs_folder() / "ollama.process"


async def _wait_until_ready(
    process: subprocess.Popen[bytes],
    url: str,
    log: Path,
    wait_seconds: float,
    on_progress: Callable[[float], None],
) -> None:
    host = OllamaHost(url, timeouts=Timeouts(connect_s=1.0, short_s=1.0))
    started_at = time.monotonic()
    try:
        while True:
            if process.returncode is not None:
                words = _last_words(log)
                kind = "ollama.ended" if words else "ollama.ended_silently"
                raise StartFailed(kind, words=words, log=str(log))
            try:
                await host.version()
            except Unreachable:
                passed = time.monotonic() - started_at
            else:
                return
            if passed > wait_seconds:
                raise StartFailed("ollama.silent", url=url, waited_s=wait_seconds, log=str(log))
            on_progress(passed)
            await asyncio.sleep(_ASK_EVERY_S)
    except HostError as error:
        raise StartFailed("ollama.something_else", url=url, why=said(error)) from None
    finally:
        await host.aclose()


def _spawn(binary: Path, url: str, environ: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    log.parent.mkdir(parents=True, exist_ok=True)
    mode = "wb" if log.exists() and log.stat().st_size > _MAX_LOG_BYTES else "ab"
    detached = 0
    if sys.platform == "win32":
        detached = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
    with open(log, mode, opener=private_opener) as output:
        return subprocess.Popen(
            [binary, "serve"],
            env={**_without_keys(environ), **_address(url, environ)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=log.parent,
            start_new_session=True,
            creationflags=detached,
        )


def own_variables_file() -> Path:
    """What the user has set for an Ollama that llmstack starts: ``NAME="value"`` on each line."""
    return config_file().with_name("ollama.env")


def own_variables() -> dict[str, str]:
    """What is in `own_variables_file`; nothing if it is not there."""
    try:
        return dict(pairs(own_variables_file().read_text(errors="replace")))
    except (OSError, NoHome):
        return {}


def _address(url: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Where it is to listen; nothing if the environment says that already, maybe for other machines, too."""
    return {} if ollama_url(environ) == url else {"OLLAMA_HOST": urlsplit(url).netloc}


def _without_keys(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without our own secrets, such as our engine's key: they are nothing to Ollama."""
    from llmstack_tui.config.table import table  # noqa: PLC0415 (only who starts Ollama needs it)

    secrets = {setting.variable for setting in table() if setting.kind.is_secret}
    return {name: value for name, value in environ.items() if name not in secrets}


def _last_words(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
    return lines[-1] if lines else ""


def usual_places(environ: Mapping[str, str]) -> list[Path]:
    if sys.platform == "win32":
        return [Path(environ.get("LOCALAPPDATA", "")) / "Programs" / "Ollama" / "ollama.exe"]
    if sys.platform == "darwin":
        return [
            Path("/Applications/Ollama.app/Contents/Resources/ollama"),
            Path("/opt/homebrew/bin/ollama"),
            Path("/usr/local/bin/ollama"),
        ]
    return [*_own_place(), Path("/usr/local/bin/ollama"), Path("/usr/bin/ollama")]


def _own_place() -> list[Path]:
    """The version in use of those that llmstack has installed."""
    try:
        return [ollama_folder() / "current/bin/ollama"]
    except NoHome:
        return []
