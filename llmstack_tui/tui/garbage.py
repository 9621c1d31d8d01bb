"""When Python looks for garbage in cycles while the dashboard runs.

What a start makes stays: to look through it takes a third of the time to the first paint, and later, all at
once, holds up the keys for 80 ms. What Textual draws a line with, a kilobyte, is in cycles and thrown away
at the next paint: it is found while it is young, or never.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Seconds from the start until most of what is imported and drawn first is there; once more for a slow server.
SETTLED_AFTER_S = (2.0, 10.0, 60.0)
_USUAL = (700, 10, 10)
# Only what is young is looked through: as good as never all of it.
_WHILE_IT_STARTS = (2000, 10, 1_000_000)


@contextmanager
def none_before_the_first_paint() -> Iterator[None]:
    gc.disable()
    try:
        yield
    finally:
        gc.set_threshold(*_USUAL)
        gc.enable()


def painted() -> None:
    """The rest is imported now. Nothing changes where nobody waited for this."""
    if not gc.isenabled():
        _begin(_WHILE_IT_STARTS)


def settled() -> None:
    """Most of what stays is there."""
    _begin(_USUAL)


def _begin(thresholds: tuple[int, int, int]) -> None:
    gc.freeze()
    gc.set_threshold(*thresholds)
    gc.enable()
