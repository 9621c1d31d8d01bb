"""The guide in the dashboard: from the help or by its key, read beside the topics or in their place."""

from __future__ import annotations

import pytest

from llmstack_tui.guide.pages import TOPICS
from llmstack_tui.tui.guide.screen import GuideScreen
from tests.tui.driving import FakeDesk, dashboard


async def opened(desk: FakeDesk, *keys: str) -> None:
    await desk.press(*keys)
    await desk.until_shown("First steps", "Models and keys")
    assert isinstance(desk.app.screen, GuideScreen)


async def test_the_help_leads_to_it_and_escape_back() -> None:
    async with dashboard() as desk:
        await desk.press("question_mark")
        await desk.until_shown("the guide")
        await opened(desk, "enter")
        await desk.press("escape")
        await desk.until_shown("qwen2.5-coder:7b")
        assert desk.app.screen is desk.app.models


@pytest.mark.parametrize(("size", "beside"), [((80, 24), False), ((120, 40), True)])
async def test_a_page_is_read_beside_the_topics_or_in_their_place(
    size: tuple[int, int], beside: bool
) -> None:
    async with dashboard(size=size) as desk:
        await opened(desk, "ctrl+g")
        assert ("From a clone of the repository" in desk.text) == beside
        await desk.press(*["down"] * TOPICS.index("guard"))
        assert ("What it does" in desk.text) == beside
        await desk.press("enter")
        await desk.until_shown("What it does")
        assert ("First steps" in desk.text) == beside
        assert "Read" not in desk.text.splitlines()[-1], "what is read already"
        await desk.press("end")
        await desk.until_shown("Who guards")
        await desk.press("escape")
        await desk.until_shown("First steps", "Read")
        await desk.press("up", "enter")
        await desk.until_shown("The memory pane")
        await desk.press("escape", "q")
        assert desk.app.screen is desk.app.models


async def test_it_follows_the_language() -> None:
    async with dashboard(size=(120, 40)) as desk:
        await opened(desk, "ctrl+g")
        desk.app.action_use_language("es")
        await desk.until_shown("Primeros pasos", "Si algo no funciona", "Instalar, conseguir un modelo")
        desk.app.action_use_language("en")
        await desk.until_shown("First steps", "Install, get a model")


async def test_where_the_terminal_has_only_ascii_so_has_the_guide() -> None:
    async with dashboard(unicode=False, size=(80, 60)) as desk:
        await opened(desk, "ctrl+g")
        await desk.press("down", "enter")
        await desk.until_shown("* active: in memory")
        assert desk.text.isascii()
