"""Which lines of the list are shown. Pure: no Textual, no clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmstack_tui.tui.rows import ModelRow


def matching(rows: Sequence[ModelRow], text: str) -> tuple[ModelRow, ...]:
    """The lines that have every word of ``text`` in them, in either case; all of them if it has none."""
    words = text.casefold().split()
    return tuple(row for row in rows if all(word in row.searched for word in words))
