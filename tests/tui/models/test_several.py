"""Several models at once, by their marks."""

from __future__ import annotations

import pytest

from llmstack_tui.core.removal import Removal
from llmstack_tui.tui.models.actions import removal_text
from tests.support import seeded
from tests.support.waiting import wait_until
from tests.tui.driving import FakeDesk, dashboard


def asked(desk: FakeDesk, act: str) -> list[str]:
    return [call[2] for call in desk.stack.calls if call[0] == act]


@pytest.mark.parametrize(("unicode", "tick"), [(True, "✓○ "), (False, "+o ")])
async def test_keys_act_on_all_that_are_marked_until_escape(unicode: bool, tick: str) -> None:
    async with dashboard(seeded.many(300), size=(80, 24), unicode=unicode) as desk:
        await desk.press("space", "j", "space")
        assert "300, 0 active, 2 marked" in desk.text
        assert desk.text.count(tick) == 2
        await desk.press("a")
        await wait_until(lambda: asked(desk, "activate") == ["model-0000:latest", "model-0002:latest"])
        await desk.until_shown("300, 2 active, 2 marked")
        await desk.press("escape")
        assert "marked" not in desk.text
        await desk.press("d")
        assert asked(desk, "deactivate") == []
        await desk.press("g", "space", "k", "space")
        assert "marked" not in desk.text


async def test_remove_asks_once_lists_them_and_says_what_it_frees() -> None:
    async with dashboard(seeded.many(300), size=(80, 24)) as desk:
        await desk.press("space", "space", "x")
        await desk.until_shown("Remove 2 models?", "model-0000", "model-0001", "up to 9.4 GB", "Remove them")
        await desk.press("escape")
        assert asked(desk, "delete") == []
        await desk.press("x", "right", "enter")
        await wait_until(lambda: len(asked(desk, "delete")) == 2)
        await desk.until_shown("Models  298, 0 active ")
        assert "marked" not in desk.text
        assert sorted(desk.events) == [f"model-000{last}:latest was removed." for last in (0, 1)]


async def test_marks_outlast_a_filter_and_are_told() -> None:
    async with dashboard() as desk:
        await desk.press("j", "j", "space", "slash")
        await desk.type("phi")
        await desk.until_shown("1 of 7, 1 marked")
        await desk.press("enter", "space", "a")
        await wait_until(lambda: sorted(asked(desk, "activate")) == ["mistral:7b", "phi4:14b"])


def removal(name: str, freed: int | None = None, *sharers: str, loaded: bool = False) -> Removal:
    return Removal(seeded.URL, name, freed, sharers, is_loaded=loaded, is_cloud=False)


def test_what_removing_several_frees_is_said_once_for_all() -> None:
    shared = removal("one:latest", None, "two:latest")
    text = removal_text([shared, removal("alone:latest", 1_000_000_000, loaded=True)])
    assert "up to 1.0 GB" in text
    assert "unloaded first" in text
    assert "unloaded first" not in removal_text([shared, removal("two:latest", 4_700_000_000)])
    assert "and 292 more" in removal_text([removal(f"model-{number}") for number in range(300)])


async def test_several_with_nothing_to_do_are_told_of_in_one_toast() -> None:
    async with dashboard(seeded.many(20), size=(80, 24)) as desk:
        await desk.press(*["space"] * 3, "d")
        (toast,) = desk.toasts
        names = [f"model-000{last}:latest" for last in range(3)]
        assert toast.message == "\n".join(f"{name} is not in memory." for name in names)
        await desk.until_shown(*(f"{name} is not in memory." for name in names))
        await desk.press(*["space"] * 9, "d")
        _, toast = desk.toasts
        assert toast.message.endswith("\nand 4 more")
        assert asked(desk, "deactivate") == []
