"""A model's process, seen from its parent: start it, wait until it is ready, learn how it ended, end it."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import sys
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, cast

import msgspec

from llmstack_tui.engine.errors import LoadFailed
from llmstack_tui.engine.runners.endings import ending, load_failure, without_text
from llmstack_tui.engine.runners.messages import ReadyMessage, StartMessage

if TYPE_CHECKING:
    from asyncio import Future, SubprocessTransport, WriteTransport

log = logging.getLogger(__name__)

_KEPT_LINES = 50
_LINE_LENGTH = 1000
# How long to wait after each way to end a process: closing its input, SIGTERM, SIGKILL.
_GRACE_SECONDS = (2.0, 1.0, 5.0)
_STDIN, _STDOUT, _STDERR = 0, 1, 2
_ROOT = Path(__file__).resolve().parents[3]
# glibc gives each thread a heap of its own and returns little of it to the system. llama.cpp copies a long
# request several times in its HTTP thread: each thread would grow by 3 MB in turn (measured at 15k tokens).
_HEAPS = "1"

# The variables that a model's process gets: of the system, the interpreter, llama.cpp, what computes, and the
# drivers of cards. No keys and tokens of other programs.
_NEEDED = re.compile(
    r"(PATH|HOME|USER|LOGNAME|LANG|TZ|TMPDIR|TEMP|TMP|LD_LIBRARY_PATH|VIRTUAL_ENV|XDG_DATA_DIRS|XDG_RUNTIME_DIR)$"
    r"|(LC|PYTHON|DYLD|MALLOC|GLIBC)"
    r"|(GGML|LLAMA|OMP|GOMP|KMP|MKL|OPENBLAS|BLIS|CUDA|CUBLAS|NVIDIA|NV|HIP|ROCR|ROCM|HSA|AMD|GPU|SYCL|ONEAPI|ZE)_"
    r"|(ROCBLAS|HIPBLASLT|MUSA|VK|MESA|RADV|ANV|INTEL|LIBGL|DRI|__NV|__GL|MTL|METAL|DXG|WSL)_"
    r"|(SYSTEMROOT|SYSTEMDRIVE|WINDIR|COMSPEC|PATHEXT|USERPROFILE|APPDATA|LOCALAPPDATA|PROGRAMDATA|NUMBER_OF_)",
    re.IGNORECASE,
)
_SECRET = re.compile("KEY|TOKEN|SECRET|PASSW|CREDENTIAL", re.IGNORECASE)


class ChildProcess(asyncio.SubprocessProtocol):
    """One process. It is over when it has ended and all its output has been read."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self._ready: Future[ReadyMessage] = loop.create_future()
        self._over: Future[None] = loop.create_future()
        self._stdout = b""
        self._stderr = b""
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._transport: SubprocessTransport
        self._stop_requested = False
        self.pid = 0

    @classmethod
    async def spawn(cls, message: StartMessage) -> ChildProcess:
        """Start the process and send it its message.

        Raises:
            LoadFailed: the operating system does not start another process.
        """
        loop = asyncio.get_running_loop()
        command = (sys.executable, "-P", "-m", "llmstack_tui.engine.runners.child")
        try:
            _, child = await loop.subprocess_exec(
                cls, *command, cwd=_ROOT.anchor, env=_environment(), start_new_session=True
            )
        except OSError as error:
            raise LoadFailed(f"its process cannot be started ({error.strerror or error})") from error
        child.write(msgspec.json.encode(message) + b"\n")
        return child

    def write(self, line: bytes) -> None:
        self._stdin.write(line)

    @property
    def is_over(self) -> bool:
        return self._over.done()

    async def ready(self) -> ReadyMessage:
        """Wait until the model is loaded.

        Raises:
            LoadFailed: the process ended instead; with the cause.
        """
        await asyncio.wait((self._ready, self._over), return_when=asyncio.FIRST_COMPLETED)
        if self._ready.done():
            return self._ready.result()
        raise (
            LoadFailed("it was stopped")
            if self._stop_requested
            else load_failure(self._status, list(self._lines))
        )

    async def over(self) -> str:
        """Wait until it is over, and return how it ended: "was stopped", "was killed (SIGKILL), …"."""
        await asyncio.shield(self._over)
        return "was stopped" if self._stop_requested else ending(self._status, list(self._lines))

    async def end(self) -> None:
        """End it in the gentlest way that works. If this is cancelled, it is killed."""
        self._stop_requested = True
        try:
            self._stdin.close()
            await self._over_within(_GRACE_SECONDS[0])
            self._signal("terminate")
            await self._over_within(_GRACE_SECONDS[1])
        finally:
            self.kill()
        # A process that is stuck in the kernel (a dead disk, say) cannot be killed: do not wait for ever.
        await self._over_within(_GRACE_SECONDS[2])
        if not self.is_over:
            log.error("Process %d of a model does not end, not even when killed.", self.pid)

    def kill(self) -> None:
        """End it at once."""
        self._stop_requested = True
        self._signal("kill")

    def _signal(self, name: str) -> None:
        if self.is_over:
            return
        with suppress(ProcessLookupError):
            getattr(self._transport, name)()

    async def _over_within(self, seconds: float) -> None:
        await asyncio.wait((self._over,), timeout=seconds)

    @property
    def _stdin(self) -> WriteTransport:
        return cast("WriteTransport", self._transport.get_pipe_transport(_STDIN))

    @property
    def _status(self) -> int:
        return self._transport.get_returncode() or 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("SubprocessTransport", transport)
        self.pid = self._transport.get_pid()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if fd == _STDERR:
            *lines, self._stderr = (self._stderr + data).split(b"\n")
            # An endless line must not fill the memory.
            self._stderr = self._stderr[-_LINE_LENGTH:]
            for line in lines:
                self._keep(line)
        elif not self._ready.done():
            self._stdout += data
            if b"\n" in self._stdout:
                self._ready.set_result(msgspec.json.decode(self._stdout, type=ReadyMessage))

    def _keep(self, line: bytes) -> None:
        text = line[:_LINE_LENGTH].decode(errors="replace").rstrip()
        if self._ready.done():
            text = without_text(text)
        if text:
            self._lines.append(text)
            log.info("model process %d: %s", self.pid, text)

    def process_exited(self) -> None:
        self._stdin.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._keep(self._stderr)
        self._transport.close()
        self._over.set_result(None)


def _environment() -> dict[str, str]:
    """What a model's process needs. With "-P", the folder of this package has to be in PYTHONPATH."""
    needed = {
        name: value for name, value in os.environ.items() if _NEEDED.match(name) and not _SECRET.search(name)
    }
    environment = {"MALLOC_ARENA_MAX": _HEAPS, **needed}
    if _ROOT.name not in ("site-packages", "dist-packages"):
        others = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = os.pathsep.join([str(_ROOT), *([others] if others else [])])
    return environment
