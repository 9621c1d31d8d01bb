"""Commands that only root may run: on a terminal ``sudo`` asks for the password."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from llmstack_tui.base.commands import NeedsRoot, run_on_terminal
from llmstack_tui.base.languages import tr
from llmstack_tui.cli import output

if TYPE_CHECKING:
    from llmstack_tui.base.commands import RootCommand


async def run_as_root(command: RootCommand) -> None:
    """Run a command as root. The user has agreed to what it is part of.

    Raises:
        NeedsRoot: there is no terminal for the password.
        CommandFailed: it failed.
    """
    if not (output.is_terminal(sys.stdin) and output.is_terminal(sys.stderr)):
        raise NeedsRoot(command)
    output.say(tr("As root: {command}", command=command.shown))
    await asyncio.to_thread(run_on_terminal, command)
