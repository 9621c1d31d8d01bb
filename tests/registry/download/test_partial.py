from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from llmstack_tui.registry.download.partial import (
    Span,
    add_span,
    count_bytes,
    leading_bytes,
    missing_spans,
    split_spans,
)

SIZE = 60
SPAN = st.tuples(st.integers(0, SIZE), st.integers(0, SIZE)).filter(lambda span: span[0] < span[1])


@given(st.lists(SPAN))
def test_spans_are_sets_of_bytes(given_spans: list[Span]) -> None:
    there: list[Span] = []
    wanted: set[int] = set()
    for span in given_spans:
        there = add_span(there, span)
        wanted |= set(range(*span))
        assert {byte for each in there for byte in range(*each)} == wanted
        assert all(one[1] < other[0] for one, other in pairwise(there))
    assert count_bytes(there) == len(wanted)
    gaps = missing_spans(there, SIZE)
    assert {byte for gap in gaps for byte in range(*gap)} == set(range(SIZE)) - wanted
    assert leading_bytes(there) == next(byte for byte in range(SIZE + 1) if byte not in wanted)
    small = split_spans(gaps, 7)
    assert [byte for part in small for byte in range(*part)] == [byte for gap in gaps for byte in range(*gap)]
    assert all(end - first <= 7 for first, end in small)
