"""The screen of settings: over the real file, which other programs write, too."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base import languages
from llmstack_tui.config.editing import change
from llmstack_tui.config.loading import load_settings
from llmstack_tui.config.settings import Settings
from llmstack_tui.config.table import find_setting
from llmstack_tui.tui import themes
from llmstack_tui.tui.settings.rows import KnownSettings, rows, setting_of, unknown_place
from tests.support.waiting import wait_until
from tests.tui.driving import real_dashboard

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Sentence

FILE = '# mine\n[ui]\nlanguagee = "en"\nascii = false # drawn\n[engine]\nport = "many"\n'


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / ".config/llmstack/config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(FILE)
    return path


async def test_a_setting_is_found_changed_taken_back_and_reset(file: Path) -> None:
    async with real_dashboard(size=(100, 30)) as desk:
        await desk.press("comma")
        await desk.until_shown("What is wrong", "config.toml line 3", "All servers")
        await desk.until_said("languagee is not a setting")  # The file is followed from here.
        await desk.press("delete")
        await wait_until(lambda: "languagee" not in file.read_text())
        assert "# mine" in file.read_text()
        await desk.search("characters only", "space")
        await wait_until(lambda: "ascii = true # drawn" in file.read_text())
        await wait_until(lambda: desk.app.marks.active == "*", what="a setting that counts at once")
        await wait_until(lambda: "─" not in desk.text, what="lines of ASCII")
        await wait_until(lambda: "ui.ascii is true now." in desk.told)
        await desk.press("z")
        await wait_until(lambda: "ascii = false # drawn" in file.read_text())
        await desk.press("delete")
        await wait_until(lambda: "ascii" not in file.read_text())


async def test_what_was_changed_meanwhile_is_not_taken_back(file: Path) -> None:
    async with real_dashboard(size=(100, 30)) as desk:
        await desk.press("comma")
        await desk.until_shown("All servers")
        await desk.search("characters only", "space")
        await wait_until(lambda: "ascii = true # drawn" in file.read_text())
        await wait_until(lambda: "ui.ascii is true now." in desk.told)
        file.write_text(file.read_text().replace("ascii = true", "ascii = false"))
        await desk.press("z")
        await wait_until(lambda: "ui.ascii was changed meanwhile, and stays as it is." in desk.told)


async def test_a_variable_that_forbids_changes_forbids_these(file: Path) -> None:
    given = {"LLMSTACK_READ_ONLY": "1"}
    async with real_dashboard(size=(100, 30), settings=Settings(read_only=True), environ=given) as desk:
        await desk.press("comma")
        await desk.until_shown("LLMSTACK_READ")
        await desk.search("characters only", "space")
        await wait_until(lambda: "Nothing can be changed: llmstack is read-only." in desk.told)
        assert file.read_text() == FILE


async def test_a_value_is_checked_while_it_is_typed(file: Path) -> None:
    async with real_dashboard(size=(100, 30)) as desk:
        await desk.press("comma")
        await desk.until_shown("config.toml line 6")
        await desk.press("down", "enter", "enter")
        await desk.until_shown("Values: a whole number")
        await desk.type("x")
        await desk.until_shown("engine.port must be a whole number")
        await desk.press("enter")
        assert file.read_text() == FILE
        await desk.press("backspace", "backspace", "backspace", "backspace", "backspace")
        await desk.type("11600")
        await desk.press("enter")
        await wait_until(lambda: "port = 11600" in file.read_text())
        await desk.until_shown("next start")


async def test_a_theme_is_shown_while_the_cursor_is_on_it(file: Path) -> None:
    async with real_dashboard(size=(100, 30)) as desk:
        before = desk.app.theme
        await desk.until_said("languagee is not a setting")
        await desk.press("comma")
        await desk.until_shown("What is wrong")
        await desk.search("ui.theme", "enter")
        await desk.until_shown("choose")
        await desk.press("down")
        await wait_until(lambda: desk.app.theme == themes.LIGHT.name)
        await desk.press("escape")
        await wait_until(lambda: desk.app.theme == before)
        assert file.read_text() == FILE
        await desk.press("enter")
        await desk.until_shown("choose")
        await desk.press("down", "enter")
        await wait_until(lambda: 'theme = "light"' in file.read_text())
        await wait_until(lambda: desk.app.preferences.theme == themes.LIGHT.name)


async def test_what_cannot_be_written_is_a_sentence(file: Path) -> None:
    file.write_text("[ui\n")
    async with real_dashboard(size=(100, 30)) as desk:
        await desk.press("comma")
        await desk.until_shown("is not valid TOML")
        await desk.search("ui.ascii", "space")
        await wait_until(lambda: "Put that right first; nothing was changed." in desk.told)
        assert file.read_text() == "[ui\n"


@pytest.mark.parametrize(
    ("setting", "before", "after"),
    [("ui.ascii", "Settings", "Ajustes"), ("hosts", "Servers", "Servidores"), ("ui.keys", "Keys", "Teclas")],
)
async def test_a_screen_of_the_settings_follows_the_language(
    file: Path, monkeypatch: pytest.MonkeyPatch, setting: str, before: str, after: str
) -> None:
    monkeypatch.delenv("LLMSTACK_UI_LANGUAGE", raising=False)
    file.write_text('[ui]\nlanguage = "en"\n')
    try:
        async with real_dashboard(size=(100, 30)) as desk:
            await desk.press("comma")
            await desk.until_shown("All servers")
            if setting != "ui.ascii":
                await desk.search(setting, "enter")
            await desk.until_shown(f" {before} ")
            change(file, {("ui", "language"): '"es"'})
            await desk.until_shown(f" {after} ")
    finally:
        languages.use("en")


def test_where_a_value_comes_from_and_when_it_counts(file: Path) -> None:
    file.write_text('hosts = ["far"]\n[ui]\nascii = true\n[engine]\nport = 1234\n')
    loaded = load_settings(file, {"LLMSTACK_UI_THEME": "light", "LLMSTACK_ENGINE_API_KEY": "k" * 20})
    known = KnownSettings(loaded, Settings(), frozenset({"hosts"}))
    found = {row.key: row for row in rows(known)}
    assert found["ui.ascii"].source == "line 3"
    assert (found["ui.theme"].says, found["ui.theme"].source) == ('"light"', "LLMSTACK_UI_THEME")
    assert (found["hosts"].says, found["hosts"].source) == ("[]", "command line")
    assert found["engine.port"].source == "next start"
    assert found["engine.api_key"].says == "****"
    assert [row.key for row in rows(known, "THEME dark")] == []
    assert [row.key for row in rows(known, "colours")] == ["section ui", "ui.theme"]


@pytest.mark.parametrize(
    ("text", "setting", "unknown"),
    [
        ("[engine]\nport = 0\n", "engine.port", None),
        ('[ui.keys]\n"app.quit" = 1\n', "ui.keys", None),
        ('hosts = [{ url = "a", allow = "x" }]\n', "hosts", None),
        ("[ui]\nthema = 1\n", None, ("ui", "thema")),
        ("engines = 1\n", None, ("engines",)),
    ],
)
def test_a_mistake_leads_to_its_setting(
    file: Path, text: str, setting: str | None, unknown: tuple[str, ...] | None
) -> None:
    file.write_text(text)
    problem = load_settings(file, {}).problems[0]
    found = setting_of(problem)
    assert (found.name if found else None, unknown_place(problem)) == (setting, unknown)


def test_a_mistake_of_a_variable_leads_to_its_setting() -> None:
    problem: Sentence = load_settings(Path("/nowhere"), {"LLMSTACK_UI_THEME": "pink"}).problems[-1]
    assert setting_of(problem) == find_setting("ui.theme")
