"""A unit of systemd, of the system or of this user. What ``systemctl show`` says: systemctl(1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.commands import (
    CommandFailed,
    NeedsRoot,
    RootCommand,
    checked,
    is_root,
    is_there,
    run,
)
from llmstack_tui.service.types import ManagerKind, UnitState

if TYPE_CHECKING:
    from collections.abc import Mapping

_PROPERTIES = (
    "LoadState", "ActiveState", "SubState", "MainPID", "UnitFileState", "FragmentPath", "DropInPaths",
    "ExecMainCode", "ExecMainStatus", "NRestarts",
)  # fmt: skip
# Where systemd does not run, as in most containers.
_AWAY = ("not been booted with systemd", "Failed to connect to")
# Without an agent for polkit, or with --no-ask-password.
_REFUSED = ("authentication required", "Access denied", "Permission denied")
_ENABLED = {"enabled": True, "enabled-runtime": True, "linked": False, "disabled": False}
# ExecMainCode of waitid(2): CLD_EXITED is 1; the others are ends by a signal.
_EXITED = "1"
# A server may have to end its models first: systemd itself waits 90 s before it kills.
FIND_LIMIT_S = 5.0
_ACT_LIMIT_S = 100.0


class Systemd:
    """One unit.

    Args:
        name: such as ``ollama.service``.
        user: it is the user's own, not the system's.
        environ: of this process at its start.
    """

    def __init__(self, name: str, environ: Mapping[str, str], *, user: bool) -> None:
        self.name = name
        self.kind = ManagerKind.SYSTEMD_USER if user else ManagerKind.SYSTEMD
        self._environ = environ
        self._scope = ("--user",) if user else ()

    async def find(self) -> UnitState | None:
        if not is_there("systemctl", self._environ):
            return None
        asked = ",".join(_PROPERTIES)
        command = ("systemctl", *self._scope, "show", self.name, f"--property={asked}")
        done = await run(*command, environ=self._environ, limit_s=FIND_LIMIT_S)
        if done.status != 0:
            if any(words in done.errors for words in _AWAY):
                return None
            kind = "command.refused" if done.words else "command.refused_silently"
            raise CommandFailed(kind, command=" ".join(command[:-1]), status=done.status, words=done.words)
        found = dict(line.split("=", 1) for line in done.output.splitlines() if "=" in line)
        if found.get("LoadState") not in ("loaded", "masked", "bad-setting", "error"):
            return None
        return unit_state(self.kind, self.name, found)

    async def start(self, unit: UnitState) -> None:
        # A unit that failed too often is not started again without it.
        await self._act("start", reset=unit.is_failing)

    async def stop(self, unit: UnitState) -> None:
        await self._act("stop")

    async def restart(self, unit: UnitState) -> None:
        await self._act("restart", reset=unit.is_failing)

    async def enable(self, unit: UnitState, enabled: bool) -> None:
        await self._act("enable" if enabled else "disable")

    async def reload(self) -> None:
        """Have it read its files again."""
        await self._ask("daemon-reload")

    async def _act(self, verb: str, *, reset: bool = False) -> None:
        if reset:
            await self._ask("reset-failed", self.name)
        await self._ask(verb, self.name)

    async def _ask(self, *words: str) -> None:
        command = ("systemctl", *self._scope, *words)
        try:
            await checked(
                command[0], "--no-ask-password", *command[1:], environ=self._environ, limit_s=_ACT_LIMIT_S
            )
        except CommandFailed as error:
            told = str(error.params.get("words", ""))
            if self.kind is ManagerKind.SYSTEMD and not is_root() and any(each in told for each in _REFUSED):
                raise NeedsRoot(RootCommand(command)) from None
            raise


def unit_state(kind: ManagerKind, name: str, found: Mapping[str, str]) -> UnitState:
    """The state of a unit from its properties."""
    active, sub = found.get("ActiveState", ""), found.get("SubState", "")
    pid, code = found.get("MainPID", "0"), found.get("ExecMainCode", "0")
    status = int(found.get("ExecMainStatus") or 0)
    is_restarted = sub == "auto-restart"
    return UnitState(
        kind=kind,
        name=name,
        file=found.get("FragmentPath", ""),
        drop_ins=tuple(found.get("DropInPaths", "").split()),
        is_enabled=_ENABLED.get(found.get("UnitFileState", "")),
        is_running=active in ("active", "activating", "reloading", "deactivating") and not is_restarted,
        is_failing=active == "failed" or is_restarted,
        pid=int(pid) if pid.isdigit() and pid != "0" else None,
        exit_status=None if code == "0" else status if code == _EXITED else -status,
        restarts=int(found.get("NRestarts") or 0),
    )
