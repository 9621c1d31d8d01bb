"""A talk as a tree: the path that is shown, and its branches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.structs import replace
from llmstack_tui.chat.types import Talk, Turn, TurnState

if TYPE_CHECKING:
    from collections.abc import Mapping


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


def renumbered(talk: Talk, session: str, first_id: int) -> Talk:
    """The talk with this id, and its turns with ids from ``first_id`` on, each after its parent.

    What was being written is broken off; a parent that is not there is none.
    """
    ids = {each: first_id + number for number, each in enumerate(sorted(talk.turns))}
    turns = {
        ids[each.id]: replace(
            each,
            id=ids[each.id],
            parent=ids.get(each.parent) if each.parent is not None and each.parent < each.id else None,
            session=session,
            state=TurnState.BROKEN_OFF if each.state is TurnState.STREAMING else each.state,
        )
        for each in talk.turns.values()
    }
    leaf = talk.session.leaf
    own = replace(talk.session, id=session, leaf=ids.get(leaf) if leaf is not None else None)
    if own.leaf is None and turns:
        own = replace(own, leaf=max(turns))
    return Talk(session=own, turns=turns)
