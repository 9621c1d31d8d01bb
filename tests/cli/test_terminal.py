"""What only happens on a terminal: questions, progress, Ctrl-C."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.fake_ollama import usual_ollama
from tests.support.scripted_server import serving
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from tests.support.fake_ollama import FakeOllama
    from tests.support.program import Program

if sys.platform == "win32":
    pytest.skip("needs pseudo-terminals", allow_module_level=True)

STAYS = "It stays for 10m after its last request."


def slow_ollama(*names: str) -> FakeOllama:
    """Loads a model only when its ``may_load`` is set."""
    fake = usual_ollama(*names)
    fake.may_load.clear()
    return fake


def is_asked_to_load(fake: FakeOllama) -> bool:
    return "/api/generate" in [path for path, _ in fake.asked]


@pytest.mark.parametrize(
    ("answer", "code", "left"),
    [("y\n", 0, []), ("n\n", 1, ["a:1"]), ("\n", 1, ["a:1"]), ("\x04", 1, ["a:1"])],
)
async def test_rm_asks(llmstack: Program, answer: str, code: int, left: list[str]) -> None:
    server = usual_ollama("a:1")
    async with serving(server) as at:
        with llmstack.in_terminal("rm", "a:1", "--host", at.url) as screen:
            await asyncio.to_thread(screen.wait_for, "Remove? [y/N]")
            assert "a:1: frees 4.7 GB" in screen.written
            screen.type(answer)
            assert await asyncio.to_thread(screen.wait_exit) == code
    assert [*server.installed] == left


async def test_ctrl_c_at_the_question(llmstack: Program) -> None:
    server = usual_ollama("a:1")
    async with serving(server) as at:
        with llmstack.in_terminal("rm", "a:1", "--host", at.url) as screen:
            await asyncio.to_thread(screen.wait_for, "Remove? [y/N]")
            screen.type("\x03")
            assert await asyncio.to_thread(screen.wait_exit) == 130
    assert [*server.installed] == ["a:1"]
    assert "Traceback" not in screen.written


async def test_start_shows_that_it_goes_on(llmstack: Program) -> None:
    server = slow_ollama("a:1")
    async with serving(server) as at:
        with llmstack.given(TERM="xterm").in_terminal("start", "a:1", "--host", at.url) as screen:
            await asyncio.to_thread(screen.wait_for, "Loading a:1 0 s")
            server.may_load.set()
            assert await asyncio.to_thread(screen.wait_exit) == 0
    assert screen.written.endswith(f"\r\x1b[Ka:1 is active at {at.url}.\r\n{STAYS}\r\n")


@pytest.mark.parametrize("term", ["dumb", ""])
async def test_a_dumb_terminal_gets_lines_only(llmstack: Program, term: str) -> None:
    server = slow_ollama("a:1")
    async with serving(server) as at:
        with llmstack.given(TERM=term).in_terminal("start", "a:1", "--host", at.url) as screen:
            await wait_until(lambda: is_asked_to_load(server), what="the model loads")
            server.may_load.set()
            assert await asyncio.to_thread(screen.wait_exit) == 0
    assert screen.written == f"a:1 is active at {at.url}.\r\n{STAYS}\r\n"


async def test_ctrl_c_while_a_model_loads_gives_the_load_up(llmstack: Program) -> None:
    server = slow_ollama("a:1")
    async with serving(server) as at:
        with llmstack.given(TERM="xterm").in_terminal("start", "a:1", "--host", at.url) as screen:
            await asyncio.to_thread(screen.wait_for, "Loading a:1")
            await wait_until(lambda: is_asked_to_load(server), what="the model loads")
            screen.type("\x03")
            assert await asyncio.to_thread(screen.wait_exit) == 130
        await wait_until(lambda: at.open == 0, what="the client's connections are closed")
    assert server.loaded == []
    assert "Traceback" not in screen.written


def test_without_a_question_on_a_terminal_chat_says_how(llmstack: Program) -> None:
    with llmstack.in_terminal("chat", "a:1") as screen:
        assert screen.wait_exit() == 2
    assert "llmstack chat a:1 'Why?'" in screen.written
