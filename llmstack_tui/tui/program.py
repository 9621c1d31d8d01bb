"""The dashboard as a program: what is asked of the terminal before it, and what is left behind after it."""

from __future__ import annotations

import asyncio
import io
import os
import sys
from typing import TYPE_CHECKING

from llmstack_tui.tui import garbage, terminal
from llmstack_tui.tui.draw.glyphs import speaks_unicode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from llmstack_tui.config import Settings
    from llmstack_tui.config.loading import LoadedSettings
    from llmstack_tui.tui.app import Dashboard


def run_dashboard(
    settings: Settings,
    problems: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
    *,
    config: Path | None = None,
    loaded: LoadedSettings | None = None,
) -> int:
    """Show the dashboard until the user leaves it.

    Args:
        problems: what was wrong in the settings, one sentence each.
        config: the file of the settings, for the engine to read, too; None is the usual one.
        loaded: what the file says, without the command line; None reads it once the first list is shown.

    Returns:
        the exit status: 1 where it could not be shown or failed, 128 + the number of a signal that ended it.
    """
    environ = os.environ if environ is None else environ
    if reason := terminal.unusable(environ, (sys.stdin, sys.stdout, sys.stderr)):
        sys.stderr.write(reason + "\n")
        return 1
    with garbage.none_before_the_first_paint():
        return _show(settings, problems, environ, config, loaded)


def _show(
    settings: Settings,
    problems: Sequence[str],
    environ: Mapping[str, str],
    config: Path | None,
    loaded: LoadedSettings | None,
) -> int:
    from rich.console import Console

    from llmstack_tui.core.open import Core
    from llmstack_tui.tui.app import Dashboard

    unicode = speaks_unicode(environ, getattr(sys.__stderr__, "encoding", None))
    app = Dashboard(settings, problems, Core(settings, environ, config), unicode=unicode, loaded=loaded)
    # Textual prints its traceback, with the values of local variables, on the terminal: it belongs into a
    # file that only the user can read.
    report = io.StringIO()
    app.error_console = Console(file=report, width=110, markup=False, highlight=False)
    asyncio.run(_run(app))
    if report.getvalue():
        sys.stderr.write(_saved(report.getvalue()))
    sys.stdout.write(app.farewell)
    return app.return_code or 0


async def _run(app: Dashboard) -> None:
    loop = asyncio.get_running_loop()
    terminal.on_signals(loop, app.end)
    for seconds in garbage.SETTLED_AFTER_S:
        loop.call_later(seconds, garbage.settled)
    with terminal.TerminalWatch(lambda: loop.call_soon_threadsafe(app.end, terminal.LOST)):
        await app.run_async()


def _saved(report: str) -> str:
    """Put the report of a defect beside the logs; returns what to tell the user."""
    from llmstack_tui.base.paths import NoHome, logs_folder

    said = "llmstack: the dashboard failed, which is a defect of it."
    try:
        file = logs_folder() / "dashboard-failure.log"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        file.touch(mode=0o600)
        file.write_text(report)
    except (OSError, NoHome):
        return f"{said}\n{report.strip().splitlines()[-1]}\n"
    return f"{said} Please report it with {file}\n"
