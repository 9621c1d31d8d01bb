"""A loaded model: its process, and the requests to it."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from contextlib import aclosing, asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import psutil

from llmstack_tui.engine.errors import LoadFailed, RunnerDied, UpstreamError
from llmstack_tui.engine.runners.messages import Order, RunnerConfig
from llmstack_tui.engine.runners.spawn import ChildProcess

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping
    from pathlib import Path

    from llmstack_tui.engine.runners.upstream import Upstream

__all__ = ["LoadFailed", "Runner", "RunnerConfig", "RunnerDied", "UpstreamError"]

# These are answered beside the work; all others need a part of the model to themselves.
_UNCOUNTED = frozenset({"/apply-template", "/detokenize", "/health", "/props", "/slots", "/tokenize"})
# How long the end of a process may take to be known after its connection broke.
_DEATH_SECONDS = 2.0
# The shortest limit of a Unix socket's path is macOS's: 104 bytes with the zero at the end.
_SOCKET_PATH = 103


class Runner:
    """A model that is ready. `start` makes one, `stop` ends it; a request after that raises `RunnerDied`."""

    def __init__(
        self, config: RunnerConfig, child: ChildProcess, upstream: Upstream, socket: Path | None
    ) -> None:
        self.config = config
        self.pid = child.pid
        self._child = child
        self._upstream = upstream
        self._socket = socket
        # Who waits here can leave at once. Inside llama.cpp each of them would hold a thread.
        self._turns = asyncio.Semaphore(config.parallel)

    @classmethod
    async def start(cls, config: RunnerConfig, *, folder: Path | None) -> Runner:
        """Load a model. Cancelling this ends its process at once.

        ``folder`` is for the model's socket, and nobody else should enter it. Without one, and on Windows,
        the model answers on a port of the loopback address, to those who have its key.

        Raises:
            LoadFailed: with the cause.
        """
        socket = None if folder is None or sys.platform == "win32" else _new_socket(folder)
        key = secrets.token_urlsafe(32)
        order = Order(
            config=config, socket=None if socket is None else str(socket), key=key, parent=os.getpid()
        )
        child = await ChildProcess.spawn(order)
        try:
            # Not before the model loads: this import takes as long as a small one.
            from llmstack_tui.engine.runners.upstream import Upstream  # noqa: PLC0415

            ready = await child.ready()
            return cls(config, child, Upstream(ready.address, key), socket)
        except BaseException:
            child.kill()
            await child.end()
            _remove(socket)
            raise

    async def stop(self) -> None:
        """End the process; requests under way are cut. Calling it again is harmless."""
        try:
            await self._child.end()
        finally:
            _remove(self._socket)
            await self._upstream.close()

    async def wait_exit(self) -> str:
        """Wait until the process has ended, and say how: "was killed (SIGKILL), …", "was stopped"."""
        return await self._child.over()

    def memory_bytes(self) -> int:
        """What the process occupies in main memory now, with what it has read of the model's file."""
        try:
            return psutil.Process(self.pid).memory_info().rss
        except psutil.Error:
            return 0

    async def call(self, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        """A request with one JSON answer; without a body it is a GET.

        Raises:
            UpstreamError: llama.cpp refused it.
            RunnerDied: the process ended; with the cause.
        """
        async with self._turn(path):
            return await self._upstream.call(path, body)

    async def stream(self, path: str, body: Mapping[str, object]) -> AsyncGenerator[bytes, None]:
        """A completion: the JSON of each event, the prompt's progress included; ``body`` need not ask for it.

        Closing the generator, or cancelling what waits for it, ends the work.

        Raises:
            UpstreamError: llama.cpp refused it, or failed on the way.
            RunnerDied: the process ended; with the cause.
        """
        # Without events to send, llama.cpp does not notice that a client has left.
        body = {**body, "stream": True, "return_progress": True}
        async with self._turn(path), aclosing(self._upstream.stream(path, body)) as events:
            async for event in events:
                yield event

    @asynccontextmanager
    async def _turn(self, path: str) -> AsyncIterator[None]:
        from llmstack_tui.engine.runners.upstream import Disconnected  # noqa: PLC0415

        async with nullcontext() if path in _UNCOUNTED else self._turns:
            if self._child.is_over:
                raise RunnerDied(await self._child.over())
            try:
                yield
            except Disconnected as error:
                raise await self._broken(str(error)) from error

    async def _broken(self, detail: str) -> RunnerDied | UpstreamError:
        try:
            return RunnerDied(await asyncio.wait_for(self._child.over(), _DEATH_SECONDS))
        except TimeoutError:
            return UpstreamError(
                "The model's process closed the connection in the middle of an answer.",
                status=500,
                kind="server_error",
                fields={"detail": detail},
            )


def _new_socket(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    socket = folder.resolve() / f"{secrets.token_hex(6)}.sock"
    if len(os.fsencode(socket)) > _SOCKET_PATH:
        raise LoadFailed(
            f"the path of its socket is too long ({socket}): set TMPDIR to a folder with a short name"
        )
    return socket


def _remove(socket: Path | None) -> None:
    if socket is not None:
        socket.unlink(missing_ok=True)
