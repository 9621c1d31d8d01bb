"""A tool that runs a command of the shell. It is off unless the user turns it on, and asks each time."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from llmstack_tui.base import commands
from llmstack_tui.providers.types import Tool
from llmstack_tui.tools.schemas import arguments, text
from llmstack_tui.tools.types import CallResult, Effect, Proposal, ToolFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmstack_tui.providers.types import ToolCall
    from llmstack_tui.tools.folder import OpenedFolder

LIMIT_S = 120.0
_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL|AUTH", re.IGNORECASE)


def without_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without what is named like a key or a password."""
    return {name: value for name, value in environ.items() if not _SECRET.search(name)}


class ShellTool:
    """Runs a command in the opened folder, for at most two minutes."""

    spec = Tool(
        name="run_command",
        purpose="Run a shell command in the opened folder. The user sees it and is asked each time.",
        schema=arguments({"command": text("The command, as it is typed in a shell.")}),
    )

    def __init__(self, folder: OpenedFolder, environ: Mapping[str, str]) -> None:
        self._folder = folder
        self._environ = without_secrets(environ)

    async def propose(self, call: ToolCall) -> Proposal:
        command = str((call.arguments or {})["command"])
        if not command.strip() or "\0" in command:
            raise ToolFailed("tools.no_command")
        return Proposal(call=call, effect=Effect.RUNS, subject=command, preview=command)

    async def run(self, proposal: Proposal) -> CallResult:
        try:
            done = await commands.run(
                "sh", "-c", proposal.subject, environ=self._environ, limit_s=LIMIT_S, folder=self._folder.path
            )
        except commands.CommandFailed as error:
            raise ToolFailed(error.kind, hint=error.hint, **error.params) from None
        said = "\n".join(each for each in (done.output.rstrip(), done.errors.rstrip()) if each)
        return CallResult(text=f"{said}\n[exit status {done.status}]".lstrip(), is_error=done.status != 0)
