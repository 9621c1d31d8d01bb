"""Ollama on this machine: its processes, its unit, and the log of its last start. Blocking.

What its log says at the start, as in 0.33: ``msg="server config"`` first, then ``msg="Listening on …"``, and
``msg="inference compute"`` for each device when it has looked for cards and answers.
"""

from __future__ import annotations

import re
import shlex
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from llmstack_tui.doctor.facts import OllamaFacts
from llmstack_tui.ollama.local import find_ollama
from llmstack_tui.ollama.processes import ollama_url, processes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_BEGIN = b'msg="server config"'
_READY = (b'msg="Listening on', b'msg="inference compute"')
_TIME = re.compile(rb"time=(\S+) level=")
# A log may be large; the last start is looked for in its end.
_MOST_LOG = 8 * 2**20
# systemd.unit(5): for the system, by the administrator first, and for a user.
_UNITS = (
    "etc/systemd/system",
    "usr/local/lib/systemd/system",
    "usr/lib/systemd/system",
    "lib/systemd/system",
)
_UNIT = "ollama.service"


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
        unit=unit_variables(root, environ.get("HOME", "")),
        exported=exported,
        start_s=start_s,
        log=str(log),
    )


def unit_variables(root: Path, home: str) -> Mapping[str, str] | None:
    """The variables that Ollama's unit and its drop-ins set; None without a unit."""
    folders = [root / folder for folder in _UNITS]
    if home:
        folders.insert(0, Path(home) / ".config/systemd/user")
    unit = next((folder / _UNIT for folder in folders if (folder / _UNIT).is_file()), None)
    if unit is None:
        return None
    drop_ins = sorted(
        (file for folder in folders for file in (folder / f"{_UNIT}.d").glob("*.conf")),
        key=lambda file: file.name,
    )
    return dict(_assigned(unit, *drop_ins))


def _assigned(*files: Path) -> Iterator[tuple[str, str]]:
    for file in files:
        try:
            lines = file.read_text(errors="replace").splitlines()
        except OSError:
            continue
        for line in lines:
            name, _, value = line.strip().partition("=")
            if name.strip() == "Environment":
                yield from _variables(value)


def _variables(value: str) -> Iterable[tuple[str, str]]:
    try:
        words = shlex.split(value)
    except ValueError:
        return
    for word in words:
        name, found, text = word.partition("=")
        if found:
            yield name, text


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
