"""An agent of launchd, as Homebrew and llmstack write them, and the Ollama app, on macOS.

``launchctl print`` is made to be read by people (launchctl(1)); what is read of it, ``state``, ``pid`` and
``last exit code``, stands there on lines of its own.
"""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from llmstack_tui.base.commands import CommandFailed, checked, is_there, run
from llmstack_tui.service.types import ManagerKind, UnitState

if TYPE_CHECKING:
    from collections.abc import Mapping

HOMEBREW_LABEL = "homebrew.mxcl.ollama"
_FIELD = re.compile(r"^\s*(state|pid|last exit code|runs) = (\S+)", re.MULTILINE)
_APP = "Ollama.app"


class LaunchAgent:
    """One agent of this user.

    Args:
        name: its label, and the name of its file in ``~/Library/LaunchAgents``.
    """

    kind = ManagerKind.LAUNCHD

    def __init__(self, name: str, environ: Mapping[str, str]) -> None:
        self.name = name
        self._environ = environ
        self.file = Path(environ.get("HOME", "")) / "Library/LaunchAgents" / f"{name}.plist"
        self._domain = f"gui/{os.getuid()}"

    async def find(self) -> UnitState | None:
        if not is_there("launchctl", self._environ):
            return None
        done = await run("launchctl", "print", f"{self._domain}/{self.name}", environ=self._environ)
        is_loaded, is_written = done.status == 0, self.file.is_file()
        if not is_loaded and not is_written:
            return None
        found = dict(_FIELD.findall(done.output)) if is_loaded else {}
        pid, code = found.get("pid", ""), found.get("last exit code", "")
        is_running = pid.isdigit()
        exit_status = int(code) if code.lstrip("-").isdigit() else None
        return UnitState(
            kind=self.kind,
            name=self.name,
            file=str(self.file) if is_written else "",
            is_enabled=is_written and not await self._is_disabled(),
            is_running=is_running,
            is_failing=is_loaded and not is_running and bool(exit_status),
            pid=int(pid) if is_running else None,
            exit_status=exit_status,
            restarts=max(int(found["runs"]) - 1, 0) if found.get("runs", "").isdigit() else 0,
        )

    async def start(self, unit: UnitState) -> None:
        # Loading an agent starts it, if it is to run at load; the second call is for one that is loaded.
        await run("launchctl", "bootstrap", self._domain, str(self.file), environ=self._environ)
        await self._ask("kickstart", f"{self._domain}/{self.name}")

    async def stop(self, unit: UnitState) -> None:
        await self._ask("bootout", f"{self._domain}/{self.name}")

    async def restart(self, unit: UnitState) -> None:
        if unit.is_running:
            await self.stop(unit)
        await self.start(unit)

    async def enable(self, unit: UnitState, enabled: bool) -> None:
        await self._ask("enable" if enabled else "disable", f"{self._domain}/{self.name}")

    async def reload(self) -> None:
        """launchd reads an agent's file when it is loaded."""

    async def _is_disabled(self) -> bool:
        done = await run("launchctl", "print-disabled", self._domain, environ=self._environ)
        return re.search(rf'"{re.escape(self.name)}" => (true|disabled)', done.output) is not None

    async def _ask(self, *words: str) -> None:
        await checked("launchctl", *words, environ=self._environ)


class OllamaApp:
    """Ollama's app, which runs a server while it is open.

    Args:
        folders: where it may be.
    """

    kind = ManagerKind.APP
    name = _APP

    def __init__(self, environ: Mapping[str, str], folders: tuple[Path, ...]) -> None:
        self._environ = environ
        self._paths = tuple(folder / _APP for folder in folders)

    async def find(self) -> UnitState | None:
        path = next((each for each in self._paths if each.is_dir()), None)
        if path is None:
            return None
        is_running = await asyncio.to_thread(_is_open, path / "Contents/MacOS")
        return UnitState(kind=self.kind, name=self.name, file=str(path), is_running=is_running)

    async def start(self, unit: UnitState) -> None:
        await checked("open", "-g", unit.file, environ=self._environ)

    async def stop(self, unit: UnitState) -> None:
        await checked("osascript", "-e", 'tell application "Ollama" to quit', environ=self._environ)

    async def restart(self, unit: UnitState) -> None:
        await self.stop(unit)
        await self.start(unit)

    async def enable(self, unit: UnitState, enabled: bool) -> None:
        raise CommandFailed("service.app_at_login")


def _is_open(programs: Path) -> bool:
    """Whether the app's own process runs, which is not its server's."""
    found = (process.info["exe"] for process in psutil.process_iter(["exe"]))
    return any(exe and Path(exe).parent == programs for exe in found)
