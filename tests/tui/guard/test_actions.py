"""What the dashboard has to do with the guard: pins, holding, one model more than the limit, undo."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from llmstack_tui.base.sentences import quoted
from llmstack_tui.base.structs import replace
from llmstack_tui.config.settings import GuardSettings, LoadedSettings, Settings
from llmstack_tui.guard.types import Ask, Cause, Consent, GuardState, Stop, Warn
from llmstack_tui.hardware.readings import Throttle
from llmstack_tui.store.tables.events import Event
from llmstack_tui.tui.activity.feed import word
from llmstack_tui.tui.activity.screen import LineScreen, may_be_undone
from llmstack_tui.tui.dialogs import AskScreen
from llmstack_tui.tui.guard.actions import question_text
from tests.support import seeded
from tests.support.fake_ollama import FakeOllama
from tests.support.machine import FakeMachine
from tests.support.waiting import wait_until
from tests.tui.driving import Desk, RealDesk, dashboard, real_dashboard

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from llmstack_tui.guard.types import LoadedModel

IDLE, LOADED = "mistral:7b", "phi4:14b"
ONE = GuardSettings(max_loaded=1, others=True)
UNASKED = GuardSettings(max_loaded=1)


def with_loaded(*names: str) -> FakeOllama:
    """A server on which another client has loaded these models."""
    ollama = FakeOllama({IDLE: 64 * "a", LOADED: 64 * "b"})
    for name in names:
        ollama.load(name)
    return ollama


@asynccontextmanager
async def guarded(
    *loaded: str, guard: GuardSettings | None = None, machine: FakeMachine | None = None, unicode: bool = True
) -> AsyncIterator[RealDesk]:
    """A dashboard whose guard has looked at the server, and found it idle."""
    settings = Settings(guard=guard or GuardSettings())
    async with real_dashboard(
        with_loaded(*loaded), settings=settings, machine=machine, unicode=unicode
    ) as desk:
        await wait_until(lambda: any(each.decisions for each in desk.stack.state.guards.values()))
        await wait_until(lambda: sum(each.idle_s > 0 for each in in_memory(desk)) == len(loaded))
        yield desk


def in_memory(desk: RealDesk) -> Sequence[LoadedModel]:
    """As the guard has last seen it."""
    return desk.stack.guard.situation(desk.url).loaded


def line_of(desk: Desk, name: str) -> str:
    return next(line for line in desk.text.splitlines() if name in line[:40] and line.startswith(("│", "|")))


def is_active(desk: Desk, name: str) -> bool:
    return desk.state(name) == "active"


def loads(desk: RealDesk) -> int:
    """How often the server was asked to load something, or to keep it."""
    return sum(path == "/api/generate" for path, _ in desk.ollama.asked)


async def test_pin_marks_the_model_and_loads_it_and_pressed_again_unpins_it() -> None:
    async with guarded() as desk:
        await desk.put_cursor(IDLE)
        await desk.press("P")
        await desk.until_shown("never unloaded by the guard")
        await wait_until(lambda: "◆" in line_of(desk, IDLE))
        await wait_until(lambda: desk.ollama.loaded == [IDLE])
        assert desk.ollama.runners[0].keep_alive > timedelta(days=9999)
        await wait_until(lambda: desk.state(IDLE) == "active")
        await desk.press("P")
        await wait_until(lambda: "◆" not in line_of(desk, IDLE))


async def test_to_keep_what_another_client_loaded_it_is_loaded_again_after_a_yes() -> None:
    async with guarded(LOADED) as desk:
        await desk.put_cursor(LOADED)
        await desk.press("P")
        await desk.until_shown(f"Keep {LOADED}?", "as that program", "server's defaults: its")
        assert loads(desk) == 0
        await desk.press("escape")
        await wait_until(lambda: f"The guard will not unload {LOADED}. It leaves in" in desk.told)
        await wait_until(lambda: "◆" in line_of(desk, LOADED))
        await desk.until_shown("another client set its time", "it leaves then")
        assert loads(desk) == 0
        await desk.press("P")
        await wait_until(lambda: "◆" not in line_of(desk, LOADED))
        await desk.press("P")
        await desk.until_shown(f"Keep {LOADED}?")
        await desk.press("right", "enter")
        await wait_until(lambda: desk.ollama.runners[0].keep_alive > timedelta(days=9999))


async def test_a_load_that_is_cancelled_or_declined_leaves_no_pin() -> None:
    async with guarded(LOADED, guard=ONE) as desk:
        await desk.put_cursor(IDLE)
        await desk.press("P")
        await desk.until_shown(f"Load {IDLE}?", "Load all the same")
        await desk.press("escape")
        await desk.until_happened("guard.unpinned", IDLE)
        assert not desk.stack.guard.is_pinned(desk.url, IDLE)
        desk.ollama.may_load.clear()
        await desk.press("P")
        await desk.until_shown(f"Load {IDLE}?")
        await desk.press("right", "right", "enter")
        await wait_until(lambda: desk.state(IDLE) == "loading")
        assert desk.stack.guard.is_pinned(desk.url, IDLE)
        await desk.press("escape")
        await wait_until(lambda: not desk.stack.guard.is_pinned(desk.url, IDLE))
        desk.ollama.may_load.set()
        assert desk.ollama.loaded == [LOADED]


async def test_over_the_limit_it_can_be_loaded_all_the_same() -> None:
    async with guarded(LOADED, guard=ONE) as desk:
        await desk.put_cursor(IDLE)
        await desk.press("a")
        await desk.until_shown("all of them stay for five minutes", "Load all the same")
        await desk.press("right", "right", "enter")
        await wait_until(lambda: sorted(desk.ollama.loaded) == [IDLE, LOADED])
        looks = len(desk.ollama.asked)
        await wait_until(lambda: len(desk.ollama.asked) > looks + 20, what="more looks")
        assert sorted(desk.ollama.loaded) == [IDLE, LOADED]


async def test_a_pin_that_another_client_overrode_says_that_the_guard_renews_it() -> None:
    async with guarded() as desk:
        desk.ollama.context_length = 4096
        await desk.put_cursor(IDLE)
        await desk.press("P")
        await desk.until_shown("never unloaded by the guard")
        await wait_until(lambda: desk.state(IDLE) == "active")
        desk.ollama.load(IDLE, timedelta(minutes=5))
        await desk.until_shown("the guard renews the pin")


async def test_a_pin_has_a_twin_in_ascii_and_a_word_and_says_what_to_do() -> None:
    async with guarded(unicode=False) as desk:
        await desk.stack.guard.pin(desk.url, IDLE)
        await desk.until_shown("not loaded: load it")
        await wait_until(lambda: " P " in line_of(desk, IDLE))
        assert "pinned" in line_of(desk, IDLE)


async def test_hold_is_in_the_header_until_it_is_taken_back() -> None:
    async with guarded() as desk:
        await desk.press("H")
        await wait_until(lambda: "held" in desk.text.splitlines()[0])
        assert "Hold is on: Idle models stay loaded. H ends the hold." in desk.told
        await desk.press("H")
        await wait_until(lambda: "held" not in desk.text.splitlines()[0])


async def test_read_only_pins_and_holds_nothing() -> None:
    async with real_dashboard(with_loaded(), settings=Settings(read_only=True)) as desk:
        await desk.press("P", "H")
        await wait_until(lambda: desk.told.count("read-only") == 2)
        assert not desk.stack.guard.is_pinned(desk.url, IDLE)
        assert not desk.stack.guard.is_held


async def test_the_header_has_the_limit_that_is_kept() -> None:
    machine, settings = FakeMachine(), GuardSettings(max_loaded=7)
    async with guarded(guard=settings, machine=machine) as desk:
        await desk.until_shown("limit 7")
        desk.stack.guard.use(replace(settings, enabled=False))
        await wait_until(lambda: "limit" not in desk.text.splitlines()[0])
        desk.stack.guard.use(settings)
        machine.throttles = (Throttle.HEAT,)
        await wait_until(lambda: "too hot" in desk.text.splitlines()[0])


async def test_one_more_than_the_limit_is_asked_for_with_what_would_be_stopped() -> None:
    async with guarded(LOADED, guard=ONE) as desk:
        await desk.put_cursor(IDLE)
        await desk.press("a")
        await desk.until_shown(f"Load {IDLE}?", "1 model is loaded and the limit is 1.", "idle longest")
        await desk.press("escape")
        await wait_until(lambda: not isinstance(desk.app.screen, AskScreen))
        assert loads(desk) == 0
        await desk.press("a")
        await desk.until_shown(f"Load {IDLE}?")
        await desk.press("right", "enter")
        await wait_until(lambda: desk.ollama.loaded == [IDLE])


async def test_where_nothing_can_make_room_that_is_said() -> None:
    async with guarded(LOADED, guard=ONE) as desk:
        await desk.stack.guard.pin(desk.url, LOADED)
        await wait_until(lambda: all(each.pinned for each in in_memory(desk)))
        await desk.put_cursor(IDLE)
        await desk.press("a")
        await desk.until_shown(f"Pinned: {LOADED}", "Nothing else can be unloaded", "Load all the same")
        await desk.press("right", "enter")
        await wait_until(lambda: sorted(desk.ollama.loaded) == [IDLE, LOADED])


async def test_what_the_guard_stops_is_told_once_and_undone_from_its_line() -> None:
    async with guarded(LOADED, guard=ONE) as desk:
        desk.ollama.may_leave.clear()
        desk.ollama.load(IDLE)
        await wait_until(lambda: "Unloaded by the guard" in desk.told)
        desk.ollama.may_leave.set()
        await desk.until_happened("deactivate.gone_by_guard", LOADED)
        (said,) = (each.message for each in desk.toasts if each.message.startswith(f"{LOADED}:"))
        assert said.startswith(f"{LOADED}: 2 models are loaded and the limit is 1. It has been idle longest")
        assert said.endswith("a loads a model again.")
        desk.stack.guard.use(GuardSettings(max_loaded=2))
        await desk.press("tab", "enter")
        await desk.until_shown("the limit is 1.", "a  load it again")
        await desk.press("a")
        await wait_until(lambda: sorted(desk.ollama.loaded) == [IDLE, LOADED])
        assert not isinstance(desk.app.screen, LineScreen)
        desk.app.push_screen(LineScreen(replace(stop(), model="gone:1")))
        await desk.until_shown("a  load it again")
        await desk.press("a")
        await wait_until(lambda: "gone:1 is not there any more." in desk.told)


async def test_models_of_others_are_asked_about_before_the_first_one_is_stopped() -> None:
    async with guarded(LOADED, IDLE, guard=UNASKED) as desk:
        asked = f"The guard would unload {IDLE}: 2 models are loaded and the limit is 1."
        await wait_until(lambda: asked in " ".join(desk.text.split()))
        await wait_until(lambda: "Press A to choose" in " ".join(desk.text.split()))
        await wait_until(lambda: "guard only watches" in desk.text.splitlines()[0])
        await desk.press("A")
        await desk.until_shown("The guard has unloaded nothing yet.", "Leave them alone", "Keep the limit")
        await desk.press("escape")
        await wait_until(lambda: not isinstance(desk.app.screen, AskScreen))
        looks = len(desk.ollama.asked)
        await wait_until(lambda: len(desk.ollama.asked) > looks + 20, what="more looks")
        assert sorted(desk.ollama.loaded) == [IDLE, LOADED]
        await desk.press("A")
        await desk.until_shown("Keep the limit")
        await desk.press("right", "enter")
        await wait_until(lambda: desk.ollama.loaded == [LOADED])
        await wait_until(lambda: "would unload" not in desk.text)
        await wait_until(lambda: "guard only watches" not in desk.text.splitlines()[0])


async def test_models_of_others_are_left_alone_if_the_user_says_so_and_later_too() -> None:
    async with guarded(LOADED, IDLE, guard=UNASKED) as desk:
        await desk.until_shown("The guard would unload")
        await desk.press("A")
        await desk.until_shown("Leave them alone")
        await desk.press("enter")
        await wait_until(lambda: "would unload" not in desk.text)
        guards = desk.stack.state.guards
        assert guards[desk.url].others is Consent.NO
        desk.stack.guard.use(replace(UNASKED, others=True))
        await wait_until(lambda: len(desk.ollama.loaded) == 1)
        await desk.press("A", "enter")
        await wait_until(lambda: "The settings decide" in desk.told)
    async with dashboard() as other:
        await other.press("A")
        await other.until_shown("No server is guarded.")


async def test_hold_ends_the_question_too() -> None:
    async with guarded(LOADED, IDLE, guard=UNASKED) as desk:
        await desk.until_shown("The guard would unload")
        await desk.press("H")
        await wait_until(lambda: "would unload" not in desk.text)
        await wait_until(lambda: "held" in desk.text.splitlines()[0])


async def test_what_was_loaded_from_here_is_no_question() -> None:
    async with guarded(guard=GuardSettings(max_loaded=2)) as desk:
        for name in (LOADED, IDLE):
            await desk.put_cursor(name)
            await desk.press("a")
            await wait_until(partial(is_active, desk, name))
        desk.stack.guard.use(UNASKED)
        await wait_until(lambda: len(desk.ollama.loaded) == 1)
        assert "would unload" not in desk.text


async def test_names_over_one_process_are_one_thing_and_to_stop_one_asks_first() -> None:
    async with guarded(LOADED) as desk:
        desk.ollama.installed["copy:1"] = desk.ollama.installed[LOADED]
        await wait_until(lambda: any(row.name == "copy:1" for row in desk.app.models.list.models))
        await wait_until(lambda: desk.word("copy:1") == f"with {LOADED}")
        await desk.until_shown("1 active")
        assert "≡" in line_of(desk, LOADED)
        assert "≡" in line_of(desk, "copy:1")
        await desk.put_cursor("copy:1")
        await desk.press("a")
        await wait_until(lambda: "it shares one process with" in desk.told)
        await desk.press("d")
        await desk.until_shown("Unload copy:1?", f"It shares one process with {LOADED}")
        await desk.press("escape")
        await wait_until(lambda: not isinstance(desk.app.screen, AskScreen))
        assert desk.ollama.loaded == [LOADED]
        await desk.press("d")
        await desk.until_shown("Unload copy:1?")
        await desk.press("right", "enter")
        await wait_until(lambda: desk.ollama.loaded == [])


async def test_what_the_guard_warns_of_is_told_once() -> None:
    warning = Warn(("stuck", LOADED), (quoted("It is still in memory."),))
    later = replace(warning, reason=(quoted("It is still in memory, for longer."),))
    async with dashboard() as desk:
        for said in (warning, later):
            guards = {seeded.URL: GuardState(leads=True, decisions=(said,))}
            desk.stack.put(replace(desk.stack.state, guards=guards))
            await wait_until(lambda: desk.app.view.state is desk.stack.state)
            await desk.pilot.pause()
        assert desk.told == "The guard: It is still in memory."


def stop(**details: object) -> Event:
    return Event(
        at=datetime(2026, 11, 21, 12, tzinfo=UTC),
        kind="deactivate",
        sentence=quoted(f"{LOADED} was stopped by the guard."),
        host=seeded.URL,
        model=LOADED,
        reason=(quoted("It was idle for 12 min."),),
        details={"act": "deactivate", "asked_by": "guard", "end": "gone", **details},
    )


def test_which_lines_can_be_undone() -> None:
    assert word(stop()) == "guard"
    assert may_be_undone(stop())
    assert not may_be_undone(stop(asked_by="user"))
    assert not may_be_undone(stop(end="kept"))
    assert not may_be_undone(replace(stop(), kind="notice", details={}))


async def test_other_settings_of_the_guard_count_at_once() -> None:
    async with dashboard() as desk:
        guard = GuardSettings(max_loaded=1, idle_stop=timedelta(minutes=3))
        desk.services.settings.put_nowait(LoadedSettings(settings=Settings()))
        desk.services.settings.put_nowait(LoadedSettings(settings=Settings(guard=guard)))
        await wait_until(lambda: desk.stack.guard.settings == guard)
        await desk.until_said("The settings were read again: guard.max_loaded and guard.idle_stop apply now.")


def test_what_would_go_on_another_server_is_told_with_its_name() -> None:
    stops = (
        Stop("a", "", Cause.MEMORY, (quoted("So."),), "http://x"),
        Stop("b", "", Cause.MEMORY, (quoted("So."),), "http://y"),
    )
    text = question_text(Ask(stops, enough=True, reason=(quoted("Why."),)), {"http://y": "box"})
    assert "a: So.\nb at box: So." in text
