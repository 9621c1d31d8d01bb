"""``python -m tests.tui.screenshots``: draws the pictures in ``assets/`` from seeded states."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from llmstack_tui.tui.shell import NoteKind
from llmstack_tui.tui.themes import DARK, LIGHT
from tests.tui.scenes import SCENES, on_stage

if TYPE_CHECKING:
    from tests.tui.driving import FakeDesk

ASSETS = Path(__file__).resolve().parents[2] / "assets"
SIZE = (120, 30)


def tell_a_morning(desk: FakeDesk) -> None:
    """Some activity, oldest first."""
    desk.app.record(NoteKind.DONE, "nomic-embed-text:latest was imported from a file.")
    desk.app.record(NoteKind.DONE, "smollm2:135m was loaded in 0.4\N{NO-BREAK SPACE}s.")
    desk.app.record(NoteKind.NOTE, "mistral:7b was unloaded.")
    desk.app.record(NoteKind.DONE, "qwen2.5-coder:7b was loaded in 3.1\N{NO-BREAK SPACE}s.")


async def draw() -> None:
    async with on_stage(SCENES["cards"], SIZE) as desk:
        tell_a_morning(desk)
        desk.app.clear_notifications()
        for theme in (DARK, LIGHT):
            desk.app.theme = theme.name
            await desk.pilot.pause()
            save(desk, f"models-{theme.name.removeprefix('llmstack-')}")
    for name in ("details", "new", "help", "downloads", "catalog", "disk", "variables"):
        async with on_stage(SCENES[name], SIZE) as desk:
            save(desk, name)


def save(desk: FakeDesk, name: str) -> None:
    (ASSETS / f"{name}.svg").write_text(desk.app.export_screenshot(title="llmstack"))


if __name__ == "__main__":
    asyncio.run(draw())
