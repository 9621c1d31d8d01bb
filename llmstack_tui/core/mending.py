"""Carries out the fix of a finding once the user said so, and takes it back where that is possible."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from llmstack_tui.base import commands, paths
from llmstack_tui.base.address import default_host
from llmstack_tui.base.sentences import Sentence
from llmstack_tui.config.editing import change
from llmstack_tui.config.table import find_setting, value_of
from llmstack_tui.core.servers import OllamaStopped
from llmstack_tui.doctor.types import FixKind, Undo
from llmstack_tui.engine.process import control
from llmstack_tui.library.disk import DiskService
from llmstack_tui.library.folders import model_folders
from llmstack_tui.ollama.local import find_ollama
from llmstack_tui.service.ollama import ollama_service
from llmstack_tui.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from llmstack_tui.core.servers import StartingCore
    from llmstack_tui.doctor.types import Fix

_CLIPBOARD = ("tmux", "set-option", "-s", "set-clipboard")


class Mender:
    """Fixes, and what takes them back."""

    def __init__(self, core: StartingCore) -> None:
        self._core = core

    async def mend(self, fix: Fix) -> Undo | None:
        """Carry out a fix; returns what takes it back.

        Raises:
            NeedsRoot: only root may do it, by the command that this has.
            UserFacingError: it could not be done; says why.
        """
        match fix.kind:
            case FixKind.START_OLLAMA:
                await self._start_ollama()
                return Undo(FixKind.STOP_OLLAMA, Sentence("doctor.stop_ollama"))
            case FixKind.START_ENGINE:
                (await self._core.start_engine("stopped")).release()
                return Undo(FixKind.STOP_ENGINE, Sentence("doctor.stop_the_engine"))
            case FixKind.CLEAN_DISK:
                disk = self.disk_service()
                if (own := await disk.look()) is not None:
                    await disk.clean(own.removable)
            case FixKind.RENEW_STATE:
                # A damaged file is set aside by opening it.
                await (await Store.open(paths.state_file())).close()
            case FixKind.SET:
                return await asyncio.to_thread(self._set, fix.values)
            case FixKind.STOP_OLLAMA:
                await ollama_service(self._core.environ).stop()
            case FixKind.STOP_ENGINE:
                await control.stop(force=True, timeout_s=_ENDS_WITHIN_S)
            case FixKind.RESTART_OLLAMA:
                await ollama_service(self._core.environ).restart()
            case FixKind.LET_CLIPBOARD:
                return await self._pass_clipboard(fix.values.get("set-clipboard") or "on")
        return None

    async def take_back(self, undo: Undo) -> None:
        """Take a fix back. Raises as `mend`."""
        if undo.kind is FixKind.SET:
            await asyncio.to_thread(change, self._file(), _places(undo.values))
        else:
            await self.mend(undo.as_fix)

    def disk_service(self) -> DiskService:
        try:
            own: Path | None = paths.models_folder()
        except paths.NoHome:
            own = None
        return DiskService(own, lambda: model_folders(self._core.environ))

    async def _start_ollama(self) -> None:
        binary = find_ollama(self._core.environ)
        assert binary is not None  # noqa: S101 (the finding is about one)
        await self._core.start_ollama(OllamaStopped(binary, default_host(self._core.environ)))

    def _file(self) -> Path:
        return self._core.config or paths.config_file()

    def _set(self, values: Mapping[str, str | None]) -> Undo:
        """Give settings these values in the file."""
        loaded, before = self._core.load_settings(), dict[str, str | None]()
        for name in values:
            setting = find_setting(name)
            assert setting is not None  # noqa: S101 (a rule names it)
            is_there = loaded.origin(name).kind == "file"
            before[name] = setting.kind.write(value_of(loaded.settings, name)) if is_there else None
        change(self._file(), _places(values))
        return Undo(FixKind.SET, Sentence("doctor.unset", {"names": tuple(values)}), before)

    async def _pass_clipboard(self, wanted: str) -> Undo:
        environ = self._core.environ
        asked = await commands.checked("tmux", "show-options", "-sv", "set-clipboard", environ=environ)
        await commands.checked(*_CLIPBOARD, wanted, environ=environ)
        before = asked.output.strip()
        says = Sentence("doctor.clipboard_back", {"value": before})
        return Undo(FixKind.LET_CLIPBOARD, says, {"set-clipboard": before})


# A hung engine has nothing to finish.
_ENDS_WITHIN_S = 3.0


def _places(values: Mapping[str, str | None]) -> dict[tuple[str, ...], str | None]:
    return {tuple(name.split(".")): value for name, value in values.items()}
