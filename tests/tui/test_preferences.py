"""The settings while they are edited beside the dashboard, and the theme that it remembers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest

from llmstack_tui.base.paths import Look
from llmstack_tui.config.loading import load_settings
from llmstack_tui.config.settings import LoadedSettings, Settings, UiSettings
from llmstack_tui.core.open import Core
from llmstack_tui.tui.features import key_faults
from tests.config.files import load
from tests.support import seeded
from tests.support.waiting import wait_until
from tests.tui.driving import FakeDesk, dashboard
from tests.tui.fakes import FakeServices, FakeStack

if TYPE_CHECKING:
    from collections.abc import Mapping


def services(
    remembered: Mapping[str, object] | None = None, loaded: LoadedSettings | None = None
) -> FakeServices:
    stack = FakeStack(seeded.typical())
    stack.remembered.update(remembered or {})
    made = FakeServices(stack)
    if loaded is not None:
        made.settings.put_nowait(loaded)
    return made


def edit(desk: FakeDesk, folder: Path, content: str) -> None:
    desk.services.settings.put_nowait(load(folder, content, check_keys=key_faults))


async def test_other_keys_count_at_once_and_removed_ones_go_back(tmp_path: Path) -> None:
    async with dashboard(size=(140, 40)) as desk:
        await desk.press("j", "j")
        edit(desk, tmp_path, '[ui.keys]\n"models.activate" = "f5"')
        await desk.until_shown("f5 Load")
        await desk.until_said("The settings were read again: ui.keys applies now.")
        await desk.press("a")
        assert desk.word("mistral:7b") == "inactive"
        await desk.press("question_mark")
        await desk.until_shown("f5")
        await desk.press("escape")
        edit(desk, tmp_path, "")
        await desk.until_shown("a Load")
        await desk.press("a")
        await desk.until_said("mistral:7b was loaded")


async def test_a_key_that_is_none_names_its_line_until_it_is_right(tmp_path: Path) -> None:
    async with dashboard() as desk:
        edit(desk, tmp_path, '[ui.keys]\n"app.quit" = "ctrl+x"\n"no.such" = "z"')
        await desk.until_said("config.toml line 3: ui.keys.no.such is not an action that has a key")
        edit(desk, tmp_path, '[ui.keys]\n"app.quit" = "ctrl+x"')
        await desk.until_said("The settings are valid again.")


async def test_key_problems_at_the_start_name_their_line(tmp_path: Path) -> None:
    loaded = load(tmp_path, '[ui.keys]\nmodels.activate = "d"', check_keys=key_faults)
    async with dashboard(settings=loaded.settings, services=services(loaded=loaded)) as desk:
        await desk.until_said(
            "config.toml line 2: ui.keys.models.activate has the key 'd', as models.deactivate has"
        )
        await wait_until(lambda: len(desk.toasts) == 1)


async def test_a_problem_that_stays_is_told_once(tmp_path: Path) -> None:
    loaded = load(tmp_path, "nonsense = 1")
    start = services(loaded=loaded)
    async with dashboard(settings=loaded.settings, problems=loaded.problems, services=start) as desk:
        edit(desk, tmp_path, 'nonsense = 1\n[ui]\ntheme = "light"')
        await desk.until_said("ui.theme applies now")
        assert len(desk.toasts) == 1
        assert sum("nonsense" in event for event in desk.events) == 1


async def test_what_counts_later_says_so(tmp_path: Path) -> None:
    async with dashboard() as desk:
        edit(desk, tmp_path, 'hosts = ["10.0.0.1"]\n[ui]\ntheme = "high-contrast"\n[engine]\nport = 1234')
        await desk.until_said("ui.theme applies now; hosts and engine.port apply from the next start.")
        assert desk.app.theme == "llmstack-high-contrast"


async def test_ascii_counts_at_once_and_goes_back(tmp_path: Path) -> None:
    async with dashboard(size=(120, 40)) as desk:
        await desk.until_shown("● qwen2.5-coder:7b", "╭")
        edit(desk, tmp_path, "[ui]\nascii = true")
        await desk.until_said("ui.ascii applies now.")
        await desk.until_shown("* qwen2.5-coder:7b", "enter Open")
        await wait_until(lambda: max(desk.text) < "\x80", what="no other sign")
        await desk.press("enter")
        await desk.until_shown("Addresses")
        await wait_until(lambda: max(desk.text) < "\x80", what="no other sign")
        edit(desk, tmp_path, "")
        await desk.until_shown("╭")
        await desk.press("escape")
        await desk.until_shown("● qwen2.5-coder:7b", "↵ Open", "╭")
        assert "*" not in desk.text
        assert "+-" not in desk.text


async def test_ascii_counts_on_a_screen_that_was_put_away(tmp_path: Path) -> None:
    async with dashboard(size=(120, 40)) as desk:
        await desk.press("3")
        await desk.until_shown("Catalog  ", "·")
        await desk.press("1")
        edit(desk, tmp_path, "[ui]\nascii = true")
        await desk.until_said("ui.ascii applies now.")
        await desk.press("3")
        await desk.until_shown("Catalog  ", "  -  licence")
        await wait_until(lambda: max(desk.text) < "\x80", what="no other sign")


async def test_a_terminal_without_these_signs_stays_ascii(tmp_path: Path) -> None:
    settings = Settings(ui=UiSettings(ascii=True))
    async with dashboard(unicode=False, settings=settings) as desk:
        edit(desk, tmp_path, "")
        await desk.until_said("ui.ascii applies now.")
        await desk.pilot.pause()
        await wait_until(lambda: max(desk.text) < "\x80", what="no other sign")


KEYS = """
[ui.keys]
"app.quit" = "ctrl+x"
"dialog.cancel" = "f9"
"help.close" = "f8"
"line.close" = "f7"
"models.refresh" = "f5"
"models.import" = "f6"
"filter.clear" = "f12"
"""


async def test_sentences_and_dialogs_name_the_keys_of_the_settings(tmp_path: Path) -> None:
    settings = load(tmp_path, KEYS).settings
    async with dashboard(seeded.state(seeded.snapshot()), settings=settings) as desk:
        await desk.until_shown("Press f6 to pull one by its name")
        await desk.press("f6")
        await desk.until_shown("f9  back")
        await desk.press("f9", "question_mark")
        await desk.until_shown("f8  back")
        await desk.press("f8")
        desk.app.say("Nothing.")
        desk.stack.put(seeded.state(seeded.snapshot(read_at=None)))
        await desk.until_shown("Press f5 to try again now, ^x to leave.")
        desk.stack.put(seeded.typical())
        await desk.until_shown("mistral:7b")
        await desk.press("slash", "z", "z", "z")
        await desk.until_shown("Press f12 to see all of them again.")
        await desk.press("f12")
        await desk.pilot.resize_terminal(50, 12)
        await desk.until_shown("press ^x to")
        edit(desk, tmp_path, "")
        await desk.until_shown("press q to")


async def test_a_hint_follows_the_keys_while_it_is_shown(tmp_path: Path) -> None:
    async with dashboard() as desk:
        await desk.press("p")
        await desk.until_shown("enter  add    tab  next field    right  complete    esc  back")
        edit(desk, tmp_path, KEYS)
        await desk.until_shown("f9  back")


async def test_read_only_counts_at_once(tmp_path: Path) -> None:
    async with dashboard() as desk:
        edit(desk, tmp_path, "read_only = true")
        await desk.until_shown("read-only")
        assert desk.stack.read_only
        edit(desk, tmp_path, "read_only = false")
        await wait_until(lambda: not desk.stack.read_only and "read-only" not in desk.text)


async def test_a_dashboard_that_was_opened_read_only_stays_so(tmp_path: Path) -> None:
    loaded = load(tmp_path, "read_only = true")
    async with dashboard(settings=Settings(read_only=True), services=services(loaded=loaded)) as desk:
        edit(desk, tmp_path, "")
        await desk.until_said("read_only applies from the next start.")
        assert desk.stack.read_only
        await desk.until_shown("read-only")


async def test_the_theme_that_was_chosen_is_remembered(tmp_path: Path) -> None:
    async with dashboard(services=services({"theme": "llmstack-light"})) as desk:
        await wait_until(lambda: desk.app.theme == "llmstack-light")
        desk.app.theme = "nord"
        await wait_until(lambda: desk.stack.remembered["theme"] == "nord")
        edit(desk, tmp_path, '[ui]\ntheme = "high-contrast"')
        await wait_until(lambda: desk.app.theme == "llmstack-high-contrast")
        assert desk.stack.remembered["theme"] == "nord"


async def test_the_theme_of_the_settings_wins(tmp_path: Path) -> None:
    loaded = load(tmp_path, '[ui]\ntheme = "dark"')
    start = services({"theme": "llmstack-light"}, loaded)
    async with dashboard(settings=loaded.settings, services=start) as desk:
        await wait_until(start.settings.empty)
        await desk.pilot.pause()
        assert desk.app.theme == "llmstack-dark"
        desk.app.theme = "llmstack-light"
        await wait_until(lambda: any("The next start takes" in toast.message for toast in desk.toasts))


async def test_no_color_wins_over_what_is_remembered() -> None:
    loaded = load_settings(Path("/nowhere/config.toml"), {"NO_COLOR": "1"})
    start = services({"theme": "llmstack-light"}, loaded)
    async with dashboard(settings=loaded.settings, services=start) as desk:
        await wait_until(start.settings.empty)
        await desk.pilot.pause()
        assert desk.app.theme == "llmstack-no-colour"


async def test_a_theme_that_is_gone_leaves_the_usual_one() -> None:
    start = services({"theme": "of-a-plugin"})
    async with dashboard(services=start) as desk:
        await wait_until(start.settings.empty)
        await desk.pilot.pause()
        assert desk.app.theme == "llmstack-dark"


async def test_the_first_paint_has_the_theme_of_the_last_session() -> None:
    start = services({"theme": "llmstack-light"})
    start.kept["theme"] = "llmstack-light"
    async with dashboard(services=start, connected=False) as desk:
        assert desk.app.theme == "llmstack-light"
        assert desk.app.has_class("-light-mode")
        await wait_until(start.settings.empty)
        await desk.pilot.pause()
        assert desk.app.theme == "llmstack-light"
        desk.app.theme = "nord"
        await wait_until(lambda: start.kept == {"theme": "nord"})


@pytest.mark.parametrize("content", ['[ui]\ntheme = "dark"', ""])
async def test_what_was_shown_last_does_not_outlive_its_reason(tmp_path: Path, content: str) -> None:
    """The settings name another one now, or no longer that one."""
    loaded = load(tmp_path, content)
    start = services({}, loaded)
    start.kept["theme"] = "llmstack-light"
    async with dashboard(settings=loaded.settings, services=start) as desk:
        await wait_until(lambda: desk.app.theme == "llmstack-dark")
        await wait_until(lambda: start.kept["theme"] == "llmstack-dark")


@pytest.mark.parametrize("kept", ["of-a-plugin", "x" * 300, "[red]\n"])
async def test_a_last_theme_that_is_none_is_passed_over(kept: str) -> None:
    start = services()
    start.kept["theme"] = kept
    async with dashboard(services=start, connected=False) as desk:
        assert desk.app.theme == "llmstack-dark"


@pytest.mark.parametrize("look", get_args(Look))
async def test_the_core_keeps_the_look_where_it_can(empty_home: Path, look: Look) -> None:
    core = Core(Settings(), {})
    assert core.last_look(look) == ""
    await core.keep_look(look, "nord")
    assert core.last_look(look) == "nord"
    (file,) = (each for each in empty_home.rglob(look) if each.is_file())
    file.write_bytes(b"\xff\xfe" * 1000)
    assert core.last_look(look) == ""
    file.unlink()
    file.mkdir()
    await core.keep_look(look, "nord")
    assert core.last_look(look) == ""


async def test_the_core_reads_the_file_that_was_named(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[ui]\ntheme = "light"')
    all_loaded = Core(Settings(), {}, file).watch_settings()
    assert (await anext(all_loaded)).settings.ui.theme == "light"
    await all_loaded.aclose()


async def test_the_home_of_who_runs_the_tests_is_left_alone(empty_home: Path) -> None:
    core = Core(Settings(), {})
    assert all(Path(place).is_relative_to(empty_home) for _, place in core.places())
