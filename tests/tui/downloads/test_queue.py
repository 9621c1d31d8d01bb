"""The queue: what its keys ask of the server that pulls, and what is then on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.config.settings import Settings
from tests.support.scripted_server import Then, ndjson
from tests.support.waiting import wait_until
from tests.tui.driving import real_dashboard

if TYPE_CHECKING:
    from tests.support.registry import Registry
    from tests.tui.driving import RealDesk


async def ask_for(desk: RealDesk, name: str) -> None:
    """On the screen of downloads, pull a model by its name."""
    await desk.press("p")
    await desk.until_shown("Name to pull")
    await desk.type(name)
    await desk.press("enter")


def pulls(desk: RealDesk) -> int:
    """How often the server was told to pull something."""
    return sum(path == "/api/pull" for path, _ in desk.ollama.asked)


async def test_a_pull_is_paused_goes_on_and_is_cancelled_after_a_question(registry: Registry) -> None:
    weights = registry.publish("tiny", b"w" * 4_000).weights
    line = {"status": "pulling", "digest": weights.digest, "total": 4_000, "completed": 2_400}
    async with real_dashboard() as desk:
        desk.ollama.pulling = ndjson(line, then=Then.HANG)
        await desk.press("2")
        await ask_for(desk, registry.name("tiny"))
        await desk.until_shown("1 running", "2 of 4 kB", "library/tiny:latest")
        await desk.press("enter")
        await desk.until_shown("Layers", weights.digest[7:19])
        await desk.press("escape")
        await desk.press("s")
        await desk.until_shown("1 paused")
        assert pulls(desk) == 1
        await desk.press("s")
        await desk.until_shown("1 running")
        await wait_until(lambda: pulls(desk) == 2)
        await desk.until_shown("2 of 4 kB")
        await desk.press("x")
        await desk.until_shown("Cancel the download of ", "are there")
        await desk.press("enter")
        await desk.until_shown("1 running")
        await desk.press("x")
        await desk.until_shown("Cancel, keep the data")
        await desk.press("right", "enter")
        await desk.until_shown("History", "cancelled")
        assert registry.listed("tiny") not in desk.ollama.installed


async def test_what_failed_says_why_is_tried_again_and_the_history_is_cleared(registry: Registry) -> None:
    registry.publish("tiny", b"w")
    async with real_dashboard() as desk:
        desk.ollama.pulling = ndjson({"error": "no space [/red] left"})
        await desk.press("2")
        await ask_for(desk, registry.name("tiny"))
        await desk.until_shown("failed", "no space [/red] left")
        desk.ollama.pulling = None
        await desk.press("r")
        await desk.until_shown("done")
        assert registry.listed("tiny") in desk.ollama.installed
        await desk.press("X")
        await wait_until(lambda: "History" not in desk.text)
        await desk.press("1")
        await desk.until_shown("library/tiny:latest")


async def test_read_only_pulls_nothing() -> None:
    async with real_dashboard(settings=Settings(read_only=True)) as desk:
        await desk.press("2")
        await desk.until_shown("Nothing is being downloaded.")
        await desk.press("p")
        await desk.until_shown("read-only.")
        assert pulls(desk) == 0
