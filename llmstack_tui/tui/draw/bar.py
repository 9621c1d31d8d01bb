"""A horizontal bar of blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

if TYPE_CHECKING:
    from llmstack_tui.tui.draw.glyphs import Marks


def bar(share: float, cells: int, marks: Marks, *, tone: str) -> Content:
    """``share`` of ``cells``, from 0 to 1. It is empty only at nothing, and full only when all is done."""
    full = max(1 if share > 0 else 0, min(cells, int(share * cells)))
    return Content.assemble((marks.full * full, tone), (marks.empty * (cells - full), "$pane-border"))
