"""The variables of Ollama are changed: written, in force after a restart, or taken back."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from llmstack_tui.base import paths
from llmstack_tui.base.commands import NeedsRoot, RootCommand, checked
from llmstack_tui.base.sentences import Sentence, UserFacingError, said
from llmstack_tui.base.structs import replace
from llmstack_tui.core.variables_in_force import OllamaPlace, VariablesInForce
from llmstack_tui.service.systemd import Systemd
from llmstack_tui.variables import files
from llmstack_tui.variables.plans import VariablesFailed
from llmstack_tui.variables.rules import edits
from llmstack_tui.variables.rules.values import same
from llmstack_tui.variables.sources import (
    UNIT,
)
from llmstack_tui.variables.types import (
    Changed,
    FileForm,
    VariableChange,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from llmstack_tui.base.sentences import Sentences

    AsRoot = Callable[[RootCommand], Awaitable[None]]
    """Runs a command as root, after a yes; raises UserFacingError if it was refused."""


class ServerVariables(VariablesInForce):
    """The variables of Ollama on this machine, which can be changed."""

    async def change(
        self,
        change: VariableChange,
        *,
        restart: bool,
        as_root: AsRoot,
        until_free: Callable[[], Awaitable[None]],
    ) -> Changed:
        """Write the file, and have the server run with it; if it does not, all is taken back.

        Args:
            until_free: returns when no request runs.

        Raises:
            UserFacingError: it was not written; says why.
            CancelledError: `files.left` says what is in the file then.
        """
        if restart:
            await until_free()
        old = await asyncio.to_thread(self._server)
        backup = await self._put(change, as_root)
        done = Changed(file=change.target.file, backup=backup, was_restarted=restart)
        if not restart:
            return done
        new = await asyncio.to_thread(self._server, change.values)
        try:
            await _moved(old, new, as_root)
            await self._check_in_force(change)
        except (UserFacingError, OSError) as error:
            back = await self._back(change, backup, (new, old), as_root, said(error))
            return Changed(file=done.file, backup=backup, rolled_back=(*said(error), *back))
        except asyncio.CancelledError:
            # Ctrl-C leaves a moment: time for the file, not for another restart, nor for a password.
            if not change.target.needs_root:
                with suppress(UserFacingError, OSError):
                    await self._put(_reversed(change), as_root)
            raise
        return done

    async def _put(self, change: VariableChange, as_root: AsRoot) -> Path | None:
        """Write the file, and tell the manager; returns the copy of what it was.

        Where the manager refuses, the file is as it was.
        """
        backup = await self._write(change, as_root)
        try:
            await self._tell(change, as_root)
        except UserFacingError:
            with suppress(UserFacingError):
                await self._write(_reversed(change), as_root)
            raise
        return backup

    async def _write(self, change: VariableChange, as_root: AsRoot) -> Path | None:
        folder = paths.data_folder() / "variables"
        if not change.target.needs_root:
            return await asyncio.to_thread(files.write, change, folder)
        backup, command = await asyncio.to_thread(files.prepare, change, folder)
        await as_root(RootCommand(command))
        if await asyncio.to_thread(files.read_own, change.target) != change.after:
            raise VariablesFailed("variables.not_there", file=str(change.target.file))
        return backup

    async def _tell(self, change: VariableChange, as_root: AsRoot) -> None:
        if change.target.form is FileForm.DROP_IN:
            await _allowed(Systemd(UNIT, self._environ, user=change.target.is_user).reload, as_root)
        elif change.target.form is FileForm.AGENT:
            for name, value in change.values.items():
                words = ("unsetenv", name) if value is None else ("setenv", name, value)
                await checked("launchctl", *words, environ=self._environ)

    async def _check_in_force(self, change: VariableChange) -> None:
        """Raise if the server runs, and has another value."""
        overview = await self._at(change.values).overview()
        for name, value in change.values.items():
            row = overview.row(name)
            if row is None or row.value is None or value is None:
                continue
            if not same(row.variable, value, row.value):
                raise VariablesFailed("variables.not_in_force", name=name, value=value, running=row.value)

    def _at(self, values: Mapping[str, str | None]) -> ServerVariables:
        return ServerVariables(self._at_home(values), root=self._root, platform=self._platform)

    async def _back(
        self,
        change: VariableChange,
        backup: Path | None,
        servers: tuple[OllamaPlace, OllamaPlace],
        as_root: AsRoot,
        why: Sentences,
    ) -> Sentences:
        """Have everything as it was before, because of ``why``; says how that went."""
        try:
            await self._put(_reversed(change), as_root)
        except (UserFacingError, OSError) as error:
            return (Sentence("variables.back_failed", {"why": said(error), "backup": str(backup or "-")}),)
        try:
            await _moved(*servers, as_root)
        except (UserFacingError, OSError) as error:
            # Who refuses to restart the server refuses twice; the server may run on.
            if said(error) == why:
                return (Sentence("variables.back_only"),)
            return (Sentence("variables.back_and_down", {"why": said(error)}),)
        return (Sentence("variables.back"),)


def _reversed(change: VariableChange) -> VariableChange:
    """The change that takes this one back."""
    before = edits.own_values(change.target.form, change.before)
    values = {name: before.get(name) for name in change.values}
    return replace(change, values=values, before=change.after, after=change.before)


async def _moved(old: OllamaPlace, new: OllamaPlace, as_root: AsRoot) -> None:
    """Stop the server, and start it with what is set now, at its old address or another one."""
    if old.url == new.url:
        await _allowed(new.service.restart, as_root)
    else:
        await _allowed(old.service.stop, as_root)
        await _allowed(new.service.start, as_root)
    await new.service.until_up()


async def _allowed(act: Callable[[], Awaitable[None]], as_root: AsRoot) -> None:
    """Do something, as root where it has to be."""
    try:
        await act()
    except NeedsRoot as needed:
        await as_root(needed.command)
