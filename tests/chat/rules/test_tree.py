"""The path that a talk shows, and its branches."""

from __future__ import annotations

from datetime import UTC, datetime

from llmstack_tui.chat.rules.tree import leaf_below, path, siblings
from llmstack_tui.chat.types import Turn
from llmstack_tui.providers.types import ChatMessage, Role

AT = datetime(2026, 1, 1, tzinfo=UTC)
# Two answers to question 1, of which the second (3) was asked on in two ways (4, 6); 5 answers 4.
PARENTS = {1: None, 2: 1, 3: 1, 4: 3, 5: 4, 6: 3}
TURNS = {
    id_: Turn(id=id_, parent=parent, session="s", message=ChatMessage(role=Role.USER, text=""), at=AT)
    for id_, parent in PARENTS.items()
}


def test_the_path_leads_from_the_first_question_to_the_leaf() -> None:
    assert [each.id for each in path(TURNS, 5)] == [1, 3, 4, 5]
    assert path(TURNS, None) == path(TURNS, 99) == ()


def test_a_circle_in_a_file_ends() -> None:
    circle = {2: Turn(id=2, parent=3, session="s", message=TURNS[2].message, at=AT), 3: TURNS[3]}
    circle[3] = Turn(id=3, parent=2, session="s", message=TURNS[2].message, at=AT)
    assert [each.id for each in path(circle, 3)] == [2, 3]
    assert leaf_below(circle, 2) == 3


def test_siblings_follow_the_same_turn() -> None:
    assert [each.id for each in siblings(TURNS, TURNS[3])] == [2, 3]
    assert [each.id for each in siblings(TURNS, TURNS[1])] == [1]


def test_turning_to_a_branch_shows_its_newest_end() -> None:
    assert [leaf_below(TURNS, each) for each in (1, 2, 3, 4, 6)] == [6, 2, 6, 5, 6]
