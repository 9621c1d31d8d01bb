"""The main job, as a person does it: from an empty home to an answer over HTTP, and the memory back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import openai
import pytest

from tests.support.engine_process import ENGINE, MODEL, running
from tests.support.gguf import models
from tests.support.waiting import wait_until_sync

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import OpenTerminal

pytestmark = pytest.mark.e2e


def test_a_model_runs_on_a_machine_that_has_never_seen_ollama(
    llmstack: OpenTerminal, home: Path, engine_url: str, tiny_model: Path
) -> None:
    terminal = llmstack()
    terminal.wait_for("Built-in engine", "No models here yet")

    terminal.press("p")
    terminal.wait_for("Pull a model")
    terminal.type(str(tiny_model))
    terminal.wait_for("tiny-scripted:f16", "llama  F16")
    terminal.press("enter")
    terminal.wait_for("○ tiny-scripted:f16")

    terminal.press("a")
    terminal.wait_for("● tiny-scripted:f16")
    (model,) = running(MODEL, home)
    assert model.memory_info().rss > 10_000_000

    with httpx.Client(base_url=engine_url, timeout=30, trust_env=False) as http:
        answer = http.post(
            "/api/generate",
            json={"model": "tiny-scripted:f16", "prompt": "Hi", "options": {"temperature": 0}},
        )
        assert len(answer.text.splitlines()) > 5, "it streams"
    with openai.OpenAI(base_url=f"{engine_url}/v1", api_key="none") as client:
        chat = client.chat.completions.create(
            model="tiny-scripted:f16", messages=[{"role": "user", "content": "Hi"}], temperature=0
        )
        assert chat.choices[0].message.content == models.ANSWER

    terminal.press("d")
    terminal.wait_for("○ tiny-scripted:f16")
    wait_until_sync(lambda: not running(MODEL, home), 10, "the model's process, and so its memory, is gone")

    terminal.press("q")
    assert terminal.wait_exit() == 0


def test_what_the_dashboard_started_ends_with_it(llmstack: OpenTerminal, home: Path) -> None:
    terminal = llmstack()
    terminal.wait_for("Built-in engine", "No models here yet")
    assert running(ENGINE, home)
    terminal.press("q")
    assert terminal.wait_exit() == 0
    wait_until_sync(lambda: not running(ENGINE, home), 20, "the engine ends with its dashboard")
