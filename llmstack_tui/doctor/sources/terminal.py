"""The terminal that this process has: what it says of itself in the environment."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from llmstack_tui.doctor.facts import TerminalFacts

if TYPE_CHECKING:
    from collections.abc import Mapping

_TRUE, _MANY, _FEW = 2**24, 256, 16
_TMUX_S = 1.0


def terminal_facts(environ: Mapping[str, str]) -> TerminalFacts:
    size = _size()
    term = environ.get("TERM", "")
    program = environ.get("TERM_PROGRAM", "")
    if environ.get("STY"):
        program = "screen"
    in_tmux = bool(environ.get("TMUX"))
    return TerminalFacts(
        size=size,
        term=term,
        colours=_colours(environ, term),
        encoding=getattr(sys.__stdout__, "encoding", None) or "ascii",
        program="tmux" if in_tmux else program,
        passes_clipboard=_tmux_passes(environ) if in_tmux and size else None,
    )


def _size() -> tuple[int, int] | None:
    for number in (1, 0, 2):
        with suppress(OSError):
            columns, rows = os.get_terminal_size(number)
            return columns, rows
    return None


def _colours(environ: Mapping[str, str], term: str) -> int:
    """As Textual counts them: by COLORTERM, else by the name of the terminal."""
    if environ.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return _TRUE
    if term in ("", "dumb"):
        return 0
    return _MANY if "256" in term or term.endswith(("kitty", "direct", "ghostty")) else _FEW


def _tmux_passes(environ: Mapping[str, str]) -> bool | None:
    """Whether tmux hands on what a program copies; by default it takes that for an attack (tmux(1))."""
    try:
        asked = subprocess.run(
            ["tmux", "show-options", "-sv", "set-clipboard"],
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_TMUX_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return asked.stdout.strip() == "on" if asked.returncode == 0 else None
