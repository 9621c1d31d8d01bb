"""``python -m tests.tui.screenshots``: draws the pictures in ``assets/`` from seeded states."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from llmstack_tui.config import Settings, UiSettings
from llmstack_tui.tui.activity import Kind
from tests.tui import seeded
from tests.tui.driving import dashboard

if TYPE_CHECKING:
    from llmstack_tui.stack import StackState
    from tests.tui.driving import FakeDesk

ASSETS = Path(__file__).resolve().parents[2] / "assets"
NOW = datetime(2026, 11, 21, 12, 1, tzinfo=UTC)
SIZE = (120, 30)


def state() -> StackState:
    """A typical one, at a time that does not move."""
    found = seeded.typical()
    host = found.hosts[0]
    leaves = [timedelta(minutes=4, seconds=12), timedelta(seconds=3)]
    loaded = tuple(
        replace(model, expires_at=NOW + left)
        for model, left in zip(host.snapshot.running, leaves, strict=True)
    )
    return seeded.state(replace(host.snapshot, running=loaded))


def tell_a_morning(desk: FakeDesk) -> None:
    """Some activity, oldest first."""
    desk.app.record(Kind.DONE, "nomic-embed-text:latest was added from a file.")
    desk.app.record(Kind.DONE, "smollm2:135m is active after 0.4\N{NO-BREAK SPACE}s.")
    desk.app.record(Kind.NOTE, "mistral:7b has left memory.")
    desk.app.record(Kind.DONE, "qwen2.5-coder:7b is active after 3.1\N{NO-BREAK SPACE}s.")


async def draw() -> None:
    for theme in ("dark", "light"):
        settings = Settings(ui=UiSettings(theme=theme))
        async with dashboard(state(), size=SIZE, settings=settings, clock=lambda: NOW) as desk:
            tell_a_morning(desk)
            await desk.pilot.pause()
            save(desk, f"models-{theme}")
    async with dashboard(state(), size=SIZE, clock=lambda: NOW) as desk:
        await desk.press("?")
        save(desk, "help")


def save(desk: FakeDesk, name: str) -> None:
    (ASSETS / f"{name}.svg").write_text(desk.app.export_screenshot(title="llmstack"))


def main() -> None:
    # The clock of the header is the viewer's; a picture has none.
    os.environ["TZ"] = "UTC"
    time.tzset()
    asyncio.run(draw())


if __name__ == "__main__":
    main()
