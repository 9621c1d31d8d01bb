"""What happened: what is on record, and what this screen alone has to say.

Over fakes is only what the real core cannot be brought to: a record that breaks while it is read, and a
notice of a defect.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len

from llmstack_tui.base import paths
from llmstack_tui.base.kinds import EventKind
from llmstack_tui.base.sentences import quoted
from llmstack_tui.base.structs import replace
from llmstack_tui.core.wording import text
from llmstack_tui.store.errors import StoreError
from llmstack_tui.store.store import Store
from llmstack_tui.store.tables.events import Event
from llmstack_tui.tui.activity.feed import LIMIT, ActivityFeed, ActivityLog, Choice, Tone, tone
from llmstack_tui.tui.draw.text import wrap
from tests.support import seeded
from tests.support.waiting import wait_until
from tests.tui.driving import dashboard, real_dashboard
from tests.tui.fakes import FakeServices, FakeStack

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.tui.driving import RealDesk

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def event(line: str, kind: str = EventKind.LOADED, *, at: datetime = NOW, number: int = 0) -> Event:
    return Event(at=at, kind=kind, sentence=quoted(line), host=seeded.URL, id=number)


@asynccontextmanager
async def desk_with(
    *events: Event, size: tuple[int, int] = (120, 40), unicode: bool = True
) -> AsyncIterator[RealDesk]:
    """A dashboard over a record that is older than itself."""
    async with await Store.open(paths.state_file()) as store:
        for each in events:
            store.events.add(each)
    async with real_dashboard(size=size, unicode=unicode, clock=lambda: NOW) as desk:
        if events:
            await desk.until_said(text(events[-1].sentence))
            await desk.pilot.pause()
        yield desk


MIXED = (
    event("b was loaded by another client.", EventKind.LOADED, at=NOW - timedelta(days=2)),
    replace(
        event("a was loaded in 0.4\N{NO-BREAK SPACE}s.", EventKind.ACTIVATE),
        details={"asked_by": "cli", "end": "loaded", "seconds": 0.4},
        reason=(quoted("pinned"),),
        model="a",
    ),
    replace(
        event("c was not loaded: The server failed.", EventKind.FAILED),
        details={"act": "activate", "error": "Server error", "detail": "unable to allocate [bold]CPU buffer"},
    ),
)


async def test_what_other_dashboards_recorded_is_shown_newest_first_with_its_day() -> None:
    async with desk_with(*MIXED) as desk:
        assert desk.events == [text(each.sentence) for each in reversed(MIXED)]
        await desk.until_shown("19 Nov » b was loaded", "✓ a was loaded", "✗ c was not loaded")


async def test_a_key_chooses_the_kinds_and_the_choice_is_remembered() -> None:
    async with desk_with(*MIXED) as desk:
        for choice, texts in (
            ("acts", ["c was not loaded: The server failed.", text(MIXED[1].sentence)]),
            ("other clients", [text(MIXED[0].sentence)]),
            ("warnings and errors", [text(MIXED[2].sentence)]),
            ("all", [text(each.sentence) for each in reversed(MIXED)]),
            ("acts", ["c was not loaded: The server failed.", text(MIXED[1].sentence)]),
            ("other clients", [text(MIXED[0].sentence)]),
        ):
            await desk.press("f")
            await wait_until(lambda texts=texts: desk.events == texts, what=choice)  # type: ignore[misc]
            await desk.until_shown("Activity" if choice == "all" else f"Activity: {choice}")
    async with real_dashboard(clock=lambda: NOW) as desk:
        await desk.until_shown("Activity: other clients", "b was loaded")
        assert desk.events == [text(MIXED[0].sentence)]


async def test_a_line_opens_with_all_that_is_known_of_it() -> None:
    async with desk_with(*MIXED) as desk:
        await desk.press("tab", "down", "enter")
        await desk.until_shown("What happened", "the command line", "pinned", "November 2026", "0.4 s")
        await desk.press("escape", "up", "enter")
        await desk.until_shown("Server error", "unable to allocate [bold]CPU buffer", seeded.URL)
        await desk.press("escape", "escape")
        assert desk.app.screen is desk.app.models
        assert desk.app.focused is desk.app.models.list


async def test_on_a_narrow_screen_the_activity_has_a_screen_of_its_own() -> None:
    async with desk_with(*MIXED, size=(80, 24)) as desk:
        assert "b was loaded" not in desk.text
        await desk.press("v")
        await desk.until_shown("19 Nov 12:00", "client", "b was loaded by another client.")
        await desk.press("f", "f")
        await desk.until_shown("Activity: other clients")
        desk.ollama.load("mistral:7b")
        await desk.until_shown("mistral:7b was loaded by another client.")
        await desk.press("enter")
        await desk.until_shown("What happened")
        await desk.press("escape", "escape")
        assert desk.app.screen is desk.app.models


async def test_the_cursor_stays_on_its_line_when_newer_ones_come() -> None:
    async with desk_with(*MIXED) as desk:
        await desk.press("tab")
        desk.ollama.load("mistral:7b")
        await desk.until_shown("mistral:7b was loaded")
        await desk.press("enter")
        await desk.until_shown("Server error")


async def test_settings_and_defects_are_said_before_there_is_a_record() -> None:
    services = FakeServices(FakeStack(seeded.typical()), never=True)
    async with dashboard(
        services=services, connected=False, problems=(quoted("a.toml: line 1: no."),)
    ) as desk:
        await desk.until_said("a.toml: line 1: no.")
        await desk.until_shown("! a.toml: line 1: no.")


async def test_a_record_that_cannot_be_read_is_said_once() -> None:
    async with dashboard(clock=lambda: NOW) as desk:
        asked: list[int] = []

        async def broken(*_: object, **__: object) -> tuple[Event, ...]:
            asked.append(len(asked) + 1)
            raise StoreError("quoted", text="The state file cannot be read.")

        desk.stack.events = broken  # type: ignore[method-assign]
        for number in (1, 2, 3):
            desk.stack.happened(event("x"))
            await wait_until(lambda number=number: len(asked) >= number)  # type: ignore[misc]
        await desk.until_said("The state file cannot be read.")
        assert desk.events == ["The state file cannot be read."]


async def test_a_failure_that_is_no_defect_is_told_in_words() -> None:
    async with dashboard(clock=lambda: NOW) as desk:
        desk.app.controller(ActivityFeed).failed(
            "The settings", StoreError("store.ending"), is_recorded=False
        )
        await desk.until_said("The settings: Nothing can be looked up any more: the program is ending.")


async def test_a_notice_is_shown_once_whether_it_is_on_record_or_not() -> None:
    async with dashboard(clock=lambda: NOW) as desk:
        desk.stack.put(replace(desk.stack.state, notices=(quoted("The disk is full."),)))
        await desk.until_said("The disk is full.")
        desk.stack.happened(event("The disk is full.", EventKind.NOTICE))
        desk.stack.happened(event("y"))
        await desk.until_said("y")
        assert desk.events.count("The disk is full.") == 1
        assert [toast.message for toast in desk.toasts] == ["The disk is full."]


async def test_hostile_names_are_only_text() -> None:
    events = [event(f"{name} left memory.") for name in seeded.HOSTILE_NAMES]
    async with desk_with(*events) as desk:
        assert "\x1b" not in desk.text
        assert "\u202e" not in desk.text
        await desk.until_shown("evil/[/red]:latest")
        assert max(map(cell_len, desk.text.splitlines())) <= 120
        await desk.press("tab")
        for _ in events:
            await desk.press("enter")
            await desk.until_shown("What happened")
            await desk.press("escape", "down")


async def test_ascii_has_a_mark_for_each_kind() -> None:
    async with desk_with(*MIXED, unicode=False) as desk:
        await desk.until_shown("> b was loaded", "+ a was loaded", "x c was not loaded")
        await desk.until_shown("Needs")  # which is too long for its line
        assert desk.text.isascii()


def test_the_activity_is_newest_first_and_bounded() -> None:
    activity = ActivityLog()
    activity.read(tuple(event(str(number), number=number) for number in range(LIMIT, 0, -1)))
    activity.read((event("new", number=LIMIT + 1),))
    activity.add(event("own", at=NOW + timedelta(seconds=1)))
    assert [text(each.sentence) for each in activity.lines.events[:3]] == ["own", "new", str(LIMIT)]
    assert len(activity.lines.events) == LIMIT


def test_a_kind_of_a_newer_version_is_an_event_of_its_own() -> None:
    assert tone(event("?", "of tomorrow")) is Tone.PLAIN
    assert Choice.ALL.kinds is None


@pytest.mark.parametrize("width", [16, 20, 34])
def test_a_figure_stays_with_its_unit(width: int) -> None:
    lines = wrap("模型模型 is active after 3.1\N{NO-BREAK SPACE}s.", width)
    assert max(map(cell_len, lines)) <= width
    assert any("3.1\N{NO-BREAK SPACE}s." in line for line in lines)


def test_of_a_name_that_is_too_long_the_end_is_kept_also_in_ascii() -> None:
    text = "hf.co/somebody/Some-Model-GGUF:Q4_K_M was pulled."
    assert wrap(text, 25) == ("…y/Some-Model-GGUF:Q4_K_M", "was pulled.")
    (first, *_) = wrap(text, 25, "~")
    assert first == "~y/Some-Model-GGUF:Q4_K_M"
    assert wrap("x " * 60, 10, "~")[-1].endswith("~")
