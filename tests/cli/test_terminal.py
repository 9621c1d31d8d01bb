"""What only happens on a terminal: questions, progress, Ctrl-C."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli.little_ollama import LittleOllama
from tests.support.scripted_server import serving
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from tests.support.program import Program
    from tests.support.scripted_server import Reply, Request

if sys.platform == "win32":
    pytest.skip("needs pseudo-terminals", allow_module_level=True)

from tests.cli.terminal import terminal

STAYS = "It stays for 10m after its last request."


class SlowOllama(LittleOllama):
    """Loads a model only when ``go`` is set."""

    def __init__(self, *names: str) -> None:
        super().__init__(*names)
        self.go = asyncio.Event()
        self.loading = False

    async def __call__(self, request: Request) -> Reply:
        if request.path == "/api/generate" and request.json.get("keep_alive") != 0:
            self.loading = True
            await self.go.wait()
        return await super().__call__(request)


@pytest.mark.parametrize(
    ("answer", "code", "left"),
    [("y\n", 0, []), ("n\n", 1, ["a:1"]), ("\n", 1, ["a:1"]), ("\x04", 1, ["a:1"])],
)
async def test_rm_asks(llmstack: Program, answer: str, code: int, left: list[str]) -> None:
    server = LittleOllama("a:1")
    async with serving(server) as at:
        with terminal(llmstack, "rm", "a:1", "--host", at.url) as screen:
            await screen.wait_for("Remove? [y/N]")
            assert "a:1: frees 4.7 GB" in screen.shown
            screen.type(answer)
            assert await screen.end() == code
    assert server.names == left


async def test_ctrl_c_at_the_question(llmstack: Program) -> None:
    server = LittleOllama("a:1")
    async with serving(server) as at:
        with terminal(llmstack, "rm", "a:1", "--host", at.url) as screen:
            await screen.wait_for("Remove? [y/N]")
            screen.type("\x03")
            assert await screen.end() == 130
    assert server.names == ["a:1"]
    assert "Traceback" not in screen.shown


async def test_start_shows_that_it_goes_on(llmstack: Program) -> None:
    server = SlowOllama("a:1")
    async with serving(server) as at:
        with terminal(llmstack.given(TERM="xterm"), "start", "a:1", "--host", at.url) as screen:
            await screen.wait_for("Loading a:1 0 s")
            server.go.set()
            assert await screen.end() == 0
    assert screen.shown.endswith(f"\r\x1b[Ka:1 is active at {at.url}.\r\n{STAYS}\r\n")


@pytest.mark.parametrize("term", ["dumb", ""])
async def test_a_dumb_terminal_gets_lines_only(llmstack: Program, term: str) -> None:
    server = SlowOllama("a:1")
    async with serving(server) as at:
        with terminal(llmstack.given(TERM=term), "start", "a:1", "--host", at.url) as screen:
            await wait_until(lambda: server.loading, what="the model loads")
            server.go.set()
            assert await screen.end() == 0
    assert screen.shown == f"a:1 is active at {at.url}.\r\n{STAYS}\r\n"


async def test_ctrl_c_while_a_model_loads_gives_the_load_up(llmstack: Program) -> None:
    server = SlowOllama("a:1")
    async with serving(server) as at:
        with terminal(llmstack.given(TERM="xterm"), "start", "a:1", "--host", at.url) as screen:
            await screen.wait_for("Loading a:1")
            await wait_until(lambda: server.loading, what="the model loads")
            screen.type("\x03")
            assert await screen.end() == 130
        await wait_until(lambda: at.open == 0, what="the client's connections are closed")
    assert server.loaded == []
    assert "Traceback" not in screen.shown


async def test_without_a_question_on_a_terminal_chat_says_how(llmstack: Program) -> None:
    with terminal(llmstack, "chat", "a:1") as screen:
        assert await screen.end() == 2
    assert "llmstack chat a:1 'Why?'" in screen.shown
