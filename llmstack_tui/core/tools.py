"""The tools of a talk: those that ship with llmstack, those of MCP servers, and what was allowed before."""

from __future__ import annotations

import shlex
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import asdict

from llmstack_tui.tools.folder import OpenedFolder
from llmstack_tui.tools.mcp import McpServer, server_tools
from llmstack_tui.tools.toolset import ToolSet, built_in
from llmstack_tui.tools.types import Permission, ToolFailed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from llmstack_tui.config.settings import ToolsSettings
    from llmstack_tui.core.records import Records

_PERMISSIONS = "tools.permissions"


class TalkTools(Struct, frozen=True):
    """What a model may call. ``faults``: why servers of the settings cannot be used; the others can."""

    tools: ToolSet
    faults: tuple[ToolFailed, ...] = ()


@asynccontextmanager
async def talk_tools(
    settings: ToolsSettings, environ: Mapping[str, str], folder: Path | None
) -> AsyncIterator[TalkTools]:
    """The tools for a talk about a folder, None for no folder. MCP servers run until the block is left."""
    faults = list[ToolFailed]()
    opened = None if folder is None else OpenedFolder(folder)
    async with AsyncExitStack() as ending:
        tools = list(built_in(opened, environ=environ, with_shell=settings.shell))
        for name, place in settings.servers.items():
            try:
                tools += await ending.enter_async_context(server_tools(_server(name, place), environ))
            except ToolFailed as error:
                faults.append(error)
        yield TalkTools(ToolSet(tools), tuple(faults))


def _server(name: str, place: str) -> McpServer:
    if place.startswith(("http://", "https://")):
        return McpServer(name=name, url=place)
    return McpServer(name=name, command=tuple(shlex.split(place)))


async def permissions(records: Records) -> set[Permission]:
    """What was allowed for good, in this session or an earlier one."""
    return set(await records.recall(_PERMISSIONS, [], list[Permission]))


def remember(records: Records, allowed: AbstractSet[Permission]) -> None:
    """Keep what is allowed for good."""
    records.remember(_PERMISSIONS, sorted(map(asdict, allowed), key=lambda each: tuple(each.values())))
