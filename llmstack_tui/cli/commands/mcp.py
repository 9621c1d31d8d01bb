"""``llmstack mcp``: this machine's models as tools of another program, by the Model Context Protocol.

That program starts it, and speaks to it on standard input and output. Each tool runs the command of the same
purpose and answers with its JSON document, so that a model learns what a script would.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from llmstack_tui import __version__
from llmstack_tui.base import commands
from llmstack_tui.base.languages import tr
from llmstack_tui.cli.options import hosts
from llmstack_tui.core.wording import words
from llmstack_tui.tools.offered import OFFERED
from llmstack_tui.tools.types import ToolFailed

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Awaitable, Callable

    from llmstack_tui.cli.parser import Parser
    from llmstack_tui.core.open import Core
    from llmstack_tui.tools.offered import OfferedTool

# Loading a large model from a slow disk takes minutes.
_LIMIT_S = 1800.0


def add_options(parser: Parser) -> None:
    parser.add_argument(
        "--allow-changes", action="store_true", help=tr("also let the program load and unload models")
    )


async def run(core: Core, options: Namespace) -> int:
    try:
        from mcp.server.mcpserver import MCPServer  # noqa: PLC0415  # a second
        from mcp.types import ToolAnnotations  # noqa: PLC0415
    except ImportError:
        raise ToolFailed("mcp.missing") from None
    server = MCPServer("llmstack", version=__version__, log_level="CRITICAL")
    changes = options.allow_changes and not core.settings.read_only
    for tool in OFFERED:
        if tool.changes and not changes:
            continue
        hints = ToolAnnotations(
            read_only_hint=not tool.changes,
            destructive_hint=False,
            idempotent_hint=True,
            open_world_hint=False,
        )
        act = _with_name(core, options, tool) if tool.takes_name else _alone(core, options, tool)
        server.add_tool(
            act, name=tool.name, description=tool.purpose, annotations=hints, structured_output=False
        )
    with suppress(KeyboardInterrupt):
        await server.run_stdio_async()
    return 0


def _alone(core: Core, options: Namespace, tool: OfferedTool) -> Callable[[], Awaitable[str]]:
    async def act() -> str:
        return await _document(core, options, tool.command)

    return act


def _with_name(core: Core, options: Namespace, tool: OfferedTool) -> Callable[[str], Awaitable[str]]:
    async def act(name: str) -> str:
        # A model could take the place of the user and give an option.
        return await _document(core, options, tool.command, "--", name)

    return act


async def _document(core: Core, options: Namespace, *called: str) -> str:
    """The JSON document of a command, or the sentence why there is none."""
    from mcp.server.mcpserver.exceptions import ToolError  # noqa: PLC0415  # `run` has imported it

    command, *rest = called
    argv = (sys.executable, "-m", "llmstack_tui", command, "--json", *_forwarded(options), *rest)
    try:
        done = await commands.run(*argv, environ=core.environ, limit_s=_LIMIT_S)
    except commands.CommandFailed as error:
        raise ToolError(words(error)) from None
    if done.status != 0 and not done.output.strip():
        raise ToolError(done.words)
    return done.output


def _forwarded(options: Namespace) -> list[str]:
    """The options that every command has, as they were given to this one."""
    given = [word for url in hosts(options) for word in ("--host", url)]
    for option, name in (("--engine", "engine_choice"), ("--config", "config")):
        if (value := getattr(options, name, None)) is not None:
            given += [option, str(value)]
    return [*given, "--read-only"] if getattr(options, "read_only", False) else given
