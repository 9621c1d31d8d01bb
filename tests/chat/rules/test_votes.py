"""What blind votes say."""

from datetime import UTC, datetime

from llmstack_tui.chat.rules.votes import VoteTally, tally
from llmstack_tui.chat.types import Vote

AT = datetime(2026, 1, 1, tzinfo=UTC)


def test_the_one_that_won_most_of_its_votes_is_first() -> None:
    votes = [
        Vote(at=AT, models=("a", "b"), winner="b"),
        Vote(at=AT, models=("a", "c"), winner="a"),
        Vote(at=AT, models=("a", "b", "c"), winner=None),
        Vote(at=AT, models=("b", "b"), winner="b"),
    ]
    assert tally(votes) == (
        VoteTally(model="b", votes=3, won=2, even=1),
        VoteTally(model="a", votes=3, won=1, even=1),
        VoteTally(model="c", votes=2, won=0, even=1),
    )
    assert tally(()) == ()
