"""What the dashboard has to do with the guard: pins, holding, one model more than the limit, undo."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from llmstack_tui.base.kinds import Actor
from llmstack_tui.base.sentences import Sentence, quoted
from llmstack_tui.base.structs import replace
from llmstack_tui.config.loading import LoadedSettings
from llmstack_tui.config.settings import GuardSettings, Settings
from llmstack_tui.guard.types import Ask, Cause, GuardState, Limits, Stop, Warn
from llmstack_tui.hardware.profile import detect
from llmstack_tui.lifecycle.actions import Act, ActKind
from llmstack_tui.store.tables.activations import Activation
from llmstack_tui.store.tables.events import Event
from llmstack_tui.tui.activity.feed import word
from llmstack_tui.tui.activity.screen import LineScreen, may_be_undone
from llmstack_tui.tui.dialogs import AskScreen
from llmstack_tui.tui.guard.actions import question_text
from tests.support import seeded
from tests.support.waiting import wait_until
from tests.tui.driving import FakeDesk, dashboard

STATE = seeded.typical()
LOADED = next(model.name for model in STATE.hosts[0].models if model.running)
IDLE = next(model.name for model in STATE.hosts[0].models if model.state == "inactive")
ASKED = Ask(
    (Stop(LOADED, "", Cause.COUNT, (Sentence("guard.longest_idle", {"idle_s": 240.0}),)),),
    enough=True,
    reason=(Sentence("guard.too_many", {"count": 2, "limit": 2}),),
)


def line_of(desk: FakeDesk, name: str) -> str:
    return next(line for line in desk.text.splitlines() if name in line[:40] and line.startswith(("│", "|")))


def toasts(desk: FakeDesk) -> str:
    return "\n".join(f"{each.title}: {each.message}" for each in desk.toasts)


def guarded(desk: FakeDesk, **more: object) -> None:
    desk.stack.guard.put(GuardState(leads=True, **more))  # type: ignore[arg-type]


async def test_pin_marks_the_model_and_loads_it_and_pressed_again_unpins_it() -> None:
    async with dashboard(STATE) as desk:
        await desk.until_shown(IDLE)
        desk.app.models.pane.move_to((seeded.URL, IDLE))
        await desk.pilot.press("P")
        await wait_until(lambda: ("activate", seeded.URL, IDLE) in desk.stack.calls)
        assert ("pin", seeded.URL, IDLE) in desk.stack.calls
        await wait_until(lambda: "◆" in line_of(desk, IDLE))
        assert "never stopped by the guard" in desk.text
        await desk.pilot.press("P")
        await wait_until(lambda: ("unpin", seeded.URL, IDLE) in desk.stack.calls)
        await wait_until(lambda: "◆" not in line_of(desk, IDLE))


async def test_a_pin_of_a_loaded_model_loads_nothing() -> None:
    async with dashboard(STATE) as desk:
        await desk.until_shown(LOADED)
        desk.app.models.pane.move_to((seeded.URL, LOADED))
        await desk.pilot.press("P")
        await wait_until(lambda: ("pin", seeded.URL, LOADED) in desk.stack.calls)
        await wait_until(lambda: "◆" in line_of(desk, LOADED))
        assert not [call for call in desk.stack.calls if call[0] == "activate"]
        guarded(desk, pinned=frozenset({LOADED}), overridden=frozenset({LOADED}))
        await desk.until_shown("another client set its time", "it leaves then")
        pinned = frozenset({LOADED})
        guarded(desk, pinned=pinned, overridden=pinned, renewed=pinned)
        await desk.until_shown("the guard renews the pin")


async def test_a_pin_of_which_the_server_is_not_told_says_so() -> None:
    async with dashboard(STATE) as desk:
        await desk.until_shown(LOADED)
        desk.stack.guard.is_told = False
        desk.app.models.pane.move_to((seeded.URL, LOADED))
        await desk.pilot.press("P")
        await wait_until(lambda: "still leaves when its time is up" in toasts(desk))


async def test_a_pinned_model_that_is_not_loaded_says_what_to_do() -> None:
    async with dashboard(STATE) as desk:
        await desk.until_shown(IDLE)
        desk.app.models.pane.move_to((seeded.URL, IDLE))
        guarded(desk, pinned=frozenset({IDLE}))
        await desk.until_shown("not loaded: activate it")


async def test_a_pin_has_a_twin_in_ascii_and_a_word() -> None:
    async with dashboard(STATE, unicode=False) as desk:
        await desk.until_shown(IDLE)
        guarded(desk, pinned=frozenset({IDLE}))
        await wait_until(lambda: " P " in line_of(desk, IDLE))
        assert "pinned" in line_of(desk, IDLE)


async def test_hold_is_in_the_header_until_it_is_taken_back() -> None:
    async with dashboard(STATE) as desk:
        await desk.until_shown(IDLE)
        await desk.pilot.press("H")
        await wait_until(lambda: "held" in desk.text.splitlines()[0])
        assert "Hold is on: Idle models stay loaded. H takes that back." in toasts(desk)
        await desk.pilot.press("H")
        await wait_until(lambda: "held" not in desk.text.splitlines()[0])
        assert [call for call in desk.stack.calls if call[0] == "hold"] == [
            ("hold", "True"),
            ("hold", "False"),
        ]


async def test_read_only_pins_and_holds_nothing() -> None:
    async with dashboard(STATE, settings=Settings(read_only=True)) as desk:
        await desk.until_shown(IDLE)
        desk.stack.read_only = True
        await desk.pilot.press("P", "H")
        await desk.pilot.pause()
        assert desk.stack.acts == []


async def test_the_header_has_the_limit_that_is_kept() -> None:
    state = seeded.two_cards()
    profile = detect(state.machine)  # type: ignore[arg-type]
    async with dashboard(replace(state, profile=profile)) as desk:
        guarded(desk, limits=Limits(max_loaded=7))
        await desk.until_shown("limit 7")
        guarded(desk, off=(quoted("It is off."),), limits=Limits(max_loaded=7))
        await wait_until(lambda: "limit" not in desk.text.splitlines()[0])
        guarded(desk, heat=(quoted("It is hot."),))
        await wait_until(lambda: "too hot" in desk.text.splitlines()[0])


async def test_one_more_than_the_limit_is_asked_for_with_what_would_be_stopped() -> None:
    async with dashboard(STATE) as desk:
        await desk.until_shown(IDLE)
        desk.stack.guard.asks = {IDLE: ASKED}
        desk.app.models.pane.move_to((seeded.URL, IDLE))
        await desk.pilot.press("a")
        await wait_until(lambda: isinstance(desk.app.screen, AskScreen))
        await desk.until_shown(f"Load {IDLE}?", "2 models are loaded and the limit is 2.", "idle longest")
        await desk.pilot.press("escape")
        await wait_until(lambda: not isinstance(desk.app.screen, AskScreen))
        assert desk.stack.acts == []
        await desk.pilot.press("a")
        await wait_until(lambda: isinstance(desk.app.screen, AskScreen))
        await desk.pilot.press("right", "enter")
        await wait_until(lambda: ("activate", seeded.URL, IDLE) in desk.stack.calls)
        assert desk.stack.acts == [("activate", seeded.URL, IDLE)]


async def test_where_nothing_can_make_room_that_is_said() -> None:
    async with dashboard(STATE) as desk:
        await desk.until_shown(IDLE)
        desk.stack.guard.asks = {IDLE: Ask((), enough=False, reason=(quoted("a is pinned; b is in use."),))}
        desk.app.models.pane.move_to((seeded.URL, IDLE))
        await desk.pilot.press("a")
        await desk.until_shown("a is pinned; b is in use.", "Nothing else can be unloaded", "Load anyway")
        await desk.pilot.press("right", "enter")
        await wait_until(lambda: ("activate", seeded.URL, IDLE) in desk.stack.calls)


async def test_what_the_guard_does_and_warns_of_is_told_once() -> None:
    async with dashboard(STATE) as desk:
        await desk.until_shown(LOADED)
        act = Act(
            ActKind.DEACTIVATE,
            seeded.URL,
            LOADED,
            time.monotonic(),
            Actor.GUARD,
            (quoted("It was idle for 12 min."),),
        )
        desk.stack.put_snapshot(desk.stack.snapshot, (act,))
        await wait_until(lambda: "Stopped by the guard" in toasts(desk))
        assert f"{LOADED}: It was idle for 12 min.\na starts a model again." in toasts(desk)
        desk.stack.put_snapshot(desk.stack.snapshot, (act,))
        warning = Warn(("stuck", LOADED), (quoted("It is still in memory."),))
        guarded(desk, decisions=(warning,))
        await wait_until(lambda: "It is still in memory." in toasts(desk))
        guarded(desk, decisions=(replace(warning, reason=(quoted("It is still in memory, for longer."),)),))
        await desk.pilot.pause()
        assert len(desk.toasts) == 2


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


async def test_a_stop_of_the_guard_is_undone_from_its_line() -> None:
    async with dashboard(STATE) as desk:
        load = Activation(
            host=seeded.URL,
            model=IDLE,
            asked_by=Actor.USER,
            started_at=datetime(2026, 11, 21, 12, tzinfo=UTC),
            context_length=8192,
        )
        desk.stack.loads = [load]
        await desk.until_shown(IDLE)
        desk.app.push_screen(LineScreen(replace(stop(), model=IDLE)))
        await desk.until_shown("It was idle for 12 min.", "a  start it again")
        await desk.pilot.press("a")
        await wait_until(lambda: ("again", seeded.URL, IDLE) in desk.stack.calls)
        assert not isinstance(desk.app.screen, LineScreen)
        desk.app.push_screen(LineScreen(replace(stop(), model="gone:1")))
        await desk.until_shown("a  start it again")
        await desk.pilot.press("a")
        await wait_until(lambda: "gone:1 is not there any more." in toasts(desk))


async def test_other_settings_of_the_guard_count_at_once() -> None:
    async with dashboard(STATE) as desk:
        await desk.until_shown(IDLE)
        services = desk.app.services
        guard = GuardSettings(max_loaded=1, idle_stop=timedelta(minutes=3))
        services.settings.put_nowait(LoadedSettings(settings=Settings()))  # type: ignore[attr-defined]
        services.settings.put_nowait(LoadedSettings(settings=Settings(guard=guard)))  # type: ignore[attr-defined]
        await wait_until(lambda: desk.stack.guard.settings == guard)
        await desk.until_said("The settings were read again: guard.max_loaded and guard.idle_stop count now.")


def test_what_would_go_on_another_server_is_told_with_its_name() -> None:
    stops = (
        Stop("a", "", Cause.MEMORY, (quoted("So."),), "http://x"),
        Stop("b", "", Cause.MEMORY, (quoted("So."),), "http://y"),
    )
    text = question_text(Ask(stops, enough=True, reason=(quoted("Why."),)), {"http://y": "box"})
    assert "a: So.\nb at box: So." in text
