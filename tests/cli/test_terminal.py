"""What only happens on a terminal: questions, progress, Ctrl-C."""

from __future__ import annotations

import asyncio
import re
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.fake_ollama import usual_ollama
from tests.support.scripted_server import Then, ndjson, serving
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

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
    assert screen.written.endswith(f"\r\x1b[Ka:1 is loaded at {at.url}.\r\n{STAYS}\r\n")


@pytest.mark.parametrize("term", ["dumb", ""])
async def test_a_dumb_terminal_gets_lines_only(llmstack: Program, term: str) -> None:
    server = slow_ollama("a:1")
    async with serving(server) as at:
        with llmstack.given(TERM=term).in_terminal("start", "a:1", "--host", at.url) as screen:
            await wait_until(lambda: is_asked_to_load(server), what="the model loads")
            server.may_load.set()
            assert await asyncio.to_thread(screen.wait_exit) == 0
    assert screen.written == f"a:1 is loaded at {at.url}.\r\n{STAYS}\r\n"


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


@pytest.mark.parametrize("command", [("show",), ("ps",), ("start",), ("stop",), ("chat",)])
async def test_the_beginning_of_a_name_is_enough_on_a_terminal(
    llmstack: Program, command: tuple[str, ...]
) -> None:
    server = usual_ollama("alpha:7b", "alpine:7b", "beta:7b", loaded=("alpha:7b",))
    more = ("Why?",) if command == ("chat",) else ()
    async with serving(server) as at:
        words = (*command, "{}", *more, "--host", at.url)
        with llmstack.in_terminal(*(word.format("alph") for word in words)) as screen:
            assert await asyncio.to_thread(screen.wait_exit) == 0, screen.written
        with llmstack.in_terminal(*(word.format("alp") for word in words)) as screen:
            assert await asyncio.to_thread(screen.wait_exit) == 1
            assert "'alp' is the beginning of alpha:7b and alpine:7b: which one?" in screen.words
        # A script that means one model must not get another, once that is installed.
        done = await asyncio.to_thread(llmstack, *(word.format("alph") for word in words))
        assert (done.returncode, done.stdout) == (1, ""), done


@pytest.mark.parametrize("command", [("rm", "--yes"), ("pin",), ("unpin",), ("update",)])
async def test_but_not_for_what_removes_or_keeps(llmstack: Program, command: tuple[str, ...]) -> None:
    server = usual_ollama("alpha:7b")
    async with serving(server) as at:
        with llmstack.in_terminal(*command, "alph", "--host", at.url) as screen:
            assert await asyncio.to_thread(screen.wait_exit) == 1
            assert "no model 'alph'" in screen.words
    assert [*server.installed] == ["alpha:7b"]


@pytest.mark.parametrize(("variables", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
async def test_a_table_fits_the_terminal(
    llmstack: Program, variables: dict[str, str], coloured: bool
) -> None:
    name = "a-model-whose-name-has-all-of-sixty-characters-in-it:q4_k_m8"
    server = usual_ollama(name, loaded=(name,))
    async with serving(server) as at:
        with llmstack.given(TERM="xterm", **variables).in_terminal("ls", "--host", at.url) as screen:
            assert await asyncio.to_thread(screen.wait_exit) == 0
        head, row, *rest = screen.text.splitlines()
        assert "NAME" in head
        assert row.endswith("active")
        assert not "".join(rest).strip()
        assert ("\x1b[32m" in screen.written) is coloured
        done = await asyncio.to_thread(llmstack, "ls", "--host", at.url)
    assert name in done.stdout
    assert "\x1b" not in done.stdout


async def test_what_is_no_failure_is_not_said_as_one(llmstack: Program) -> None:
    async with serving(usual_ollama("a:1")) as at:
        with llmstack.in_terminal("ps", "--host", at.url) as screen:
            assert await asyncio.to_thread(screen.wait_exit) == 0
        assert screen.written == "No model is loaded.\r\n"
        done = await asyncio.to_thread(llmstack, "ps", "--host", at.url)
        assert (done.returncode, done.stdout) == (0, "")


async def test_an_endless_answer_ends(llmstack: Program) -> None:
    server = usual_ollama("a:1")
    async with serving(server) as at:
        assert (await asyncio.to_thread(llmstack, "chat", "a:1", "Why?", "--host", at.url)).returncode == 0
        await asyncio.to_thread(llmstack, "chat", "a:1", "Why?", "--limit", "5", "--host", at.url)
        wrong = await asyncio.to_thread(llmstack, "chat", "a:1", "Why?", "--limit", "-1", "--host", at.url)
    assert wrong.returncode == 2
    asked = [body["options"] for path, body in server.asked if path == "/api/chat"]
    assert asked == [{"num_predict": 16_384}, {"num_predict": 5}]


async def test_that_ollama_cannot_be_limited_is_said(llmstack: Program) -> None:
    limited = llmstack.given(LLMSTACK_UPDATES_LIMIT="5MB/s")
    async with serving(usual_ollama("a:1")) as at:
        words = ("pull", "127.0.0.1:1/a/b:1", "--host", at.url)
        assert "cannot be limited" in (await asyncio.to_thread(limited, *words)).stderr
        assert (await asyncio.to_thread(llmstack, *words)).stderr == ""


async def test_an_import_shows_each_of_its_steps(llmstack: Program, tiny_model: Path) -> None:
    server = usual_ollama()
    server.creating = ndjson({"status": "parsing GGUF"}, then=Then.HANG)
    async with serving(server) as at:
        with llmstack.in_terminal("import", str(tiny_model), "a:1", "--host", at.url) as screen:
            await asyncio.to_thread(screen.wait_for, "parsing GGUF")
            # The server has its content already, so that nothing is sent.
            assert re.search(r"hashing 100 % of \d+ kB.*parsing GGUF", screen.written, re.DOTALL)
            screen.type("\x03")
            assert await asyncio.to_thread(screen.wait_exit) == 130
