"""Which processes of ours run, told apart by the home they were given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from pathlib import Path

ENGINE = "llmstack_tui.engine.process.server"
MODEL = "llmstack_tui.engine.runners.child"


def running(module: str, home: Path) -> list[psutil.Process]:
    """The processes that run ``python -m module`` with this home."""
    found = []
    for process in psutil.process_iter():
        try:
            if module in process.cmdline() and process.environ().get("HOME") == str(home):
                found.append(process)
        except psutil.Error:
            continue
    return found
