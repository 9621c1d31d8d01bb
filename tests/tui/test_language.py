"""The language of the screen: switched while the dashboard runs, it leaves no English word behind."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from babel.messages.catalog import Catalog

from llmstack_tui.base import languages
from llmstack_tui.base.languages import LANGUAGES
from llmstack_tui.base.structs import replace
from llmstack_tui.tui.catalog.screen import CatalogScreen
from llmstack_tui.tui.help import help_file
from tests.config.files import load
from tests.languages.catalogues import mo
from tests.languages.sources import texts
from tests.support import seeded
from tests.support.waiting import wait_until
from tests.tui import pulls
from tests.tui.driving import FakeDesk, dashboard
from tests.tui.fakes import FakeServices, FakeStack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from llmstack_tui.base.languages import Language

_LETTERS = re.compile(r"(\{[^}]*\})|[A-Za-z]")
# Names, which no language changes.
_NAMES = {"llmstack", "Ollama", "qwen", "coder", "smollm", "esc", "tab", "space"}


def _garbled(text: str) -> str:
    """A language of one letter: whatever is still in English can be told from it."""
    return _LETTERS.sub(lambda found: found[1] or "ñ", text)


@pytest.fixture(scope="module")
def garbled() -> bytes:
    catalogue = Catalog(locale="en")  # With two forms of the plural.
    for each in texts():
        catalogue.add(each, _garbled(each) if isinstance(each, str) else tuple(map(_garbled, each)))
    return mo(catalogue)


@pytest.fixture(autouse=True)
def stand_in(garbled: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Spanish is `_garbled` here, so that what is shown does not depend on its translations."""
    (tmp_path / "es.mo").write_bytes(garbled)
    monkeypatch.setattr(languages, "FOLDER", tmp_path)
    yield
    languages.use("en")


def english(desk: FakeDesk) -> set[str]:
    """The English words in the header, the tabs, the titles of frames and the key bar."""
    rows = desk.text.splitlines()
    framed = [row for row in rows if "╭" in row]
    words = re.findall(r"[A-Za-z]{3,}", "\n".join([*rows[:2], *framed, *rows[-1:]]))
    return {*words} - _NAMES


async def until_garbled(desk: FakeDesk) -> None:
    def is_garbled() -> bool:
        return bool(desk.text.strip()) and not english(desk)

    await wait_until(is_garbled, what="no English word around the lists")


@pytest.mark.parametrize("keys", ["1", "2", "3", "D", "V", "v"])
async def test_the_whole_screen_follows_a_switch_and_back(keys: str) -> None:
    async with dashboard(size=(160, 40)) as desk:
        await desk.press(keys)
        await desk.pilot.pause()
        before = desk.text.splitlines()

        def is_as(text: str) -> bool:
            return "ñ" not in text and before[1] in text and before[-1] in text

        desk.app.action_use_language("es")
        await until_garbled(desk)
        desk.app.action_use_language("en")
        await wait_until(lambda: is_as(desk.text), what="English again")


async def test_a_question_keeps_its_language_until_it_is_answered(tmp_path: Path) -> None:
    async with dashboard() as desk:
        await desk.press("2")
        await desk.press("1", "x")
        await desk.until_shown("Keep it")
        desk.services.settings.put_nowait(load(tmp_path, '[ui]\nlanguage = "es"'))
        await wait_until(lambda: languages.current().code == "es", what="the setting is read")
        await desk.pilot.pause()
        assert "Keep it" in desk.text
        await desk.press("escape")
        await until_garbled(desk)


async def test_the_palette_names_each_language_in_itself_and_the_next_session_begins_in_it() -> None:
    async with dashboard() as desk:
        await desk.press("ctrl+p")
        await desk.type("Español")
        await desk.until_shown("Language: Español")
        await desk.press("enter")
        await until_garbled(desk)
        await wait_until(lambda: desk.services.kept.get("language") == "es", what="the language is kept")
        await desk.press("ctrl+p")
        await desk.type("ñññññññ English")
        await desk.until_shown("ññññññññ: English")
        await desk.press("escape")
    languages.use("en")
    start = FakeServices(desk.stack)
    start.kept = desk.services.kept
    async with dashboard(services=start, connected=False) as desk:
        assert not english(desk), "at its first paint"
        await wait_until(lambda: desk.app.view.state is not None, what="a first state")
        await wait_until(start.settings.empty, what="the settings are read")
        await until_garbled(desk)


