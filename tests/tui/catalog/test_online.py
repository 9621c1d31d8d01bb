"""The search on Hugging Face on the screen, over the real core and real HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from llmstack_tui.config.settings import CatalogSettings, Settings
from tests.support.hub import GB, FakeHub, Said, serving_hub
from tests.support.waiting import wait_until
from tests.tui.driving import real_dashboard

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.tui.driving import RealDesk

ID = "bartowski/Llama-GGUF"


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with serving_hub() as hub:
        yield hub


def settings(hub: FakeHub) -> Settings:
    return Settings(catalog=CatalogSettings(online_url=hub.url))


async def searched(desk: RealDesk, words: str) -> None:
    await desk.press("3")
    await desk.until_shown("qwen2.5-coder:7b")
    await desk.press("n")
    await desk.until_shown("Nothing has been asked yet.")
    await desk.type(words)
    await desk.press("enter")


async def test_a_repository_is_found_opened_and_pulled(hub: FakeHub) -> None:
    hub.has(ID, ("x-Q4_K_M.gguf", 800_000_000), ("x-Q8_0.gguf", 2 * GB))
    async with real_dashboard(settings=settings(hub)) as desk:
        await searched(desk, "llama")
        await desk.until_shown(ID, "1 repository of GGUF files", "1,000 downloads")
        await desk.press("enter")
        await desk.until_shown(f"hf.co/{ID}:Q8_0", "800 MB", "Ollama and the built-in engine")
        await desk.press("p")
        await desk.until_shown(f"Download hf.co/{ID}:Q4_K_M?")
        await desk.press("right", "enter")
        await wait_until(lambda: "/api/pull" in {path for path, _ in desk.ollama.asked})
        assert len(hub.asked) == 2


@pytest.mark.parametrize(
    ("files", "gated", "said"),
    [
        ([("x-Q4_0.gguf", GB)], "auto", "Its terms have to be agreed to"),
        (
            [("x-Q4_0-00001-of-00002.gguf", GB), ("x-Q4_0-00002-of-00002.gguf", GB)],
            False,
            "split into several files",
        ),
    ],
    ids=["gated", "split"],
)
async def test_what_cannot_be_pulled_says_why(
    hub: FakeHub, files: list[tuple[str, int]], gated: object, said: str
) -> None:
    hub.has(ID, *files, gated=gated)
    async with real_dashboard(settings=settings(hub)) as desk:
        await searched(desk, "llama")
        await desk.until_shown(ID)
        await desk.press("enter")
        await desk.until_shown(f"hf.co/{ID}:Q4_0")
        await desk.press("p")
        await desk.until_shown(said)
        assert "Download hf.co" not in desk.text


async def test_a_search_that_hangs_is_given_up_by_esc(hub: FakeHub) -> None:
    hub.hangs = True
    async with real_dashboard(settings=settings(hub)) as desk:
        await searched(desk, "llama")
        await desk.until_shown(f"Asking {hub.url.removeprefix('http://')} for GGUF files")
        await desk.press("escape")
        await desk.until_shown("Given up.")
        assert "Nothing has been asked" not in desk.text
        await desk.press("escape")
        await desk.until_shown("room for models here")


@pytest.mark.parametrize(
    ("instead", "said"),
    [
        (Said(429, b"", {"Retry-After": "90"}), "has been asked too often: try again in 90"),
        (Said(200, b"<html>", {"Content-Type": "text/html"}), "answered with a web page"),
        (Said(200, b"[]"), "0 repositories of GGUF files"),
        (Said(200, b"no"), "something else than a list of models"),
    ],
    ids=["429", "page", "nothing", "nonsense"],
)
async def test_a_wrong_answer_is_a_sentence(hub: FakeHub, instead: Said, said: str) -> None:
    hub.instead = instead
    async with real_dashboard(settings=settings(hub)) as desk:
        await searched(desk, "llama")
        await desk.until_shown(said, "Nothing was found.")
        assert "[/" not in desk.text


async def test_it_asks_nothing_without_a_word(hub: FakeHub) -> None:
    async with real_dashboard(settings=settings(hub), unicode=False, size=(80, 24)) as desk:
        await searched(desk, " ")
        await desk.until_shown("Say a part of the name of the model.")
        assert desk.text.isascii()
        assert hub.asked == []
