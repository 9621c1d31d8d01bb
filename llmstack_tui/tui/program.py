"""The dashboard as a program: checks the terminal, runs the app, and cleans up after it."""

from __future__ import annotations

import asyncio
import gc
import io
import os
import signal
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from llmstack_tui.base.languages import tr
from llmstack_tui.tui.draw.marks import speaks_unicode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from typing import IO

    from llmstack_tui.config.settings import LoadedSettings, Settings
    from llmstack_tui.tui.app import Dashboard


def run_dashboard(
    settings: Settings,
    environ: Mapping[str, str] | None = None,
    *,
    config: Path | None = None,
    loaded: LoadedSettings | None = None,
) -> int:
    """Show the dashboard until the user leaves it.

    Args:
        config: the settings file, which the engine reads, too; None is the usual one.
        loaded: the file's settings, without the command line; None reads them once the first list is shown.

    Returns:
        the exit status: 1 if it could not be shown or failed, 128 + the number of the signal that ended it.
    """
    environ = os.environ if environ is None else environ
    if reason := unusable(environ, (sys.stdin, sys.stdout, sys.stderr)):
        sys.stderr.write(reason + "\n")
        return 1
    gc.disable()
    from rich.console import Console

    from llmstack_tui.core.open import Core
    from llmstack_tui.tui.app import Dashboard
    from llmstack_tui.tui.features import key_faults

    unicode = speaks_unicode(environ, getattr(sys.__stderr__, "encoding", None))
    core = Core(settings, environ, config, key_faults)
    app = Dashboard(settings, core, unicode=unicode, loaded=loaded, painted=painted)
    # Textual prints its traceback, with the values of local variables, on the terminal; it belongs in a file
    # that only the user can read.
    report = io.StringIO()
    app.error_console = Console(file=report, width=110, markup=False, highlight=False)

    async def shown() -> None:
        await run(app)
        # The terminal is as it was. What is left may wait for a thread, and that for a disk or an address.
        if report.getvalue():
            sys.stderr.write(_save_report(report.getvalue()))
        sys.stdout.write(app.farewell)
        sys.stdout.flush()
        last = threading.Timer(_LAST_S, os._exit, [app.return_code or 0])
        last.daemon = True
        last.start()

    asyncio.run(shown())
    return app.return_code or 0


# How long the loop and its threads have to end, once nothing is shown any more.
_LAST_S = 1.0


async def run(app: Dashboard) -> None:
    loop = asyncio.get_running_loop()
    on_signals(loop, app.end)
    for seconds in _SETTLED_AFTER_S:
        loop.call_later(seconds, _collect_garbage, _USUAL)
    with TerminalWatch(lambda: loop.call_soon_threadsafe(app.end, LOST)):
        await app.run_async()


# Objects made at the start live on. Searching them for garbage takes a third of the time to the first paint,
# and one full search later blocks the keys for 80 ms. For each line it draws, Textual leaves a kilobyte in
# reference cycles at the next paint: these must be collected while they are young.
_USUAL = (700, 10, 10)
# Young objects only: a full search practically never happens.
_STARTING = (2000, 10, 1_000_000)
# Seconds after the start by which most imports and first drawings are done; the last is for a slow server.
_SETTLED_AFTER_S = (2.0, 10.0, 60.0)


def painted() -> None:
    """Turn the garbage collector on again; it is off until the first paint."""
    _collect_garbage(_STARTING)


def _collect_garbage(thresholds: tuple[int, int, int]) -> None:
    """Collect garbage from now on, but exempt all objects that exist already."""
    gc.freeze()
    gc.set_threshold(*thresholds)
    gc.enable()


def _save_report(report: str) -> str:
    """Save a crash report beside the logs; returns what to tell the user."""
    from llmstack_tui.base.paths import NoHome, logs_folder

    said = tr("llmstack: the dashboard failed, which is a bug.")
    try:
        file = logs_folder() / "dashboard-failure.log"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        file.touch(mode=0o600)
        file.write_text(report)
    except (OSError, NoHome):
        return f"{said}\n{report.strip().splitlines()[-1]}\n"
    return f"{said} {tr('Please report it with {file}', file=file)}\n"


LOST = 128 + 1
"""The exit status of a program that was ended by a hang-up (SIGHUP)."""


def unusable(environ: Mapping[str, str], streams: Sequence[IO[str] | None]) -> str | None:
    """Why the dashboard cannot be shown here, and what to do, in a sentence; None if it can.

    Args:
        streams: standard input, output and error. The screen is written to standard error.
    """
    scripts = tr("For scripts there are commands: llmstack --help lists them.")
    if not all(stream is not None and stream.isatty() for stream in streams):
        said = tr("llmstack: the dashboard needs a terminal for input, output and errors.")
        return f"{said} {scripts}"
    if environ.get("TERM", "") in {"", "dumb", "unknown"}:
        named = environ.get("TERM") or tr("not set")
        said = tr(
            "llmstack: this terminal cannot show the dashboard (TERM is {named}). "
            "Set TERM to what it is, such as xterm-256color.",
            named=named,
        )
        return f"{said} {scripts}"
    return None


def on_signals(loop: asyncio.AbstractEventLoop, end: Callable[[int], None]) -> None:
    """Call ``end`` with the exit status when a signal asks the program to end.

    Unhandled, these signals would leave the terminal in raw mode and on its alternate screen.
    """
    for name in ("SIGTERM", "SIGHUP", "SIGINT"):
        number = getattr(signal, name, None)
        if number is not None:
            with suppress(NotImplementedError):  # Windows has no signals on the loop.
                loop.add_signal_handler(number, end, 128 + number)


class TerminalWatch:
    """Ends the program when its terminal is gone, even if no SIGHUP arrives (nohup, a lost container).

    Otherwise Textual's reading thread would spin at end of file, and the event loop would block for ever once
    the queue to the writing thread, which has failed, is full. So this is a thread of its own, and it kills
    the process if the program has not ended after ``grace_s`` seconds.
    """

    def __init__(
        self,
        on_lost: Callable[[], object],
        *,
        is_there: Callable[[], bool] = lambda: os.isatty(sys.__stdin__.fileno() if sys.__stdin__ else 0),
        every_s: float = 1.0,
        grace_s: float = 5.0,
        end: Callable[[int], object] = os._exit,
    ) -> None:
        self._on_lost = on_lost
        self._is_there = is_there
        self._every_s = every_s
        self._grace_s = grace_s
        self._end = end
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="terminal-watch", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(self._every_s):
            if not self._is_there():
                self._on_lost()
                if not self._stopped.wait(self._grace_s):
                    self._end(LOST)
                return
