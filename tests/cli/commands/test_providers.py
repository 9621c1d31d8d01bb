"""``llmstack providers``, and that a key is nowhere but in the header of a request."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from tests.support.program import Program
from tests.support.scripted_server import Reply, document, serving
from tests.support.secrets import assert_nowhere

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.scripted_server import Request

KEY = "sk-ant-0123456789-very-secret-abcdef"


@pytest.fixture
def llmstack(tmp_path: Path) -> Program:
    return Program(tmp_path, {"OLLAMA_HOST": "127.0.0.1:1"})


def test_what_is_missing_is_said(llmstack: Program) -> None:
    done = llmstack.given(ANTHROPIC_API_KEY=KEY, ANTHROPIC_MODEL="claude-x")("providers")
    assert done.returncode == 0
    head, *rows = [line.split() for line in done.stdout.splitlines()]
    assert head == ["NAME", "ASKED", "MODEL", "KEY", "CAN"]
    assert rows[0][:4] == ["●", "ollama", "first", "–"]
    assert rows[2][:5] == ["●", "anthropic", "–", "claude-x", "ANTHROPIC_API_KEY"]
    assert rows[3][:2] == ["○", "gemini"]
    assert "gemini is not set up: set GEMINI_API_KEY, or `llmstack keys add gemini`." in done.stderr
    assert "anthropic" not in done.stderr


def test_the_settings_say_who_is_asked(llmstack: Program, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[providers]\nchain = ["gemini", "ollama"]\nmodels = { ollama = "qwen3:8b" }\n')
    found = json.loads(llmstack("providers", "--json", "--config", file).stdout)["providers"]
    places = {each["name"]: (each["is_default"], each["after"], each["model"]) for each in found}
    assert places["gemini"] == (True, None, None)
    assert places["ollama"] == (False, 1, "qwen3:8b")
    assert places["groq"] == (False, None, None)

    file.write_text('[providers]\nchain = ["gemni"]\n')
    done = llmstack("providers", "--config", file)
    assert done.returncode == 1
    assert "There is no provider gemni; these are: ollama, openai" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("host", ["http://[", "a b"])
def test_a_wrong_address_is_told_beside_the_others(llmstack: Program, host: str) -> None:
    done = llmstack.given(OLLAMA_HOST=host)("providers")
    assert done.returncode == 0
    assert "OLLAMA_HOST has a wrong address." in done.stderr
    assert "openrouter" in done.stdout


async def test_all_are_checked_at_once_and_the_key_is_nowhere(llmstack: Program, tmp_path: Path) -> None:
    async def handle(request: Request) -> Reply:
        if request.path.startswith("/v1beta"):
            return document({"models": []})
        if request.headers.get("x-api-key"):
            return document({"error": {"type": "authentication_error", "message": f"Wrong: {KEY}"}}, 401)
        return Reply([f"<html>{KEY}</html>".encode()], 500)

    async with serving(handle) as server:
        keys = {f"{name}_API_KEY": KEY for name in ("ANTHROPIC", "OPENAI", "GEMINI")}
        urls = {
            "ANTHROPIC_BASE_URL": server.url,
            "OPENAI_BASE_URL": f"{server.url}/v1",
            "GOOGLE_GEMINI_BASE_URL": server.url,
        }
        program = llmstack.given(**keys, **urls)
        done = await asyncio.to_thread(program, "providers", "--check")
        checked = await asyncio.to_thread(program, "providers", "--check", "--json")
        assert [each.headers["x-goog-api-key"] for each in server.requests if "beta" in each.path] == [
            KEY
        ] * 2
    assert done.returncode == 0
    health = {each["name"]: each["health"] for each in json.loads(checked.stdout)["providers"]}
    assert health["gemini"]["is_healthy"]
    assert health["anthropic"]["problem"].startswith(
        "anthropic does not take the key, or the key has no right to this: Wrong: ***."
    )
    assert health["openai"]["problem"] == "openai failed, or has no room now: status 500."
    assert health["ollama"]["problem"] == "ollama cannot be reached. Nothing answers at http://127.0.0.1:1."
    assert health["groq"] is None
    assert_nowhere(KEY, tmp_path, [done.stdout, done.stderr, checked.stdout, checked.stderr])


def test_if_none_answers_it_fails(llmstack: Program) -> None:
    assert llmstack("providers", "--check").returncode == 1
