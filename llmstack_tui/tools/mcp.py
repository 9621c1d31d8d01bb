"""Tools of other programs, by the Model Context Protocol: a program that is started, or a server's address.

The package ``mcp`` speaks the protocol; it is an extra, as importing it takes a second.
"""

from __future__ import annotations

import asyncio
import logging
import re
import tempfile
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.text import clean_lines, excerpt, with_full_stop
from llmstack_tui.providers.types import Tool
from llmstack_tui.tools.shell import without_secrets
from llmstack_tui.tools.types import CallResult, Effect, Proposal, ToolFailed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from typing import TextIO

    import mcp

    from llmstack_tui.providers.types import ToolCall

START_LIMIT_S = 30.0
CALL_LIMIT_S = 300.0
_MOST_TOOLS = 200
_MOST_SAID = 100_000
_PART = re.compile(r"[^A-Za-z0-9_-]+")


class McpServer(Struct, frozen=True, kw_only=True):
    """How to reach a server: by a program and its arguments, or by a URL.

    Attributes:
        environ: variables for the program beside those of this process, from which keys are left out.
    """

    name: str
    command: tuple[str, ...] = ()
    url: str = ""
    environ: Mapping[str, str] = {}


class RemoteTool:
    """A tool of a server, as ``server__tool``. What it does is not known: a person is asked."""

    def __init__(self, client: mcp.Client, server: str, name: str, spec: Tool) -> None:
        self._client = client
        self._server = server
        self._name = name
        self.spec = spec

    async def propose(self, call: ToolCall) -> Proposal:
        subject = f"{self._server}: {self._name}"
        return Proposal(call=call, effect=Effect.RUNS, subject=subject, scope=self.spec.name)

    async def run(self, proposal: Proposal) -> CallResult:
        from mcp import MCPError  # noqa: PLC0415  # a second

        try:
            async with asyncio.timeout(CALL_LIMIT_S):
                done = await self._client.call_tool(self._name, dict(proposal.arguments))
        except TimeoutError:
            raise ToolFailed("mcp.silent", name=self._server, limit_s=CALL_LIMIT_S) from None
        except MCPError as error:
            raise ToolFailed("mcp.no_server", name=self._server, why=_words(error)) from None
        except Exception as error:  # noqa: BLE001  # its streams raise many kinds when the server is gone
            raise ToolFailed("mcp.gone", name=self._server, why=_words(error)) from None
        parts = [getattr(each, "text", None) or f"[{each.type}]" for each in done.content]
        return CallResult(text="\n".join(parts), is_error=bool(done.is_error))


@asynccontextmanager
async def server_tools(
    settings: McpServer, environ: Mapping[str, str]
) -> AsyncIterator[tuple[RemoteTool, ...]]:
    """The tools of a server, which runs until the block is left.

    Raises:
        ToolFailed: the package is missing, or the server does not start or does not answer.
    """
    try:
        import mcp  # noqa: PLC0415  # a second
        from mcp.client.stdio import stdio_client  # noqa: PLC0415
    except ImportError:
        raise ToolFailed("mcp.missing") from None
    # What a server says that is no message is logged with a trace, which would get onto the screen.
    logging.getLogger("mcp").setLevel(logging.CRITICAL)
    # So would what a program writes on standard error.
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        if settings.command:
            program, *arguments = settings.command
            own = {**without_secrets(environ), **settings.environ}
            started = mcp.StdioServerParameters(command=program, args=arguments, env=own)
            client = mcp.Client(stdio_client(started, said), read_timeout_seconds=CALL_LIMIT_S)
        else:
            client = mcp.Client(settings.url, read_timeout_seconds=CALL_LIMIT_S)
        async with AsyncExitStack() as ending:
            try:
                async with asyncio.timeout(START_LIMIT_S):
                    await client.__aenter__()
                    ending.push_async_callback(_closed, client)
                    found = (await client.list_tools()).tools[:_MOST_TOOLS]
            except TimeoutError:
                raise ToolFailed("mcp.silent", name=settings.name, limit_s=START_LIMIT_S) from None
            except Exception as error:  # noqa: BLE001  # a missing program, a page, an older protocol, …
                why = _last_line(said) or _words(error)
                raise ToolFailed("mcp.no_server", name=settings.name, why=why) from None
            yield tuple(
                RemoteTool(client, settings.name, each.name, _spec(settings.name, each)) for each in found
            )


async def _closed(client: mcp.Client) -> None:
    """End a server. That it has gone already is no failure."""
    with suppress(Exception):
        await client.__aexit__(None, None, None)


def _spec(server: str, tool: mcp.Tool) -> Tool:
    name = _PART.sub("_", f"{server}__{tool.name}")[:64]
    return Tool(name=name, purpose=clean_lines(tool.description or "", 2000), schema=tool.input_schema)


def _last_line(said: TextIO) -> str:
    """What a program wrote last on standard error: why it ended."""
    said.seek(0)
    lines = [line for line in said.read(_MOST_SAID).splitlines() if line.strip()]
    return with_full_stop(excerpt(lines[-1])) if lines else ""


def _words(error: BaseException) -> str:
    """The words of an error, or of the first one of a group."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, OSError) and error.strerror:
        return with_full_stop(f"{error.filename}: {error.strerror}" if error.filename else error.strerror)
    return with_full_stop(excerpt(str(error) or type(error).__name__))
