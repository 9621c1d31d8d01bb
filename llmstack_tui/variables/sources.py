"""Where the variables of Ollama on this machine are set, and what the running server has. Blocking."""

from __future__ import annotations

import plistlib
import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from xml.parsers.expat import ExpatError

from llmstack_tui.base.address import server_id
from llmstack_tui.base.environment_files import assigned, pairs
from llmstack_tui.base.paths import user_units_folder
from llmstack_tui.ollama.processes import ollama_url
from llmstack_tui.variables.types import Origin, ValueSource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from llmstack_tui.variables.types import OwnFile

UNIT = "ollama.service"
OWN_DROP_IN = "llmstack.conf"
# systemd.unit(5), "Unit File Search Path", the first ones first.
_OF_SYSTEM = (
    "etc/systemd/system",
    "run/systemd/system",
    "usr/local/lib/systemd/system",
    "usr/lib/systemd/system",
    "lib/systemd/system",
)
_OF_USERS = ("etc/systemd/user", "usr/local/lib/systemd/user", "usr/lib/systemd/user")
# A log may be large; the last start is looked for in its end.
_MOST_LOG = 8 * 2**20
_MOST_FILE = 2**20
_CONFIG = re.compile(r'time=(?P<time>\S+) level=\S+ .*?msg="server config" env="map\[(?P<map>.*)\]"')
_PAIR = re.compile(r"(?:^| )([A-Z][A-Z0-9_]{3,}|https?_proxy|no_proxy):")
# A server that logs a little before its process is said to be created.
_LOG_TOLERANCE_S = 5.0


def unit_files(root: Path, environ: Mapping[str, str], *, user: bool | None = None) -> tuple[Path, ...]:
    """Ollama's unit, then its drop-ins in the order in which they are read; none without a unit.

    Args:
        root: the folder that contains ``etc`` and ``usr``.
        user: the unit of this user, or that of the system; None is the user's if there is one.
    """
    of_user = [user_units_folder(environ), *(root / each for each in _OF_USERS)]
    of_system = [root / each for each in _OF_SYSTEM]
    searched = {True: [of_user], False: [of_system], None: [of_user, of_system]}[user]
    for folders in searched:
        unit = next((folder / UNIT for folder in folders if (folder / UNIT).is_file()), None)
        if unit is not None:
            # Of two with one name the first counts; they are read by their names.
            found: dict[str, Path] = {}
            for folder in folders:
                for file in (folder / f"{UNIT}.d").glob("*.conf"):
                    found.setdefault(file.name, file)
            return (unit, *(found[name] for name in sorted(found)))
    return ()


def unit_settings(files: Sequence[Path], own: Path | None = None) -> tuple[tuple[str, ValueSource], ...]:
    """What a unit and its drop-ins set, the last one last; what comes from a file of variables wins.

    Args:
        own: that of them which llmstack writes.
    """
    direct: list[tuple[str, ValueSource]] = []
    named: list[tuple[Path, str]] = []
    for file in files:
        origin = Origin.OURS if file == own else Origin.DROP_IN if file.suffix == ".conf" else Origin.UNIT
        for name, value, what in assigned(read(file) or ""):
            if what == "reset":
                direct.clear()
            elif what == "no file":
                named.clear()
            elif what == "file":
                named.append((Path(value.removeprefix("-")), value))
            else:
                direct.append((name, ValueSource(origin, value, str(file))))
    for path, _ in named:
        direct += [
            (name, ValueSource(Origin.ENVIRONMENT_FILE, value, str(path)))
            for name, value in pairs(read(path) or "")
        ]
    return tuple(direct)


def of_file(values: Mapping[str, str], target: OwnFile | None) -> list[tuple[str, ValueSource]]:
    """What llmstack's own file sets."""
    file = "" if target is None else str(target.file)
    return [(name, ValueSource(Origin.OURS, value, file)) for name, value in values.items()]


def agent_settings(file: str) -> list[tuple[str, ValueSource]]:
    """What the file of an agent of launchd sets, as Homebrew's does."""
    try:
        found = plistlib.loads(Path(file).read_bytes())["EnvironmentVariables"]
        return [(str(name), ValueSource(Origin.UNIT, str(value), file)) for name, value in found.items()]
    except (OSError, ExpatError, ValueError, LookupError, TypeError, AttributeError):
        return []


def unit_variables(root: Path, environ: Mapping[str, str]) -> Mapping[str, str] | None:
    """The variables that Ollama's unit and its drop-ins set; None without a unit."""
    files = unit_files(root, environ)
    return {name: source.value for name, source in unit_settings(files)} if files else None


def read(file: Path) -> str | None:
    """The text of a file; None if it is not there, is no file, or cannot be read."""
    try:
        if not file.is_file() or file.stat().st_size > _MOST_FILE:
            return None
        return file.read_text(errors="replace")
    except OSError:
        return None


def config_of(text: str, since_s: float, url: str) -> Mapping[str, str] | None:
    """The variables in the last line ``server config`` of a log; None if that is older, or of others."""
    found = None
    for match in _CONFIG.finditer(text):
        try:
            at_s = datetime.fromisoformat(match["time"]).timestamp()
        except ValueError:
            continue
        values = _pairs(match["map"].replace('\\"', '"').replace("\\\\", "\\"))
        if at_s >= since_s - _LOG_TOLERANCE_S and server_id(ollama_url(values)) == server_id(url):
            found = values
    return found


def _pairs(text: str) -> dict[str, str]:
    """Go writes a map as ``NAME:value NAME:value``, and quotes nothing."""
    found = list(_PAIR.finditer(text))
    ends = [*(match.start() for match in found[1:]), len(text)]
    return {match[1]: text[match.end() : end] for match, end in zip(found, ends, strict=True)}


def end_of(log: Path) -> str:
    """The end of a log; "" if it cannot be read."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _MOST_LOG))
            return file.read().decode(errors="replace")
    except OSError:
        return ""
