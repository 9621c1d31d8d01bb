"""A talk as a tree: the path that is shown, and its branches."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmstack_tui.chat.types import Talk, Turn


def path(turns: Mapping[int, Turn], leaf: int | None) -> tuple[Turn, ...]:
    """The turns from the beginning to ``leaf``. One whose parent is missing, or comes later, begins it."""
    found: list[Turn] = []
    while leaf is not None and leaf in turns:
        found.append(turns[leaf])
        parent = turns[leaf].parent
        leaf = parent if parent is not None and parent < leaf else None
    return tuple(reversed(found))


def shown(talk: Talk) -> tuple[Turn, ...]:
    """The turns that the talk shows."""
    return path(talk.turns, talk.session.leaf)


def siblings(turns: Mapping[int, Turn], turn: Turn) -> tuple[Turn, ...]:
    """All turns that follow the same one, itself among them, the oldest first."""
    return tuple(turns[each] for each in sorted(turns) if turns[each].parent == turn.parent)


def leaf_below(turns: Mapping[int, Turn], turn: int) -> int:
    """The end of the newest branch that goes through ``turn``: what is shown when one turns to it."""
    newest: dict[int, int] = {}
    for each in turns.values():
        if each.parent is not None:
            newest[each.parent] = max(newest.get(each.parent, 0), each.id)
    while turn in newest and newest[turn] > turn:
        turn = newest[turn]
    return turn
