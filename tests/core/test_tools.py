"""The tools of a talk: from the settings, and what was allowed before."""

from __future__ import annotations

import os
import shlex
import sys
from typing import TYPE_CHECKING

from llmstack_tui.config.settings import ToolsSettings
from llmstack_tui.core.options import StackOptions
from llmstack_tui.core.stack import Stack
from llmstack_tui.core.tools import permissions, remember, talk_tools
from llmstack_tui.tools.types import Permission
from tests.tools.test_mcp import PROGRAM

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_server_that_does_not_start_does_not_take_the_others_away(tmp_path: Path) -> None:
    settings = ToolsSettings(
        servers={"none": "no-such-program", "things": shlex.join((sys.executable, PROGRAM))}
    )
    async with talk_tools(settings, os.environ, tmp_path) as talk:
        names = {each.name for each in talk.tools.specs}
        assert names >= {"calculate", "read_file", "things__add"}
        assert "run_command" not in names
        assert [str(fault) for fault in talk.faults] == [
            "The MCP server none cannot be used: no-such-program: No such file or directory."
        ]


async def test_what_was_allowed_is_known_in_the_next_session(tmp_path: Path) -> None:
    allowed = {
        Permission("/home/ana", "write_file", "*"),
        Permission("/home/ana", "fetch_page", "example.com"),
    }
    options = StackOptions(state_file=tmp_path / "state.db")
    async with Stack((), options) as stack:
        assert await permissions(stack.records) == set()
        remember(stack.records, allowed)
    async with Stack((), options) as stack:
        assert await permissions(stack.records) == allowed