async def test_a_kept_language_does_not_outlive_the_choice() -> None:
    """The state that remembered it is gone."""
    start = FakeServices(FakeStack(seeded.typical()))
    start.kept["language"] = "es"
    async with dashboard(services=start) as desk:
        await wait_until(lambda: languages.current().code == "en", what="the language of the locale")
        await wait_until(lambda: not start.kept["language"], what="no language is kept")
        await desk.until_shown("Models")


async def test_what_the_palette_does_not_find_is_said_in_the_language() -> None:
    async with dashboard() as desk:
        desk.app.action_use_language("es")
        await until_garbled(desk)
        for begin in (desk.app.action_command_palette, desk.app.action_change_theme):
            begin()
            await desk.until_shown("ññññññ ñññ ñññ")  # Search for …
            await desk.type("xyzzy")
            await desk.until_shown("ññ ñññññ.")
            await desk.press("escape")


async def test_a_switch_leaves_cursor_filter_and_what_is_open_as_they_are() -> None:
    async with dashboard() as desk:
        await desk.press("3")
        await desk.until_shown("qwen2.5-coder:7b")
        await desk.search("qwen2.5", "down", "down")
        catalog = desk.app.screen
        assert isinstance(catalog, CatalogScreen)
        pane, rows, row = catalog.pane, catalog.list, catalog.list.row
        await desk.press("enter")
        entry = desk.app.screen
        assert row is not None
        desk.app.action_use_language("es")
        await until_garbled(desk)
        assert desk.app.screen is entry
        assert row.key in desk.text
        await desk.press("escape")
        assert desk.app.screen is pane.screen
        await until_garbled(desk)
        assert pane.filter_text == "qwen2.5"
        assert rows.row is not None
        assert rows.row.key == row.key


async def test_a_download_that_is_looked_at_stays_on_the_screen() -> None:
    now = datetime.now(UTC)
    async with dashboard(replace(seeded.typical(), downloads=pulls.morning(now))) as desk:
        await desk.press("2", "enter")
        await desk.until_shown("Asked for", "Layers")
        shown = desk.app.screen
        desk.app.action_use_language("es")
        await until_garbled(desk)
        assert desk.app.screen is shown
        assert "Asked for" not in desk.text
        assert "Layers" not in desk.text


async def test_a_model_that_is_looked_at_stays_on_the_screen() -> None:
    async with dashboard() as desk:
        await desk.press("j", "enter")
        await desk.until_shown("OpenAI API", "Back")
        shown, name = desk.app.screen, desk.app.models.selected
        assert name is not None
        desk.app.action_use_language("es")
        await until_garbled(desk)
        assert desk.app.screen is shown
        assert name[1] in desk.text
        await wait_until(lambda: "OpenAI API" not in desk.text, what="the addresses in the language")


async def test_the_setting_is_live_and_goes_before_what_was_chosen(tmp_path: Path) -> None:
    async with dashboard() as desk:
        desk.services.settings.put_nowait(load(tmp_path, '[ui]\nlanguage = "es"'))
        await until_garbled(desk)
        desk.app.action_use_language("en")
        await wait_until(lambda: "The next start takes the language of" in desk.told, what="a warning")


async def test_a_switch_is_there_at_once() -> None:
    async with dashboard() as desk:
        await desk.press("2")
        times = []
        for code in ("es", "en", "es"):
            began = time.process_time()
            desk.app.action_use_language(code)
            await until_garbled(desk) if code == "es" else await desk.until_shown("Models")
            times.append(time.process_time() - began)
        assert min(times) < 0.3


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_help_has_the_same_sections_keys_and_marks_in_each_language(language: Language) -> None:
    assert outline(language) == outline(languages.ENGLISH)


def outline(language: Language) -> list[list[list[str]]]:
    """Of each section of the help, the placeholders of each line."""
    whole = help_file(language).read_text(encoding="utf-8").replace("\n  ", " ")
    return [
        [sorted(re.findall(r"\{[^}]*\}", line)) for line in section.splitlines()]
        for section in whole.split("\n\n")
    ]
