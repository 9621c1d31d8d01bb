"""``llmstack validate``: a real model on the built-in engine, and what goes wrong on others."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from tests.support.fake_ollama import usual_ollama
from tests.support.scripted_server import document, serving

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from tests.support.program import Program
    from tests.support.scripted_server import Reply, Request


def states(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    return {each["id"]: each["state"] for each in json.loads(done.stdout)["findings"]}


def test_a_model_of_the_engine_is_loaded_after_a_yes(llmstack: Program, tiny_model: Path) -> None:
    """The engine is started for it, and ends with the command."""
    assert llmstack("import", tiny_model, "tiny:1").returncode == 0
    refused = llmstack("validate", "tiny:1")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "add --yes" in refused.stderr
    done = llmstack("validate", "tiny:1", "--yes", "--json")
    assert done.returncode == 0, done
    found = states(done)
    assert found.pop("embedding") == "does not apply"
    assert {*found.values()} <= {"fine", "advice"}
    assert json.loads(done.stdout)["verdict"] == "OVERALL STATUS: PASS"


async def test_a_loaded_model_needs_no_yes(llmstack: Program) -> None:
    async with serving(usual_ollama("a:1", loaded=("a:1",))) as server:
        done = await asyncio.to_thread(llmstack, "validate", "a:1", "--host", server.url)
    assert done.returncode == 0, done
    assert "It was loaded already." in done.stdout
    assert done.stdout.splitlines()[-1] == "OVERALL STATUS: PASS"


async def test_what_fails_is_in_the_verdict(llmstack: Program) -> None:
    broken = usual_ollama("a:1", loaded=("a:1",))

    async def answer(request: Request) -> Reply:
        if request.path == "/api/chat":
            return document({"error": "the runner died"}, 500)
        return await broken(request)

    async with serving(answer) as server:
        done = await asyncio.to_thread(llmstack, "validate", "a:1", "--json", "--host", server.url)
    assert done.returncode == 1
    assert json.loads(done.stdout)["verdict"] == "OVERALL STATUS: FAIL (chat)"
    assert "the runner died" in done.stdout
    assert states(done)["generation"] == "fine"


async def test_no_model_and_no_server(llmstack: Program) -> None:
    async with serving(usual_ollama("a:1")) as server:
        done = await asyncio.to_thread(llmstack, "validate", "b:1", "--json", "--host", server.url)
    assert (done.returncode, states(done)["model"], states(done)["load"]) == (1, "broken", "does not apply")
    done = llmstack("validate", "b:1", "--host", "http://127.0.0.1:1")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "OVERALL STATUS: FAIL (service)"
