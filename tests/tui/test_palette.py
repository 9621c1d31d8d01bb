"""Models in the palette: found by name, quickly, and never as markup."""

from __future__ import annotations

import time

from textual.command import Hit

from llmstack_tui.tui.palette import ModelCommands
from tests.support import seeded
from tests.tui.driving import FakeDesk, dashboard


async def found(desk: FakeDesk, query: str) -> list[Hit]:
    return [hit async for hit in ModelCommands(desk.app.screen).search(query) if isinstance(hit, Hit)]


async def test_a_name_goes_to_the_model() -> None:
    async with dashboard() as desk:
        await desk.press("ctrl+p")
        await desk.until_shown("Search for commands")
        await desk.type("mistral")
        await desk.until_shown("mistral:7b  inactive")
        await desk.press("enter")
        await desk.pilot.pause()
        assert desk.app.models.selected == (seeded.URL, "mistral:7b")


async def test_the_word_before_a_name_acts_on_it() -> None:
    async with dashboard() as desk:
        await desk.press("ctrl+p")
        await desk.until_shown("Search for commands")
        await desk.type("load mistral")
        await desk.until_shown("Load mistral:7b")
        await desk.press("enter")
        await desk.until_said("mistral:7b was loaded")
        assert [hit.text for hit in await found(desk, "unl mistral")] == ["unload mistral:7b"]


async def test_names_from_outside_are_no_markup() -> None:
    models = tuple(seeded.model(name) for name in seeded.HOSTILE_NAMES)
    async with dashboard(seeded.state(seeded.snapshot(models))) as desk:
        await desk.press("ctrl+p")
        await desk.until_shown("Search for commands")
        await desk.type("[")
        await desk.until_shown("evil/[/red]:latest", "model[q4]:latest")


async def test_thousands_of_models_do_not_hold_up_the_keys() -> None:
    async with dashboard(seeded.many(3000)) as desk:
        await found(desk, "model")
        began = time.process_time()
        hits = await found(desk, "2999")
        assert time.process_time() - began < 0.1
        assert [hit.text for hit in hits] == ["model-2999:latest"]
        assert len(await found(desk, "model")) == 40 + 1  # the last says that there are more


async def test_a_lone_verb_lists_no_models() -> None:
    async with dashboard() as desk:
        assert await found(desk, "load") == []


async def test_the_commands_name_the_keys_of_the_user() -> None:
    async with dashboard() as desk:
        helps = {each.title: each.help for each in desk.app.get_system_commands(desk.app.screen)}
        assert helps["Load"].endswith("(a)")


async def test_the_palette_and_the_help_are_ascii_where_the_terminal_is() -> None:
    async with dashboard(unicode=False, size=(80, 24)) as desk:
        await desk.press("ctrl+p")
        await desk.until_shown("Search for commands", "Activity")
        assert desk.text.isascii()
        await desk.press("escape")
        await desk.press("question_mark")
        await desk.until_shown("First steps")
        assert desk.text.isascii()
        assert all(shown.isascii() for shown in desk.app.preferences.shown_keys().values())


async def test_more_hits_than_are_listed_are_counted() -> None:
    async with dashboard(seeded.many(3000)) as desk:
        *_, last = await found(desk, "model")
        assert last.text == "The first 40 of 3,000 models: type more of the name."
        assert [hit.text for hit in await found(desk, "model-2999")] == ["model-2999:latest"]
