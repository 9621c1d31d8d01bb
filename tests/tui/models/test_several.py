"""Several models at once, by their marks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from llmstack_tui.core.removal import Removal
from llmstack_tui.tui.models.actions import removal_text
from tests.support import seeded
from tests.support.fake_ollama import usual_ollama
from tests.support.waiting import wait_until
from tests.tui.driving import real_dashboard

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from tests.tui.driving import RealDesk


NAMES = ("gemma3:4b", "mistral:7b", "phi4:14b", "qwen3:8b")


def on_server(*names: str, unicode: bool = True) -> AbstractAsyncContextManager[RealDesk]:
    """A dashboard over a server with these models, each with weights of its own, the cursor on the first."""
    ollama = usual_ollama(*names, share_weights=False)
    return real_dashboard(ollama, size=(80, 24), unicode=unicode)


@pytest.mark.parametrize(("unicode", "tick"), [(True, "✓○ "), (False, "+o ")])
async def test_keys_act_on_all_that_are_marked_until_escape(unicode: bool, tick: str) -> None:
    async with on_server(*NAMES, unicode=unicode) as desk:
        await desk.press("space", "j", "space")
        await desk.until_shown("4, 0 active, 2 marked")
        assert desk.text.count(tick) == 2
        await desk.press("a")
        await wait_until(lambda: sorted(desk.ollama.loaded) == [NAMES[0], NAMES[2]])
        await desk.until_shown("4, 2 active, 2 marked")
        await desk.press("escape")
        await wait_until(lambda: "marked" not in desk.text)
        await desk.put_cursor(NAMES[1])
        await desk.press("d")
        await desk.until_shown("is not in memory")
        assert sorted(desk.ollama.loaded) == [NAMES[0], NAMES[2]]
        await desk.press("g", "space", "k", "space")
        await wait_until(lambda: "marked" not in desk.text)


async def test_remove_asks_once_lists_them_and_says_what_it_frees() -> None:
    async with on_server(*NAMES) as desk:
        await desk.press("space", "space", "x")
        await desk.until_shown("Remove 2 models?", *NAMES[:2], "up to 9.4 GB", "Remove them")
        await desk.press("escape")
        assert len(desk.ollama.installed) == 4
        await desk.press("x")
        await desk.until_shown("Remove 2 models?")
        await desk.press("right", "enter")
        await desk.until_shown("Models  2, 0 active ")
        assert sorted(desk.ollama.installed) == [*NAMES[2:]]
        assert "marked" not in desk.text
        for name in NAMES[:2]:
            await desk.until_happened("remove.done", name)


async def test_marks_outlast_a_filter_and_are_told() -> None:
    async with on_server(*NAMES) as desk:
        await desk.put_cursor("mistral:7b")
        await desk.press("space", "slash")
        await desk.type("phi")
        await desk.until_shown("1 of 4, 1 marked")
        await desk.press("enter", "space", "a")
        await wait_until(lambda: sorted(desk.ollama.loaded) == ["mistral:7b", "phi4:14b"])


async def test_several_with_nothing_to_do_are_told_of_in_one_toast() -> None:
    names = [f"model-{number:02}:latest" for number in range(14)]
    async with on_server(*names) as desk:
        await desk.press(*["space"] * 3, "d")
        await desk.until_shown(*(f"{name} is not in memory." for name in names[:3]))
        (toast,) = desk.toasts
        assert toast.message == "\n".join(f"{name} is not in memory." for name in names[:3])
        await desk.press(*["space"] * 9, "d")
        await wait_until(lambda: len(desk.toasts) == 2)
        assert desk.toasts[1].message.endswith("\nand 4 more")
        assert "/api/generate" not in {path for path, _ in desk.ollama.asked}


def removal(name: str, freed: int | None = None, *sharers: str, loaded: bool = False) -> Removal:
    return Removal(seeded.URL, name, freed, sharers, is_loaded=loaded, is_cloud=False)


def test_what_removing_several_frees_is_said_once_for_all() -> None:
    shared = removal("one:latest", None, "two:latest")
    text = removal_text([shared, removal("alone:latest", 1_000_000_000, loaded=True)])
    assert "up to 1.0 GB" in text
    assert "unloaded first" in text
    assert "unloaded first" not in removal_text([shared, removal("two:latest", 4_700_000_000)])
    assert "and 292 more" in removal_text([removal(f"model-{number}") for number in range(300)])
