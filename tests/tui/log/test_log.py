"""The screen of the log: it follows a file, filters, explains, pauses, and keeps no more than it may."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from llmstack_tui.ollama.log.lines import parse
from llmstack_tui.tui.log.lines import MOST_LINES
from llmstack_tui.tui.log.screen import LogScreen
from tests.support import seeded
from tests.support.waiting import stays, wait_until
from tests.tui.driving import dashboard
from tests.tui.fakes import FakeServices, FakeStack
from tests.tui.managed import RUNS, STOPPED, FakeManaged

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tui.driving import FakeDesk

CUT = (
    'time=2026-11-30T13:08:56Z level=WARN source=r.go:1 msg="truncating input prompt" limit=2048 prompt=5010'
)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "server.log"


def services(log: Path) -> FakeServices:
    found = FakeServices(FakeStack(seeded.typical()))
    found.managed["ollama"] = FakeManaged(RUNS, log)
    return found


def write(log: Path, *lines: str) -> None:
    with log.open("a") as file:
        file.writelines(f"{line}\n" for line in lines)


async def test_an_empty_log_is_said_to_be_empty(log: Path) -> None:
    log.touch()
    async with dashboard(services=services(log)) as desk:
        await desk.press("0", "l")
        await desk.until_shown("The log is empty.")
        write(log, "level=INFO msg=hello")
        await desk.until_shown("hello")
        assert "The log is empty." not in desk.text


async def test_the_cursor_stays_on_a_line_while_old_ones_are_dropped(log: Path) -> None:
    log.touch()
    line = parse("level=INFO msg=hello")
    async with dashboard(services=services(log)) as desk:
        await desk.press("0", "l")
        await desk.until_shown("The log is empty.")
        lines = screen(desk).lines
        lines.add([line] * (MOST_LINES + 1_900))
        lines.settle()
        assert lines.line is line
        lines.add([line] * 200)
        assert lines.count == MOST_LINES
        assert lines.line is line  # Asked before they are drawn.


def screen(desk: FakeDesk) -> LogScreen:
    assert isinstance(desk.app.screen, LogScreen)
    return desk.app.screen


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_it_is_followed_and_known_lines_are_explained(log: Path, size: tuple[int, int]) -> None:
    write(log, "level=INFO msg=hello", "[GIN-debug] GET /", CUT)
    async with dashboard(services=services(log), size=size) as desk:
        await desk.press("0", "l")
        await desk.until_shown("hello", "A prompt of 5010 tokens was cut to 2048", "OLLAMA_CONTEXT_LENGTH")
        assert "GIN-debug" not in desk.text
        assert "msg=hello" not in desk.text
        write(log, "level=ERROR msg=worse")
        await desk.until_shown("worse")
        await desk.press("w")
        await desk.until_shown("msg=hello")
        await desk.press("w", "v")
        await wait_until(lambda: "hello" not in desk.text, what="only warnings and errors")
        await desk.until_shown("worse", "cut to 2048")
        await desk.press("slash", *"TRUNC", "enter")
        await wait_until(lambda: "worse" not in desk.text, what="only what has the text")
        await desk.until_shown("cut to 2048")


async def test_a_pause_reads_nothing_and_loses_nothing(log: Path) -> None:
    write(log, "level=INFO msg=one")
    async with dashboard(services=services(log)) as desk:
        await desk.press("0", "l")
        await desk.until_shown("one")
        await desk.press("p")
        write(log, "level=INFO msg=two")
        await desk.until_shown("paused")
        await stays(lambda: screen(desk).lines.count <= 2, 0.3)
        write(log, "level=INFO msg=three")
        await desk.press("p")
        await desk.until_shown("two", "three")


async def test_the_reader_stays_where_he_is_until_he_goes_to_the_end(log: Path) -> None:
    write(log, *(f"level=INFO msg=line-{number:03}" for number in range(200)))
    async with dashboard(services=services(log)) as desk:
        await desk.press("0", "l")
        await desk.until_shown("line-199")
        await desk.press("home")
        await desk.until_shown("line-000")
        write(log, "level=INFO msg=newest")
        await wait_until(lambda: screen(desk).lines.count == 201, what="the new line")
        assert "newest" not in desk.text
        assert "line-000" in desk.text
        await desk.press("f")
        await desk.until_shown("newest")


async def test_no_more_lines_are_kept_than_may_be_and_the_cursor_stays_on_its_line(log: Path) -> None:
    write(log, "level=INFO msg=first")
    async with dashboard(services=services(log)) as desk:
        await desk.press("0", "l")
        await desk.until_shown("first")
        lines = screen(desk).lines
        lines.add(parse(f"level=INFO msg=line-{number}") for number in range(MOST_LINES))
        lines.settle()
        await desk.press("up", "up")
        kept = lines.line
        for _ in range(5):
            lines.add(parse("level=INFO msg=more") for _ in range(1000))
        lines.settle()
        assert kept is not None
        assert lines.line == kept
        assert lines.count <= MOST_LINES + 2000


async def test_why_there_is_no_log_is_said_until_there_is_one(log: Path) -> None:
    async with dashboard(services=services(log)) as desk:
        await desk.press("0", "l")
        await desk.until_shown("is not there:")
        write(log, "level=INFO msg=there")
        await desk.until_shown("there")


async def test_where_ollama_does_not_run_it_is_that_of_the_engine(log: Path) -> None:
    write(log, "level=INFO msg=of-the-engine")
    found = FakeServices(FakeStack(seeded.typical()))
    found.managed = {"ollama": FakeManaged(STOPPED), "engine": FakeManaged(RUNS, log)}
    async with dashboard(services=found) as desk:
        await desk.press("0", "l")
        await desk.until_shown("of-the-engine")


async def test_the_other_server_has_its_own(log: Path) -> None:
    write(log, "level=INFO msg=of-ollama")
    async with dashboard(services=services(log)) as desk:
        await desk.press("0", "l")
        await desk.until_shown("of-ollama")
        await desk.press("tab")
        await desk.until_shown("Another program has the address")
