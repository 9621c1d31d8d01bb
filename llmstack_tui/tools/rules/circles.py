"""Whether a talk with tools turns in circles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_ROUNDS = 30
_TIMES = 3
_LONGEST = 4


class CallRecord(Struct, frozen=True):
    """A call and what it gave, as texts: equal steps bring nothing new."""

    tool: str
    arguments: str
    result: str


def is_circle(steps: Sequence[CallRecord]) -> bool:
    """Whether the last steps are the same one to four steps, three times over."""
    for length in range(1, _LONGEST + 1):
        tail = steps[-length * _TIMES :]
        if len(tail) == length * _TIMES and all(
            tail[at] == tail[at % length] for at in range(length, len(tail))
        ):
            return True
    return False
