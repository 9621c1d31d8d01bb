"""The record of the running engine: ``engine.json`` in the data folder, written when the engine is ready.

A killed engine leaves the file behind: it is valid only if the process with the recorded id is still the
same one.
"""

from __future__ import annotations

import http.client
import os
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from llmstack_tui.base.paths import data_folder, logs_folder
from llmstack_tui.base.process_records import identity_of

if TYPE_CHECKING:
    from pathlib import Path

_ANSWER_SECONDS = 2.0
_CREATED_TOLERANCE_S = 2.0


class EngineProcess(msgspec.Struct, frozen=True, kw_only=True):
    """A running engine: the content of ``engine.json``.

    Attributes:
        created_s: when the process was created, in Unix seconds.
        url: where a client on this machine finds it.
        listening: the address and the port that it is bound to.
        notice: a sentence for its user, about a graphics card that it cannot use.
        identity: see `base.process_records`.
    """

    pid: int
    created_s: float
    url: str
    version: str
    log: str
    listening: str | None = None
    notice: str | None = None
    identity: str = ""

    @property
    def started_at(self) -> datetime:
        return datetime.fromtimestamp(self.created_s, UTC)


def state_file() -> Path:
    return data_folder() / "engine.json"


def log_file() -> Path:
    return logs_folder() / "engine.log"


def save(url: str, version: str, *, listening: str, notice: str | None = None) -> None:
    """Write the state of this process, atomically."""
    import psutil  # noqa: PLC0415 (not needed to import this module)

    state = EngineProcess(
        pid=os.getpid(),
        created_s=psutil.Process().create_time(),
        url=url,
        version=version,
        log=str(log_file()),
        listening=listening,
        notice=notice,
        identity=identity_of(os.getpid()),
    )
    unfinished = state_file().with_suffix(f".{os.getpid()}.part")
    unfinished.touch(mode=0o600)
    unfinished.write_bytes(msgspec.json.encode(state))
    unfinished.replace(state_file())


def forget() -> None:
    """Remove the file, if this process wrote it."""
    with suppress(OSError, msgspec.MsgspecError):
        if _read().pid == os.getpid():
            state_file().unlink()


def saved() -> EngineProcess | None:
    """The saved state, if the process that wrote it still runs, whether it answers or not."""
    import psutil  # noqa: PLC0415

    try:
        state = _read()
        identity = identity_of(state.pid)
        if state.identity or not identity:
            return state if identity and identity == state.identity else None
        # Written by a version that kept no more than the time, which moves with the system's clock.
        same = abs(psutil.Process(state.pid).create_time() - state.created_s) < _CREATED_TOLERANCE_S
    except (OSError, msgspec.MsgspecError, psutil.Error):
        return None
    return state if same else None


def status() -> EngineProcess | None:
    """The engine, if it runs and answers. Blocks for up to two seconds if it does not answer."""
    state = saved()
    return state if state is not None and _answers(state.url) else None


def _read() -> EngineProcess:
    return msgspec.json.decode(state_file().read_bytes(), type=EngineProcess)


def _answers(url: str) -> bool:
    """Whether the process answers, even if it asks for its key."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=_ANSWER_SECONDS)
    try:
        connection.request("GET", "/api/version", headers={"User-Agent": f"llmstack pid/{os.getpid()}"})
        return connection.getresponse().status in (200, 401)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
