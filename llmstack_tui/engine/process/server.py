"""The engine's process, ``python -m llmstack_tui.engine.process.server``, started by `control`.

It says on its standard output, in one line of JSON, where it answers ({"url"}) or why it does not
({"error"}), and logs to a file. With ``--owner`` it ends once its standard input has ended and nobody uses
it any more.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import threading
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from llmstack_tui import __version__
from llmstack_tui.base.address import DEFAULT_PORT
from llmstack_tui.config.engine import EngineOptions
from llmstack_tui.config.loading import load_settings
from llmstack_tui.engine.api import access
from llmstack_tui.engine.api.app import create_app
from llmstack_tui.engine.process import graphics, listener, state
from llmstack_tui.engine.process.usage import Usage
from llmstack_tui.engine.service import Engine
from llmstack_tui.ollama.local import find_ollama

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

_LOG_BYTES = 1_000_000
_PORTS_TRIED = 100

log = logging.getLogger(__name__)


class EngineServer(listener.Server):
    """Tells its starter that it answers, and ends once its owner has gone and nobody uses it."""

    def __init__(self, usage: Usage, url: str, owner_left: threading.Event) -> None:
        super().__init__(usage)
        self._usage = usage
        self._url = url
        self._owner_left = owner_left

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            state.save(self._url, __version__)
            log.info("The engine %s answers at %s", __version__, self._url)
            _report({"url": self._url})

    async def on_tick(self, counter: int) -> bool:
        ends = await super().on_tick(counter)
        return ends or (self._owner_left.is_set() and self._usage.unused())


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        _log_to(state.log_file())
        loaded = load_settings(options.config, os.environ)
        for problem in loaded.problems:
            log.warning("%s", problem)
        settings = loaded.settings.engine
        port = settings.port if options.port is None else options.port
        if port is None:
            first = DEFAULT_PORT + 1 if find_ollama(os.environ) else DEFAULT_PORT
            bound = listener.listen(options.host, first, tries=_PORTS_TRIED)
        else:
            bound = listener.listen(options.host, port)
        engine = Engine.of_this_machine(EngineOptions.read(settings, os.environ), os.environ)
    except (listener.CannotListen, OSError) as error:
        _report({"error": str(error)})
        return 1
    notice = graphics.idle_card_notice()
    if notice:
        log.warning("%s", notice)
    app = create_app(engine, access.rules(os.environ, bound.getsockname()[0]), notice=notice)
    server = EngineServer(Usage(app, options.owner), listener.base_url(bound), _owner_left(options.owner))
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
    parser.add_argument("--config", type=Path, help="file of settings")
    return parser


def _log_to(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(file, maxBytes=_LOG_BYTES, backupCount=1, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


def _report(said: dict[str, str]) -> None:
    """Tell the starter, which then closes its end."""
    try:
        sys.stdout.buffer.write(msgspec.json.encode(said) + b"\n")
        sys.stdout.flush()
    except BrokenPipeError:
        log.warning("Nobody waits for this engine any more")
    # What is written there later must not fail.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _owner_left(owner: int | None) -> threading.Event:
    """Set when standard input ends, which is when the owner has let go or has died."""
    left = threading.Event()

    def wait() -> None:
        # The plain call: a reader of Python's own would hold a lock when the interpreter ends.
        while os.read(0, 1):
            pass
        left.set()

    if owner is not None:
        threading.Thread(target=wait, daemon=True, name="owner").start()
    return left


if __name__ == "__main__":
    sys.exit(main())
