"""The dashboard over a fake stack: what keys do, and what is then on the screen."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len
from textual import events
from textual.widgets import Input

from llmstack_tui.base.kinds import HostKind
from llmstack_tui.base.sentences import quoted
from llmstack_tui.base.structs import replace
from llmstack_tui.config.settings import THEMES, Settings, UiSettings
from llmstack_tui.core.state import HostState
from llmstack_tui.hosts.errors import ServerError, Unreachable
from llmstack_tui.tui.activity.screen import ActivityScreen
from llmstack_tui.tui.details import cache
from llmstack_tui.tui.dialogs import AskScreen
from llmstack_tui.tui.features import key_faults
from llmstack_tui.tui.help import HelpScreen
from llmstack_tui.tui.memory import gauges
from llmstack_tui.tui.widgets.keybar import KeyBar
from tests.config.files import load
from tests.support import seeded
from tests.support.waiting import wait_until
from tests.tui.driving import dashboard
from tests.tui.fakes import FakeServices

if TYPE_CHECKING:
    from pathlib import Path

    from llmstack_tui.core.state import StackState

SIZES = [(80, 24), (120, 40), (200, 60), (60, 16)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", [seeded.state(seeded.snapshot()), seeded.many(1), seeded.many(300)])
async def test_every_size_with_few_and_many_models(size: tuple[int, int], state: StackState) -> None:
    async with dashboard(state, size=size) as desk:
        lines = desk.text.splitlines()
        assert len(lines) == size[1]
        assert max(map(cell_len, lines)) <= size[0]
        assert "Ollama 0.24.0" in lines[0]
        assert "q Quit" in lines[-1]
        assert "? Help" in lines[-1]
        count = len(state.hosts[0].models)
        assert ("model-0000" in desk.text) == (count > 0)
        assert ("No models here yet." in desk.text) == (count == 0)
        assert ("Details" in desk.text or "Version" in desk.text) == (size[0] >= 110)


async def test_a_terminal_that_is_too_small_says_what_it_needs_and_recovers() -> None:
    async with dashboard(size=(50, 10)) as desk:
        assert "at least 60" in desk.text
        assert "qwen2.5-coder" not in desk.text
        await desk.pilot.resize_terminal(50, 15)
        await desk.until_shown("at least 60")
        await desk.pilot.resize_terminal(80, 24)
        await desk.until_shown("qwen2.5-coder", "a Load")
        assert "at least 60" not in desk.text


async def test_resizing_through_every_layout() -> None:
    async with dashboard(seeded.many(300)) as desk:
        await desk.press("end")
        for width, height in ((200, 60), (109, 24), (61, 16), (160, 17), (20, 5), (120, 40)):
            await desk.pilot.resize_terminal(width, height)
            await desk.pilot.pause()
            assert max(map(cell_len, desk.text.splitlines())) <= width
        await desk.until_shown("model-0299")


async def test_names_from_outside_are_shown_as_they_are() -> None:
    models = tuple(seeded.model(name) for name in seeded.HOSTILE_NAMES)
    async with dashboard(seeded.state(seeded.snapshot(models))) as desk:
        assert "evil/[/red]:latest" in desk.text
        assert "model[q4]:latest" in desk.text
        assert "\x1b" not in desk.text
        for model in models:
            await desk.press("a")
            await desk.until_happened("activate.loaded", model.name)
            await desk.press("j")
        desk.stack.failure = ServerError("quoted", text="model '[/red]' requires [bold]more", host=seeded.URL)
        await desk.press("d")
        await desk.until_said("requires [bold]more")
        await desk.until_shown("[/red]", "Server error")


async def test_keys_act_on_nothing_that_is_not_shown_and_come_back() -> None:
    async with dashboard() as desk:
        await desk.until_shown("qwen2.5-coder:7b")
        await desk.pilot.resize_terminal(50, 10)
        await desk.until_shown("needs a terminal")
        await desk.press("d", "x", "n", "j")
        assert not {call[0] for call in desk.stack.calls} & {"activate", "deactivate", "delete", "create"}
        assert desk.app.screen is desk.app.models
        await desk.pilot.resize_terminal(100, 30)
        await desk.until_shown("qwen2.5-coder:7b")
        await desk.press("j")
        await wait_until(lambda: desk.app.models.selected == (seeded.URL, "smollm2:135m"))


async def test_a_defect_is_told_and_ends_nothing() -> None:
    async with dashboard() as desk:

        async def broken(*_: object, **__: object) -> bool:
            raise ZeroDivisionError("by zero")

        desk.stack.activate = broken  # type: ignore[method-assign]
        await desk.press("j", "j", "a")
        await wait_until(lambda: desk.toasts)
        assert "ZeroDivisionError" in desk.toasts[0].message
        assert desk.app.is_running


async def test_keys_without_a_model_or_a_server_do_nothing_bad() -> None:
    async with dashboard(seeded.state(seeded.snapshot())) as desk:
        await desk.press("a", "d", "x", "escape", "j", "end", "y")
        assert "No models here yet." in desk.text
    services = FakeServices(desk.stack, never=True)
    async with dashboard(services=services, connected=False) as desk:
        await desk.until_shown("Looking for a server")
        await desk.press("a", "d", "x", "p", "y", "r", "enter", "escape")
        assert desk.app.is_running


async def test_details_are_asked_once_the_cursor_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    async with dashboard() as desk:
        await desk.until_shown("32,768 tokens", "text, tools, fill in")
        asked = [call for call in desk.stack.calls if call[0] == "details"]
        assert asked == [("details", seeded.URL, "qwen2.5-coder:7b")]
        # So slow are the keys on no machine.
        monkeypatch.setattr(cache, "_REST_S", 60.0)
        await desk.press("j", "j", "k", "k")
        await desk.until_shown("32,768 tokens")
        assert ("details", seeded.URL, "smollm2:135m") not in desk.stack.calls


async def test_details_say_where_a_model_runs() -> None:
    model = seeded.model("a:latest")
    loaded = replace(seeded.running(model), size=8_000_000_000, size_vram=6_000_000_000)
    async with dashboard(seeded.state(seeded.snapshot((model,), (loaded,)))) as desk:
        await desk.until_shown("25 % on the CPU: slow")


async def test_enter_opens_nothing_where_there_is_no_model() -> None:
    async with dashboard(seeded.state(seeded.snapshot())) as desk:
        await desk.press("enter", "y")
        assert desk.app.clipboard == f"{seeded.URL}/v1"
        assert desk.app.screen is desk.app.models


async def test_copying_the_address() -> None:
    async with dashboard() as desk:
        await desk.press("y")
        assert desk.app.clipboard == f"{seeded.URL}/v1"
        await desk.press("Y")
        assert desk.app.clipboard == seeded.URL
        assert [toast.title for toast in desk.toasts] == ["Copied", "Copied"]


async def test_the_details_copy_the_address_of_the_model_that_they_show() -> None:
    """The cursor of the list below may have gone to another host meanwhile."""
    here = seeded.typical().hosts[0].snapshot
    there = replace(here, url="http://10.0.0.7:11434")
    state = replace(
        seeded.typical(), hosts=tuple(HostState(each, seeded.models_of(each)) for each in (here, there))
    )
    async with dashboard(state) as desk:
        desk.app.models.pane.move_to((there.url, "mistral:7b"))
        await desk.press("enter")
        desk.app.models.pane.move_to((here.url, "phi4:14b"))
        await desk.press("y")
        assert desk.app.clipboard == f"{there.url}/v1"
        await desk.press("Y")
        assert desk.app.clipboard == there.url


async def test_refresh_asks_again() -> None:
    async with dashboard() as desk:
        await desk.press("r")
        assert ("refresh",) in desk.stack.calls


async def test_a_server_that_goes_away_is_a_banner_and_comes_back() -> None:
    async with dashboard() as desk:
        was = desk.stack.snapshot
        error = Unreachable("quoted", text="No server answers.", host=seeded.URL, detail="connection refused")
        desk.stack.put_snapshot(replace(was, read_at=time.monotonic() - 12, error=error))
        await desk.until_shown("is not reachable (connection refused)", "The figures are 1")

        def age_s() -> int:
            return int(desk.text.partition("The figures are ")[2].partition(" s old.")[0])

        before = age_s()
        assert before >= 12
        await wait_until(lambda: age_s() > before, what="the figures grow older")
        assert "not reachable" in desk.text.splitlines()[0]
        assert "qwen2.5-coder:7b" in desk.text
        assert {row.leaves for row in desk.app.models.list.models} == {""}
        desk.stack.put_snapshot(was)
        await wait_until(lambda: "not reachable (" not in desk.text)
        await desk.until_said("answers again")
        assert desk.events == [f"{seeded.URL} answers again.", "No server answers."]


async def test_the_clock_and_the_time_that_is_left_go_on_without_a_new_state() -> None:
    async with dashboard() as desk:
        first = desk.text
        await wait_until(lambda: desk.text != first)
        assert f"{datetime.now().astimezone():%H:%M}" in desk.text.splitlines()[0]


async def test_nothing_is_painted_while_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    # The graph of the last minutes moves on every ten seconds.
    monkeypatch.setattr(gauges, "SLOT_S", 1e9)
    # The clock of the header would be a change.
    now = datetime.now(UTC)
    async with dashboard(seeded.many(300), clock=lambda: now) as desk:
        await desk.until_shown("32,768 tokens")
        await desk.pilot.pause()
        painted: list[object] = []
        desk.app.post_display_hook = lambda: painted.append(1)  # type: ignore[method-assign]
        ram = replace(seeded.RAM, used=(seeded.RAM.used or 0) + 1)
        desk.stack.put(replace(desk.stack.state, machine=seeded.machine(ram=ram)))
        begin = time.monotonic()
        await wait_until(lambda: time.monotonic() - begin > 2.5)
        assert painted == []


async def test_a_storm_of_states_is_drawn_a_few_times() -> None:
    async with dashboard() as desk:
        drawn: list[int] = []
        show = desk.app.show_state

        def counted(state: StackState | None) -> None:
            drawn.append(1)
            show(state)

        desk.app.show_state = counted  # type: ignore[method-assign]
        began = time.monotonic()
        for number in range(500):
            ram = replace(seeded.RAM, used=number * 10**6)
            desk.stack.put(replace(desk.stack.state, machine=seeded.machine(ram=ram)))
            await desk.pilot.pause(0)
        await desk.until_shown("499 MB of 16.5 GB")
        assert len(drawn) <= (time.monotonic() - began) / 0.05 + 2


async def test_help_has_every_mark_and_every_key() -> None:
    async with dashboard(size=(100, 220)) as desk:
        await desk.press("question_mark")
        await desk.until_shown("First steps")
        for text in ("● ", "◌ ", "◐ ", "○ ", "☁ ", "x del", "GGUF file", "^p", "Leaves"):
            assert text in desk.text, text
        await desk.press("escape")
        assert desk.app.screen is desk.app.models


@pytest.mark.parametrize("size", SIZES)
async def test_help_fits_every_size(size: tuple[int, int]) -> None:
    async with dashboard(size=size) as desk:
        await desk.press("question_mark")
        await desk.until_shown("What this is")
        await desk.press("end")
        await desk.until_shown("[ui.keys]")
        await desk.press("q")
        assert desk.app.screen is desk.app.models


async def test_the_palette_has_every_action() -> None:
    async with dashboard() as desk:
        commands = {command.title for command in desk.app.get_system_commands(desk.app.screen)}
        actions = {"Load", "Unload", "Add", "Remove", "Copy URL", "Refresh", "Help", "Quit"}
        assert {*actions, "Theme: colours, dark or light"} <= commands
        await desk.press("j", "j", "ctrl+p")
        await desk.until_shown("Search for commands")
        await desk.type("Load")
        await desk.until_shown("Load the model into memory")
        await desk.press("enter")
        await desk.until_happened("activate.loaded", "mistral:7b")


async def test_keys_from_the_settings(tmp_path: Path) -> None:
    own = '[ui.keys]\nmodels.activate = "f5"\napp.quit = "ctrl+x"\nno.such = "z"\n'
    loaded = load(tmp_path, own, check_keys=key_faults)
    async with dashboard(settings=loaded.settings, problems=loaded.problems, size=(140, 40)) as desk:
        await desk.press("j", "j", "a")
        assert desk.word("mistral:7b") == "inactive"
        await desk.press("f5")
        await desk.until_happened("activate.loaded", "mistral:7b")
        assert "f5 Load" in desk.text
        await wait_until(lambda: any("no.such" in toast.message for toast in desk.toasts))
        assert desk.app.preferences.shown_keys()["models.activate"] == "f5"


async def test_problems_of_the_settings_are_told() -> None:
    problems = tuple(quoted(f"config.toml line {n}: [bold] is not a setting.") for n in range(5))
    async with dashboard(problems=problems) as desk:
        assert {toast.title for toast in desk.toasts} == {"Settings"}
        assert [each.message for each in desk.toasts][3:] == ["2 more: see the activity."]
        assert len(desk.events) == 5
        await desk.until_shown("[bold] is not a setting")


@pytest.mark.parametrize("theme", THEMES)
async def test_every_theme_of_the_settings(theme: str) -> None:
    async with dashboard(settings=Settings(ui=UiSettings(theme=theme))) as desk:
        assert desk.app.current_theme.name == f"llmstack-{theme}"
        assert desk.app.current_theme.dark == (theme != "light")
        assert "qwen2.5-coder:7b" in desk.text


async def test_a_theme_of_textual_can_be_chosen() -> None:
    async with dashboard() as desk:
        for name in ("textual-light", "nord", "gruvbox"):
            desk.app.theme = name
            await desk.pilot.pause()
            assert "qwen2.5-coder:7b" in desk.text


@pytest.mark.parametrize("settings", [Settings(ui=UiSettings(ascii=True)), None])
async def test_ascii_mode_draws_nothing_else(settings: Settings | None) -> None:
    state = seeded.state(replace(seeded.typical().hosts[0].snapshot))
    async with dashboard(state, settings=settings, unicode=settings is not None) as desk:
        assert desk.text.isascii(), {c for c in desk.text if not c.isascii()}
        await desk.press("d")
        await wait_until(lambda: desk.events)
        for key in ("question_mark", "enter", "x"):
            await desk.press(key)
            await desk.pilot.pause()
            assert desk.text.isascii(), {c for c in desk.text if not c.isascii()}
            await desk.press("escape")


@pytest.mark.parametrize("keys", [("enter",), ("x",), ("question_mark",), ("v",), ("2",), ("D",)])
async def test_ctrl_c_leaves_from_any_screen_and_dialog(keys: tuple[str, ...]) -> None:
    async with dashboard() as desk:
        await desk.press(*keys)
        await wait_until(lambda: desk.app.screen is not desk.app.models)
        await desk.press("ctrl+c")
        await wait_until(lambda: not desk.app.is_running)
    assert desk.app.return_code == 0


@pytest.mark.parametrize("keys", [("slash",), ("n",)])
async def test_in_a_field_ctrl_c_copies(keys: tuple[str, ...]) -> None:
    async with dashboard() as desk:
        await desk.press(*keys)
        await wait_until(lambda: isinstance(desk.app.focused, Input))
        await desk.type("abc")
        await desk.press("ctrl+c")
        await wait_until(lambda: desk.told == ": In a field, Ctrl-C copies what is marked. Ctrl-Q leaves.")
        assert desk.app.clipboard == ""
        await desk.press("shift+home", "ctrl+c")
        assert desk.app.clipboard.endswith("abc")
        assert desk.app.is_running
        assert len(desk.toasts) == 1


@pytest.mark.parametrize("key", ["q", "ctrl+q", "ctrl+c"])
async def test_quit_closes_the_stack(key: str) -> None:
    async with dashboard() as desk:
        desk.stack.gate.clear()
        await desk.press("j", "j", "a")
        await wait_until(lambda: desk.word("mistral:7b").startswith("loading"))
        await desk.press(key)
    assert desk.app.return_code == 0
    assert not desk.stack.open
    assert desk.app.farewell == ""


async def test_a_signal_ends_with_its_status() -> None:
    async with dashboard() as desk:
        desk.app.end(143)
    assert desk.app.return_code == 143
    assert not desk.stack.open


async def test_a_timer_that_is_due_at_the_end_begins_nothing() -> None:
    """Textual calls back also after the last message."""
    before = asyncio.all_tasks()
    async with dashboard() as desk:
        app = desk.app
    app.connect_first()
    app.start_background_work()
    await wait_until(lambda: asyncio.all_tasks() <= before)


async def test_a_hidden_terminal_is_watched_less() -> None:
    async with dashboard() as desk:
        desk.app.post_message(events.AppBlur())
        desk.app.post_message(events.AppFocus())
        await wait_until(lambda: desk.stack.visible == [False, True])


async def test_a_builtin_engine_is_called_so() -> None:
    async with dashboard(seeded.state(seeded.snapshot(kind=HostKind.BUILTIN))) as desk:
        assert "Built-in engine 0.1.0" in desk.text.splitlines()[0]
        assert "Press p to pull one" in desk.text


async def test_models_of_unknown_time_and_of_none() -> None:
    model = seeded.model("a:latest")
    for_ever = replace(seeded.running(model), expires_at=datetime.now(UTC) + timedelta(days=365 * 290))
    async with dashboard(seeded.state(seeded.snapshot((model,), (for_ever,)))) as desk:
        assert "never" in desk.text


async def test_the_key_bar_can_be_clicked() -> None:
    async with dashboard() as desk:
        bar = desk.text.splitlines()[-1]
        await desk.pilot.click(KeyBar, offset=(bar.index("Help"), 0))
        await desk.until_shown("First steps")
        await desk.press("escape")
        await desk.pilot.click(KeyBar, offset=(bar.index("q Quit"), 0))
        await wait_until(lambda: not desk.app.is_running)


async def test_three_thousand_models_are_drawn_in_time() -> None:
    state = seeded.many(3000)
    async with dashboard(state) as desk:
        await desk.press("end")
        await desk.until_shown("model-2999")
        taken: list[float] = []
        for number in range(20):
            machine = seeded.machine(ram=replace(seeded.RAM, used=number * 10**8))
            # Of this thread alone: what else the machine does is not what is measured.
            begin = time.thread_time()
            desk.app.show_state(replace(state, machine=machine))
            taken.append(time.thread_time() - begin)
        assert min(taken) < 0.02


async def test_a_screen_that_is_no_longer_on_top_takes_no_other_away() -> None:
    async with dashboard() as desk:
        await desk.press("x")
        await desk.until_shown("Remove qwen2.5-coder:7b?")
        question = desk.app.screen
        await desk.press("escape")
        assert desk.app.screen is desk.app.models
        await desk.press("v")
        await wait_until(lambda: desk.app.screen is not desk.app.models)
        assert isinstance(question, AskScreen)
        question.action_cancel()
        question.action_answer("keep")
        await desk.press("question_mark")
        await wait_until(lambda: isinstance(desk.app.screen, HelpScreen))
        help_screen, below = desk.app.screen, desk.app.screen_stack[-2]
        assert isinstance(below, ActivityScreen)
        below.action_close()
        assert desk.app.screen is help_screen
