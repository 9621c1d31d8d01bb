"""MCP servers of the official package, started as programs."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.providers.types import ToolCall
from llmstack_tui.tools import mcp
from llmstack_tui.tools.mcp import McpServer, server_tools
from llmstack_tui.tools.toolset import ToolSet
from llmstack_tui.tools.types import Effect, ToolFailed

if TYPE_CHECKING:
    from llmstack_tui.tools.types import CallResult

PROGRAM = str(Path(__file__).with_name("mcp_server.py"))
THINGS = McpServer(name="things", command=(sys.executable, PROGRAM), environ={"THINGS": "!"})


async def called(tools: ToolSet, name: str, /, **arguments: object) -> CallResult:
    return await tools.run(await tools.propose(ToolCall(id="1", name=name, arguments=arguments)))


async def test_the_tools_of_a_server_are_called_and_its_end_is_said(
    capfd: pytest.CaptureFixture[str],
) -> None:
    async with server_tools(THINGS, {**os.environ, "OPENAI_API_KEY": "sk-abc"}) as found:
        tools = ToolSet(found)
        assert [each.spec.name for each in found] == [
            "things__add", "things__key", "things__fail", "things__paint", "things__leave",
        ]  # fmt: skip
        proposal = await tools.propose(ToolCall(id="1", name="things__add", arguments={"a": 1, "b": 2}))
        assert (proposal.effect, proposal.subject, proposal.scope) == (
            Effect.RUNS, "things: add", "things__add",
        )  # fmt: skip
        assert (await tools.run(proposal)).text == "3"
        assert (await called(tools, "things__key")).text == "none!"
        assert (await called(tools, "things__fail")).is_error
        assert (await called(tools, "things__paint")).text == "\ufffd[31mred"
        with pytest.raises(ToolFailed):
            await called(tools, "things__add", a="x", b=2)
        gone = await called(tools, "things__leave")
        assert gone.is_error
        assert gone.text.startswith("The MCP server things")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("server", "words"),
    [
        (McpServer(name="none", command=("no-such-program",)), "no-such-program: No such file or directory."),
        (
            McpServer(name="dies", command=(sys.executable, PROGRAM, "--dies")),
            "The MCP server dies cannot be used: cannot open /var/things: no such file.",
        ),
        (McpServer(name="talks", command=("echo", "hello")), "The MCP server talks cannot be used: "),
        (McpServer(name="away", url="http://127.0.0.1:9/mcp"), "The MCP server away cannot be used: "),
    ],
)
async def test_a_server_that_cannot_be_used_is_said(
    server: McpServer, words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ToolFailed) as raised:
        async with server_tools(server, os.environ):
            pytest.fail("it has started")
    assert words in str(raised.value)
    assert capfd.readouterr() == ("", "")


async def test_a_server_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mcp, "START_LIMIT_S", 0.5)
    hangs = McpServer(name="hangs", command=(sys.executable, PROGRAM, "--hangs"))
    with pytest.raises(ToolFailed) as raised:
        async with server_tools(hangs, os.environ):
            pytest.fail("it has started")
    assert str(raised.value) == "The MCP server hangs has not answered within 0.5 s."
