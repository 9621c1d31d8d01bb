"""``llmstack chat NAME`` on a terminal, and what goes with a question."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.fake_ollama import usual_ollama
from tests.support.scripted_server import serving

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.fake_ollama import FakeOllama
    from tests.support.program import Program
    from tests.support.terminal import Terminal

if sys.platform == "win32":
    pytest.skip("needs pseudo-terminals", allow_module_level=True)

HINT = 'Ctrl-D: end · Ctrl-C: stop the answer · \\ or """: more lines · @path: a file'
PNG = b"\x89PNG\r\n\x1a\n rest"


def asked(server: FakeOllama) -> list[list[tuple[str, str]]]:
    """The roles and texts of each request for a chat."""
    bodies = [body for path, body in server.asked if path == "/api/chat" and body.get("messages")]
    return [[(each["role"], each["content"]) for each in body["messages"]] for body in bodies]


async def until(screen: Terminal, *lines: str) -> None:
    """Until the screen ends with these lines."""

    def ends() -> bool:
        return screen.text.rstrip().split("\n")[-len(lines) :] == [*lines]

    ended = await asyncio.to_thread(screen.until, ends, 30)
    assert ended, screen.text


async def test_a_talk_goes_on_line_by_line_and_another_day(llmstack: Program) -> None:
    server = usual_ollama("a:1")
    async with serving(server) as at:
        with llmstack.in_terminal("chat", "a:1", "--system", "Be kind.", "--host", at.url) as screen:
            await until(screen, HINT, ">>>")
            screen.type("One \\\n")
            await until(screen, "...")
            screen.type("and two\n")
            await until(screen, "Hello there.", ">>>")
            screen.type("nev\x03")
            await asyncio.to_thread(screen.until, lambda: ">>> nev" in screen.text, 30)
            await until(screen, ">>>")
            screen.type("@/etc/passwd\n")
            await asyncio.to_thread(screen.wait_for, "is not in the folder")
            await until(screen, ">>>")
            screen.type("\x04")
            assert await asyncio.to_thread(screen.wait_exit) == 0
        assert "To go on: llmstack chat a:1 --resume " in screen.written
        again = ("chat", "a:1", "--resume", "last", "--host", at.url)
        with llmstack.in_terminal(*again) as screen:
            await until(screen, "and two", "Hello there.", HINT, ">>>")
            screen.type("Three\n")
            await until(screen, ">>> Three", "Hello there.", ">>>")
            screen.type("\x04")
            assert await asyncio.to_thread(screen.wait_exit) == 0
    first, second = asked(server)
    assert first == [("system", "Be kind."), ("user", "One \nand two")]
    assert second == [*first, ("assistant", "Hello there."), ("user", "Three")]
    assert "Traceback" not in screen.written


async def test_a_talk_that_is_not_kept(llmstack: Program) -> None:
    server = usual_ollama("a:1")
    async with serving(server) as at:
        with llmstack.in_terminal("chat", "a:1", "--no-keep", "--host", at.url) as screen:
            await until(screen, HINT, ">>>")
            screen.type("One\n")
            await until(screen, "Hello there.", ">>>")
            screen.type("\x04")
            assert await asyncio.to_thread(screen.wait_exit) == 0
        none = await asyncio.to_thread(llmstack, "chat", "a:1", "Hi", "--resume", "last", "--host", at.url)
    assert (none.returncode, none.stderr.count("\n")) == (2, 1)
    assert [*llmstack.home.rglob("chats.db")] == []


async def test_an_image_and_a_schema_go_with_a_question(llmstack: Program, tmp_path: Path) -> None:
    (tmp_path / "i.png").write_bytes(PNG)
    (tmp_path / "text.png").write_text("x")
    (tmp_path / "schema.json").write_text('{"type": "object"}')
    server = usual_ollama("a:1")
    async with serving(server) as at:
        more = ("--host", at.url, "--json-schema", str(tmp_path / "schema.json"))
        done = await asyncio.to_thread(llmstack, "chat", "a:1", "What?", *more)
        assert done.returncode == 0, done.stderr
        for wrong in (
            ("--image", str(tmp_path / "text.png")),
            ("--image", str(tmp_path / "schema.json")),
            ("--json-schema", str(tmp_path / "i.png")),
            ("--json-schema", str(tmp_path / "none")),
        ):
            done = await asyncio.to_thread(llmstack, "chat", "a:1", "What?", "--host", at.url, *wrong)
            assert (done.returncode, done.stderr.count("\n"), wrong[1] in done.stderr) == (1, 1, True)
    [body] = [body for path, body in server.asked if path == "/api/chat" and body.get("messages")]
    assert body["format"] == {"type": "object"}


async def test_the_default_model_is_that_of_the_settings(llmstack: Program, tmp_path: Path) -> None:
    server = usual_ollama("a:1")
    config = tmp_path / "config.toml"
    async with serving(server) as at:
        config.write_text("")
        words = ("chat", "@default", "Hi", "--host", at.url, "--json", "--config", str(config))
        done = await asyncio.to_thread(llmstack, *words)
        assert (done.returncode, "[providers.models]" in done.stderr) == (1, True)
        config.write_text('[providers.models]\nollama = "a:1"\n')
        done = await asyncio.to_thread(llmstack, *words)
    assert json.loads(done.stdout)["name"] == "a:1"


def test_talks_are_imported_found_exported_and_deleted(llmstack: Program, tmp_path: Path) -> None:
    nodes = {
        "1": {"message": {"author": {"role": "user"}, "content": {"parts": ["¿Una canción?"]}}},
        "2": {"message": {"author": {"role": "assistant"}, "content": {"parts": ["Volver"]}}, "parent": "1"},
    }
    (tmp_path / "gpt.json").write_text(json.dumps([{"title": "Música", "mapping": nodes}]))
    assert llmstack("chats", "import", str(tmp_path / "gpt.json")).stdout == "1 talk was imported.\n"
    [talk] = json.loads(llmstack("chats", "--json").stdout)["talks"]
    assert (talk["title"], talk["pinned"]) == ("Música", False)
    [found] = json.loads(llmstack("chats", "search", "cancion", "--json").stdout)["found"]
    assert (found["id"], found["excerpt"]) == (talk["id"], "¿Una canción?")
    assert "## Model\n\nVolver\n" in llmstack("chats", "show", "last").stdout
    page = tmp_path / "talk.html"
    assert llmstack("chats", "export", talk["id"][:4], str(page)).returncode == 0
    assert "<p>Volver</p>" in page.read_text()
    for words, status in (
        (("export", "last", str(page)), 1),
        (("export", "last", "talk.pdf"), 2),
        (("export", "none", "talk.md"), 1),
        (("import", str(page)), 1),
        (("rm", "last"), 1),
    ):
        done = llmstack("chats", *words)
        assert (done.returncode, done.stderr.count("\n"), done.stdout) == (status, 1, ""), done.stderr
    assert llmstack("chats", "rm", "last", "--yes").returncode == 0
    assert json.loads(llmstack("chats", "--json").stdout)["talks"] == []
