"""``llmstack mcp``, asked by the client of the official package."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.tools.mcp import McpServer, server_tools
from llmstack_tui.tools.toolset import ToolSet
from tests.cli.calls import server
from tests.support.engine_process import home_environment
from tests.support.program import COMMAND
from tests.support.scripted_server import serving
from tests.tools.test_mcp import called

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("words", [(), ("--allow-changes",)], ids=["reading", "changes"])
async def test_another_program_sees_the_models_and_loads_them_only_where_it_may(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    fake = server()
    async with serving(fake) as at:
        program = McpServer(name="llmstack", command=(*COMMAND, "mcp", "--host", at.url, *words))
        async with server_tools(program, home_environment(tmp_path)) as found:
            tools = ToolSet(found)
            names = [each.spec.name.removeprefix("llmstack__") for each in found]
            assert names[:4] == ["status", "list_models", "loaded_models", "fit"]
            listed = json.loads((await called(tools, "llmstack__list_models")).text)
            assert [each["name"] for each in listed["models"] if each["state"] == "active"] == ["b:1"]
            wrong = await called(tools, "llmstack__fit", name="--help")
            assert wrong.is_error
            assert "--help" in wrong.text
            if not words:
                assert names[4:] == []
                return
            loaded = await called(tools, "llmstack__load_model", name="a:1")
            assert json.loads(loaded.text)["models"][0]["name"] == "a:1"
            assert "a:1" in fake.loaded
            await called(tools, "llmstack__stop_model", name="a:1")
            assert "a:1" not in fake.loaded
