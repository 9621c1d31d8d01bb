"""``llmstack chat NAME QUESTION --tools``: calls are made, shown and asked about."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from tests.support.fake_ollama import usual_ollama
from tests.support.scripted_server import Reply, Request, ndjson, serving

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from tests.support.program import Program

END = {"done": True, "done_reason": "stop", "prompt_eval_count": 3, "eval_count": 2}


def calling(*turns: str | tuple[str, dict[str, object]]) -> Callable[[Request], Awaitable[Reply]]:
    """An Ollama whose model ``a:1`` says these texts, or calls these tools, one after the other."""
    fake = usual_ollama("a:1", loaded=("a:1",))
    fake.shown = {"capabilities": ["completion", "tools"]}
    left = list(turns)

    async def handle(request: Request) -> Reply:
        if request.path != "/api/chat":
            return await fake(request)
        turn = left.pop(0) if len(left) > 1 else left[0]
        message: dict[str, object] = {"role": "assistant", "content": turn if isinstance(turn, str) else ""}
        if not isinstance(turn, str):
            message["tool_calls"] = [{"function": {"name": turn[0], "arguments": turn[1]}}]
        return ndjson({"message": message, "done": False}, {"message": {"content": ""}, **END})

    return handle


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "a.txt").write_text("forty-two")
    return folder


async def test_a_model_reads_the_folder_and_answers(llmstack: Program, notes: Path) -> None:
    server = calling(("read_file", {"path": "a.txt"}), ("read_file", {"path": "../b"}), "It is 42.")
    async with serving(server) as at:
        words = ("chat", "a:1", "What is it?", "--tools", "--folder", str(notes), "--host", at.url)
        done = await asyncio.to_thread(llmstack, *words, "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["answer"]) == (0, "It is 42.")
    assert found["calls"][0]["result"] == "forty-two"
    assert "is not in the opened folder" in found["calls"][1]["result"]


async def test_nothing_is_written_without_a_terminal_to_ask_on(llmstack: Program, notes: Path) -> None:
    server = calling(("write_file", {"path": "b.txt", "text": "hi"}), "Well.")
    async with serving(server) as at:
        words = ("chat", "a:1", "Write", "--tools", "--folder", str(notes), "--host", at.url)
        done = await asyncio.to_thread(llmstack, *words)
    assert (done.returncode, done.stdout) == (0, "Well.\n")
    assert "The model wants to write b.txt: There is no terminal to ask on: it may not." in done.stderr
    assert not (notes / "b.txt").exists()


async def test_a_model_in_a_circle_is_ended(llmstack: Program, notes: Path) -> None:
    async with serving(calling(("list_folder", {}))) as at:
        words = ("chat", "a:1", "List", "--tools", "--folder", str(notes), "--host", at.url)
        done = await asyncio.to_thread(llmstack, *words)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith("The model makes the same calls again and again: it was ended.\n")


async def test_a_model_without_tools_is_told_so_before_it_is_asked(llmstack: Program, notes: Path) -> None:
    fake = usual_ollama("a:1", loaded=("a:1",))
    fake.shown = {"capabilities": ["completion"]}
    async with serving(fake) as at:
        words = ("chat", "a:1", "List", "--tools", "--folder", str(notes), "--host", at.url)
        done = await asyncio.to_thread(llmstack, *words)
    assert done.returncode == 1
    assert "tools" in done.stderr, done.stderr
    assert "/api/chat" not in [path for path, _ in fake.asked]


async def test_a_person_is_asked_on_the_terminal_and_sees_the_difference(
    llmstack: Program, notes: Path
) -> None:
    server = calling(
        ("write_file", {"path": "a.txt", "text": "43"}),
        ("write_file", {"path": "c.txt", "text": "c"}),
        "Done.",
    )
    async with serving(server) as at:
        words = ("chat", "a:1", "Write", "--tools", "--folder", str(notes), "--host", at.url)

        def talk() -> None:
            with llmstack.in_terminal(*words, columns=100) as terminal:
                terminal.wait_for("wants to write a.txt", "-forty-two", "+43", "Let it?")
                terminal.type("n\r")
                terminal.wait_for("wants to write c.txt", "+c")
                terminal.type("y\r")
                terminal.wait_for("Done.")
                assert terminal.wait_exit() == 0

        await asyncio.to_thread(talk)
    assert (notes / "a.txt").read_text() == "forty-two"
    assert (notes / "c.txt").read_text() == "c"
