"""What an estimate says of a machine."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmstack_tui.fit.memory import Basis, Estimate
from llmstack_tui.fit.verdict import Fit, Room, verdict


def estimate(total: int) -> Estimate:
    return Estimate(total=total, basis=Basis.FORMULA, parts=None, context_length=4096)


@pytest.mark.parametrize(
    ("total", "fit", "tight"),
    [
        (40, Fit.NOW, False),
        (60, Fit.NOW, False),
        (61, Fit.ALONE, False),
        (90, Fit.ALONE, False),
        (91, Fit.ALONE, True),
        (100, Fit.ALONE, True),
        (101, Fit.PARTLY, False),
        (150, Fit.PARTLY, False),
        (151, Fit.NO, False),
    ],
)
def test_what_fits_where(total: int, fit: Fit, tight: bool) -> None:
    found = verdict(estimate(total), Room(budget=100, taken=40, overflow=50))
    assert found is not None
    assert (found.fit, found.tight, found.left) == (fit, tight, 100 - total)


def test_what_other_programs_use_is_not_there_now() -> None:
    found = verdict(estimate(60), Room(budget=100, free=50))
    assert found is not None
    assert found.fit is Fit.ALONE


@pytest.mark.parametrize(
    ("allowed", "fit"), [(None, Fit.NOW), (200, Fit.NOW), (100, Fit.NOW), (99, Fit.ALONE), (1, Fit.ALONE)]
)
def test_what_the_user_lets_models_take_together_one_alone_may_exceed(allowed: int | None, fit: Fit) -> None:
    found = verdict(estimate(60), Room(budget=100, taken=40, allowed=allowed))
    assert found is not None
    assert (found.fit, found.left) == (fit, 40)


def test_without_figures_nothing_is_known() -> None:
    assert verdict(None, Room(budget=100)) is None
    assert verdict(estimate(1), Room(budget=None)) is None


_amounts = st.integers(0, 10**6)
_ORDER = [Fit.NOW, Fit.ALONE, Fit.PARTLY, Fit.NO]


@given(
    _amounts,
    _amounts,
    st.builds(
        Room, budget=st.integers(-5, 10**6), taken=_amounts, free=st.none() | _amounts, overflow=_amounts
    ),
)
def test_more_never_fits_better(total: int, more: int, room: Room) -> None:
    less, larger = verdict(estimate(total), room), verdict(estimate(total + more), room)
    assert less is not None
    assert larger is not None
    assert _ORDER.index(less.fit) <= _ORDER.index(larger.fit)
