"""Every scene is drawn as its snapshot says, at its sizes, dark and (in English) light, and can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len
from textual.color import Color

from llmstack_tui.base.languages import ENGLISH
from llmstack_tui.tui.themes import DARK, LIGHT
from tests.tui.colours import contrast
from tests.tui.regions import read, regions
from tests.tui.scenes import SCENES, SIZES, on_stage, resize, titled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.segment import Segment
    from textual.strip import Strip

_LEAST_CONTRAST = 3.0
"""What WCAG 2.2 asks of parts of a screen that are not running text."""
_FRAMES = frozenset("─│┌┐└┘├┤┬┴┼╭╮╰╯▁▂▃▄▅▆▇█▔▏▕▊▎░▒▓━╸╺╱╲+-|=~ \xa0⠀")


@pytest.mark.parametrize("name", SCENES)
async def test_each_region_of_a_scene_is_drawn_as_its_snapshot_says(name: str) -> None:
    drawn = read()
    async with on_stage(SCENES[name], SIZES[0]) as desk:
        sizes, looks = SCENES[name].sizes, [(DARK, size) for size in SCENES[name].sizes]
        if SCENES[name].language == ENGLISH.code:  # The colours are those of any language.
            looks.append((LIGHT, sizes[-1]))
        for theme, size in looks:
            if desk.app.theme != theme.name:
                desk.app.theme = theme.name
            await resize(desk, size)
            before = {region: text for (region, head), text in drawn.items() if head == titled(name, size)}
            lines = desk.lines
            assert regions(desk.app.screen, lines, name) == before, f"at {size}: python -m tests.tui.scenes"
            assert all(cell_len(line.text.rstrip()) <= size[0] for line in lines)
            # What is behind a dialog is dim on purpose.
            assert desk.app.screen.is_modal or not hard_to_read(lines), (theme.name, size)


def test_no_snapshot_is_of_a_scene_that_is_gone() -> None:
    assert {head for _, head in read()} == {
        titled(name, size) for name, scene in SCENES.items() for size in scene.sizes
    }


def hard_to_read(lines: list[Strip]) -> set[tuple[str, str, str]]:
    """The pieces of text that stand out too little, with their colour and the one behind them."""
    return {
        (segment.text.strip(), front.hex, behind.hex)
        for segment, front, behind in _drawn(lines)
        if not _FRAMES.issuperset(segment.text) and contrast(front, behind) < _LEAST_CONTRAST
    }


def _drawn(lines: list[Strip]) -> Iterator[tuple[Segment, Color, Color]]:
    """Each piece of text with its colour and the one behind it."""
    for segment in (segment for line in lines for segment in line):
        style = segment.style
        if style and style.color and style.bgcolor and style.color.triplet and style.bgcolor.triplet:
            front, behind = Color(*style.color.triplet), Color(*style.bgcolor.triplet)
            yield segment, *((behind, front) if style.reverse else (front, behind))
