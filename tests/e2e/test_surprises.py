"""The whole program beside other programs: what it does without being asked, which is nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.request import Request, urlopen

import pytest

from tests.support.fake_ollama import fake_ollama_thread

if TYPE_CHECKING:
    from tests.e2e.conftest import OpenTerminal

pytestmark = pytest.mark.e2e

MODELS = ("mistral:7b", "phi4:14b", "qwen2.5:7b")


def load_for_ever(url: str, name: str) -> None:
    body = json.dumps({"model": name, "keep_alive": -1}).encode()
    with urlopen(Request(f"{url}/api/generate", body), timeout=30) as answer:  # noqa: S310
        assert json.load(answer)["done"]


def test_nothing_is_stopped_that_others_loaded_before_the_user_says_so(llmstack: OpenTerminal) -> None:
    with fake_ollama_thread(mistral_7b="a", phi4_14b="b", **{"qwen2.5_7b": "c"}) as (fake, url):
        for name in MODELS:
            load_for_ever(url, name)
        more = {"LLMSTACK_ENGINE_CHOICE": "ollama", "LLMSTACK_GUARD_MAX_LOADED": "2"}
        terminal = llmstack(columns=80, rows=24, OLLAMA_HOST=url, **more)
        terminal.wait_for("The guard would unload mistral:7b", "the limit is 2", "guard only watches")
        looks = len(fake.asked)
        assert terminal.until(lambda: len(fake.asked) > looks + 5, 30)
        assert fake.loaded == [*MODELS]
        assert not any(path == "/api/generate" and body["keep_alive"] == 0 for path, body in fake.asked)
        terminal.press("A")
        terminal.wait_for("Leave them alone", "Keep the limit")
        terminal.press("right", "enter")
        assert terminal.until(lambda: len(fake.loaded) == 2, 30)
        terminal.wait_without("guard only watches")
        terminal.press("q")
        assert terminal.wait_exit() == 0
