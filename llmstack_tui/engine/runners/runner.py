"""A loaded model: its process and the requests to it."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from contextlib import aclosing, asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import psutil
from msgspec import Struct

from llmstack_tui.engine.errors import LoadFailed, RunnerDied, UpstreamError
from llmstack_tui.engine.runners.messages import RunnerConfig, StartMessage
from llmstack_tui.engine.runners.spawn import ChildProcess
from llmstack_tui.engine.runners.upstream import Disconnected, Upstream

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping
    from datetime import datetime
    from pathlib import Path


# llama.cpp answers these at any time; all others need one of the model's ``parallel`` contexts.
_UNCOUNTED = frozenset({"/apply-template", "/detokenize", "/health", "/props", "/slots", "/tokenize"})
# How long to wait, after a connection broke, until the process is known to have ended.
_DEATH_SECONDS = 2.0
# The shortest limit of a Unix socket's path is macOS's: 104 bytes with the zero at the end.
_SOCKET_PATH = 103


class LastAnswer(Struct, frozen=True):
    """How fast an answer was: tokens decoded per second, and seconds from the request to the first token."""

    at: datetime
    tokens_per_second: float
    first_token_s: float


class Runner:
    """A loaded model, made by `start`. After `stop`, requests raise `RunnerDied`.

    Attributes:
        answer: the last completion that it wrote to its end; None before the first.
        beginning: the text of the token that llama.cpp puts before a prompt; None until it was asked.
    """

    def __init__(
        self, config: RunnerConfig, child: ChildProcess, upstream: Upstream, socket: Path | None
    ) -> None:
        self.config = config
        self.pid = child.pid
        self.answer: LastAnswer | None = None
        self.beginning: str | None = None
        self._child = child
        self._upstream = upstream
        self._socket = socket
        # A request that waits here can be cancelled at once; within llama.cpp it would hold a thread.
        self._turns = asyncio.Semaphore(config.parallel)

    @classmethod
    async def start(cls, config: RunnerConfig, *, folder: Path | None, confine: bool = True) -> Runner:
        """Load a model. If this is cancelled, the process is killed.

        ``folder`` is a private folder for the Unix socket. Without one, and on Windows, the process listens
        on a port of the loopback address, for requests with its key. ``confine``: see `confinement`.

        Raises:
            LoadFailed: with the cause.
        """
        socket = None if folder is None or sys.platform == "win32" else _new_socket(folder)
        key = secrets.token_urlsafe(32)
        message = StartMessage(
            config=config,
            socket=None if socket is None else str(socket),
            key=key,
            parent=os.getpid(),
            confine=confine,
        )
        child = await ChildProcess.spawn(message)
        try:
            ready = await child.ready()
            runner = cls(config, child, Upstream(ready.address, key), socket)
            if not config.embedding:
                await runner._warm_up()
            return runner
        except BaseException:
            child.kill()
            await child.end()
            _remove(socket)
            raise

    async def _warm_up(self) -> None:
        """Have the model write a token: its weights are in memory then, and it shows whether they are sound.

        Raises:
            LoadFailed: the process ended, or it computes no numbers, of which llama.cpp would make control
                characters without end.
        """
        asked = {"prompt": [0], "n_predict": 1, "n_probs": 1, "cache_prompt": False}
        try:
            answer = await self.call("/completion", asked)
        except RunnerDied:
            raise LoadFailed(f"its process {await self.wait_exit()}") from None
        # JSON has null for what is no number.
        if any(each["logprob"] is None for each in answer.get("completion_probabilities", ())):
            raise LoadFailed("what its weights give is no number (NaN): get another file", status=400)

    async def stop(self) -> None:
        """End the process, also during requests. Calling it again is harmless."""
        try:
            await self._child.end()
        finally:
            _remove(self._socket)

    async def wait_exit(self) -> str:
        """Wait until the process has ended, and return how: "was killed (SIGKILL), …", "was stopped"."""
        return await self._child.over()

    def memory_bytes(self) -> int:
        """The resident memory of the process, including the mapped part of the model's file."""
        try:
            return psutil.Process(self.pid).memory_info().rss
        except psutil.Error:
            return 0

    async def call(self, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        """A request with a JSON answer; without a body it is a GET.

        Raises:
            UpstreamError: llama.cpp refused the request.
            RunnerDied: the process has ended; with the cause.
        """
        async with self._turn(path):
            return await self._upstream.call(path, body)

    async def stream(self, path: str, body: Mapping[str, object]) -> AsyncGenerator[bytes, None]:
        """The JSON of each event of a completion, those for the progress of prefill included.

        Closing the generator, or cancelling the task that reads it, ends the work in the process.

        Raises:
            UpstreamError: llama.cpp refused the request, or failed in the middle of it.
            RunnerDied: the process has ended; with the cause.
        """
        # llama.cpp notices that a client has disconnected only when it sends an event: have it send progress.
        body = {**body, "stream": True, "return_progress": True}
        async with self._turn(path), aclosing(self._upstream.stream(path, body)) as events:
            async for event in events:
                yield event

    @asynccontextmanager
    async def _turn(self, path: str) -> AsyncIterator[None]:
        async with nullcontext() if path in _UNCOUNTED else self._turns:
            if self._child.is_over:
                raise RunnerDied(await self._child.over())
            try:
                yield
            except Disconnected as error:
                raise await self._broken() from error

    async def _broken(self) -> RunnerDied | UpstreamError:
        try:
            return RunnerDied(await asyncio.wait_for(self._child.over(), _DEATH_SECONDS))
        except TimeoutError:
            return UpstreamError("The model's process closed the connection in the middle of an answer.")


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
