"""The engine's process, ``python -m llmstack_tui.engine.process.server``, started by `control`.

It writes one line of JSON to standard output, its address ({"url"}) or why it cannot start ({"error"}), and
logs to a file. With ``--owner`` it ends once its standard input is closed and nobody uses it any more, with
``--while-loaded`` once its last model has left.
"""

from __future__ import annotations

import argparse
import logging
import os
import re
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from llmstack_tui import __version__
from llmstack_tui.base.address import DEFAULT_PORT
from llmstack_tui.config.engine import EngineOptions
from llmstack_tui.config.key import KeyFailed, engine_key_of
from llmstack_tui.config.loading import load_settings
from llmstack_tui.engine.api import access
from llmstack_tui.engine.api.app import create_app
from llmstack_tui.engine.errors import text, words
from llmstack_tui.engine.process import listener, state
from llmstack_tui.engine.process.log import log_to
from llmstack_tui.engine.process.requirements import idle_card_notice
from llmstack_tui.engine.service import Engine
from llmstack_tui.ollama.local import find_ollama

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence

    from starlette.types import ASGIApp, Receive, Scope, Send

_PORTS_TRIED = 100
# When its owner has gone, the engine stays for this long after the last request of another client:
OTHER_CLIENT_SECONDS = 10.0  # a second dashboard sends requests all the time
MODEL_USE_SECONDS = 60.0  # whoever asked a model may still be reading its answer
_MODEL_PATHS = ("/api/generate", "/api/chat", "/api/embed", "/v1/chat", "/v1/completions", "/v1/embeddings")

log = logging.getLogger(__name__)


class UsageTracker:
    """ASGI middleware that records who uses the engine, so that an engine with an owner ends when unused.

    The owner's own requests have "pid/<owner>" in their User-Agent; they do not keep the engine running.

    Args:
        awaited: who started it is about to use it.
        has_models: whether a model is loaded: only then somebody may still read its answer.
    """

    def __init__(
        self,
        app: ASGIApp,
        owner: int | None,
        clock: Callable[[], float] = time.monotonic,
        *,
        awaited: bool = False,
        has_models: Callable[[], bool] = lambda: True,
    ) -> None:
        self._app = app
        self._clock = clock
        self._owner = None if owner is None else re.compile(rf"\bpid/{owner}\b")
        self._has_models = has_models
        self._in_flight = 0
        self._other_at = clock() if awaited else None
        self._model_at: float | None = None

    def unused(self) -> bool:
        """Whether nothing is in flight and no other client has sent a request lately."""
        now = self._clock()
        is_read = (
            self._model_at is not None and now - self._model_at < MODEL_USE_SECONDS and self._has_models()
        )
        return (
            self._in_flight == 0
            and not is_read
            and (self._other_at is None or now - self._other_at >= OTHER_CLIENT_SECONDS)
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self._in_flight += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._in_flight -= 1
            if not self._is_from_owner(scope):
                self._other_at = self._clock()
                if scope["path"].startswith(_MODEL_PATHS):
                    self._model_at = self._other_at

    def _is_from_owner(self, scope: Scope) -> bool:
        if self._owner is None:
            return False
        agents = [value.decode("latin-1") for name, value in scope["headers"] if name == b"user-agent"]
        return any(self._owner.search(agent) for agent in agents)


class EngineServer(listener.Server):
    """Reports its URL when it is ready, and ends once it ``may_end`` and nobody uses it."""

    def __init__(
        self, usage: UsageTracker, bound: socket.socket, may_end: Callable[[], bool], notice: str | None
    ) -> None:
        super().__init__(usage)
        self._usage = usage
        self._url = listener.base_url(bound)
        self._listening = listener.bound_address(bound)
        self._notice = notice
        self._may_end = may_end
        self._stays = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            try:
                state.save(self._url, __version__, listening=self._listening, notice=self._notice)
            except OSError as error:  # Nobody could find the engine.
                folder, why = state.state_file().parent, error.strerror or error
                _report({"error": f"The engine's folder {folder} cannot be used: {why}."})
                self.should_exit = True
                return
            log.info(
                "The engine %s answers at %s (it listens on %s)", __version__, self._url, self._listening
            )
            _report({"url": self._url})

    async def on_tick(self, counter: int) -> bool:
        ends = await super().on_tick(counter)
        if not self._may_end():
            return ends
        used = not self._usage.unused()
        if used and not self._stays:
            log.info("The engine is no longer needed; it stays while others use it")
        self._stays = used
        return ends or not used


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        log_to(state.log_file())
        loaded = load_settings(options.config, os.environ)
        for problem in loaded.problems:
            log.warning("%s", text(problem))
        settings = loaded.settings.engine
        key = engine_key_of(loaded)
        port, tries = settings.port if options.port is None else options.port, 1
        if port is None:
            port, tries = DEFAULT_PORT + 1 if find_ollama(os.environ) else DEFAULT_PORT, _PORTS_TRIED
        bound = listener.listen(options.host, port, tries=tries, has_key=key is not None)
        own = EngineOptions.read(settings, os.environ, pull_limit=loaded.settings.updates.limit)
        engine = Engine.of_this_machine(own, os.environ)
    except (listener.CannotListen, KeyFailed, OSError) as error:
        _report({"error": words(error)})
        return 1
    notice = idle_card_notice()
    if notice:
        log.warning("%s", notice)
    app = create_app(engine, access.rules(os.environ, bound.getsockname()[0], key))
    left = _owner_left(options.owner)
    may_end = (lambda: not engine.running()) if options.while_loaded else left.is_set
    usage = UsageTracker(
        app, options.owner, awaited=options.while_loaded, has_models=lambda: bool(engine.running())
    )
    server = EngineServer(usage, bound, may_end, notice)
    try:
        server.run([bound])
    except Exception:
        log.exception("The engine failed")
        raise
    finally:
        state.forget()
    log.info("The engine has ended")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m llmstack_tui.engine.process.server", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, help="port to listen on; left out, a free one is chosen")
    parser.add_argument(
        "--owner", type=int, metavar="PID", help="end after this process, whose pipe is stdin"
    )
    parser.add_argument("--while-loaded", action="store_true", help="end when no model is loaded any more")
    parser.add_argument("--config", type=Path, help="file of settings")
    return parser


def _report(line: dict[str, str]) -> None:
    """Write the line that the starter waits for."""
    try:
        sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
        sys.stdout.flush()
    except BrokenPipeError:
        log.warning("The starter of this engine has gone")
    # The starter closes its end now; writing there later must not fail.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _owner_left(owner: int | None) -> threading.Event:
    """Set when standard input is closed: the owner has released the engine or has died."""
    left = threading.Event()

    def wait() -> None:
        # Not `sys.stdin`: its lock would block the end of the interpreter.
        while os.read(0, 1):
            pass
        left.set()

    if owner is not None:
        threading.Thread(target=wait, daemon=True, name="owner").start()
    return left


if __name__ == "__main__":
    sys.exit(main())
