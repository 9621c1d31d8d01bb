"""Ollama on this machine: its processes, its unit, and the log of its last start. Blocking.

What its log says at the start, as in 0.33: ``msg="server config"`` first, then ``msg="Listening on …"``, and
``msg="inference compute"`` for each device when it has looked for cards and answers.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from llmstack_tui.doctor.facts import OllamaFacts
from llmstack_tui.ollama.local import find_ollama
from llmstack_tui.ollama.processes import ollama_url, processes
from llmstack_tui.variables.sources import unit_variables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_BEGIN = b'msg="server config"'
_READY = (b'msg="Listening on', b'msg="inference compute"')
_TIME = re.compile(rb"time=(\S+) level=")
# A log may be large; the last start is looked for in its end.
_MOST_LOG = 8 * 2**20


def ollama_facts(environ: Mapping[str, str], root: Path, logs: Sequence[Path]) -> OllamaFacts:
    """All that shows of Ollama without asking it.

    Args:
        root: the folder that contains ``etc`` and ``usr``.
        logs: where its log may be.
    """
    log, start_s = next(
        ((file, found) for file in logs if (found := start_seconds(file)) is not None), ("", None)
    )
    url = ollama_url(environ)
    exported = {name: value for name, value in environ.items() if name.startswith("OLLAMA_") and value}
    return OllamaFacts(
        binary=find_ollama(environ),
        url=url,
        processes=tuple(processes(url)),
        unit=unit_variables(root, environ),
        exported=exported,
        start_s=start_s,
        log=str(log),
    )


def start_seconds(log: Path) -> float | None:
    """How long the last start took that a log tells of; None if it tells of none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _MOST_LOG))
            content = file.read()
    except OSError:
        return None
    begun, ready = None, None
    for line in content.splitlines():
        if _BEGIN in line:
            begun, ready = _at(line), None
        elif begun and any(mark in line for mark in _READY):
            ready = _at(line) or ready
    return (ready - begun).total_seconds() if begun and ready and ready >= begun else None


def _at(line: bytes) -> datetime | None:
    match = _TIME.match(line)
    try:
        return datetime.fromisoformat(match[1].decode()) if match else None
    except ValueError:
        return None
