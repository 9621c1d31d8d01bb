"""Which basis an estimate has, and what holds for all of them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmstack_tui.base.kinds import CACHE_TYPES
from llmstack_tui.base.structs import replace
from llmstack_tui.fit.memory import (
    Basis,
    Estimate,
    LayerCache,
    Request,
    Shape,
    Weights,
    estimate,
    largest_context,
)
from tests.support import headers
from tests.support.headers import Took

GIB = 2**30
WEIGHTS = Weights(size=5 * GIB)
LLAMA = headers.shape(headers.LLAMA_8B)

shapes = st.builds(
    Shape,
    layers=st.lists(
        st.builds(
            LayerCache,
            key=st.integers(0, 8192),
            value=st.integers(0, 8192),
            window=st.one_of(st.none(), st.integers(1, 10_000)),
            state=st.integers(0, 10**7),
            count=st.integers(1, 40),
        ),
        min_size=1,
        max_size=8,
    ).map(tuple),
    context_length=st.one_of(st.none(), st.integers(1, 10**6)),
    width=st.one_of(st.none(), st.integers(1, 16_384)),
    hidden=st.one_of(st.none(), st.integers(0, 10**5)),
    queries=st.integers(0, 16_384),
    tokens=st.integers(0, 300_000),
    merges=st.integers(0, 300_000),
    embeds=st.booleans(),
)
weights = st.builds(Weights, size=st.integers(1, 10**12), twice=st.integers(0, 10**9))
requests = st.builds(
    Request,
    context_length=st.integers(1, 10**6),
    parallel=st.integers(1, 8),
    cache_type=st.sampled_from(CACHE_TYPES),
    batch=st.sampled_from([1, 512, 2048]),
)


def known(weights: Weights, shape: Shape | None, request: Request) -> Estimate:
    found = estimate(weights, shape, request)
    assert found is not None
    return found


@given(weights, st.one_of(st.none(), shapes), requests, st.integers(1, 10**6))
def test_a_longer_context_never_takes_less(
    weights: Weights, shape: Shape | None, request: Request, more: int
) -> None:
    longer = replace(request, context_length=request.context_length + more)
    assert known(weights, shape, longer).total >= known(weights, shape, request).total


@given(weights, st.one_of(st.none(), shapes), requests)
def test_more_slots_and_larger_types_never_take_less(
    weights: Weights, shape: Shape | None, request: Request
) -> None:
    more = replace(request, parallel=request.parallel + 1)
    assert known(weights, shape, more).total >= known(weights, shape, request).total
    by_type = [known(weights, shape, replace(request, cache_type=name)).total for name in CACHE_TYPES]
    assert all(larger >= smaller for larger, smaller in pairwise(by_type))


@given(weights, st.one_of(st.none(), shapes), requests)
def test_the_parts_add_up_and_weigh_more_than_the_weights(
    weights: Weights, shape: Shape | None, request: Request
) -> None:
    found = known(weights, shape, request)
    assert found.parts is not None
    assert found.total == found.parts.total > weights.total
    assert min(found.parts.cache, found.parts.compute, found.parts.process) >= 0


@given(weights, shapes, requests, st.integers(0, 10**13))
def test_the_largest_context_fits_and_a_longer_one_does_not(
    weights: Weights, shape: Shape, request: Request, budget: int
) -> None:
    longest = largest_context(weights, shape, request, budget, most=10**6)
    assert longest is not None
    if longest:
        assert known(weights, shape, replace(request, context_length=longest)).total <= budget
    trained = shape.context_length or 10**6
    if longest < trained:
        longer = replace(request, context_length=min(longest + 256, trained))
        assert known(weights, shape, longer).total > budget


def test_what_was_measured_comes_first_then_the_formula_then_the_size() -> None:
    request = Request(context_length=4096)
    loads = (Took(6 * GIB),)
    assert [
        found and found.basis
        for found in (
            estimate(WEIGHTS, LLAMA, request, loads),
            estimate(WEIGHTS, LLAMA, request),
            estimate(WEIGHTS, None, request),
            estimate(None, LLAMA, request),
            estimate(None, None, request, loads),
        )
    ] == [Basis.MEASURED, Basis.FORMULA, Basis.FILE_SIZE, None, Basis.MEASURED]


def test_what_was_measured_keeps_the_parts_of_the_formula() -> None:
    request = Request(context_length=4096)
    measured, reckoned = estimate(WEIGHTS, LLAMA, request, [Took(6 * GIB)]), known(WEIGHTS, LLAMA, request)
    assert measured is not None
    assert (measured.total, measured.parts) == (6 * GIB, reckoned.parts)


@pytest.mark.parametrize(
    "load",
    [
        Took(),
        Took(0),
        Took(-5),
        Took(2**60),
        Took(6 * GIB, context_length=8192),
        Took(6 * GIB, context_length=None),
        Took(6 * GIB, cache_type="q8_0"),
        Took(6 * GIB, parallel=4),
    ],
)
def test_what_was_measured_otherwise_says_nothing(load: Took) -> None:
    found = estimate(WEIGHTS, LLAMA, Request(context_length=4096), [load])
    assert found is not None
    assert found.basis is Basis.FORMULA


def test_the_most_that_was_measured_counts_and_devices_before_the_server() -> None:
    loads = [Took(5 * GIB), Took(6 * GIB), Took(9 * GIB, device_bytes={"GPU 0": 3 * GIB, "GPU 1": 4 * GIB})]
    found = estimate(WEIGHTS, LLAMA, Request(context_length=4096), loads)
    assert found is not None
    assert found.total == 7 * GIB


def test_what_was_measured_is_of_the_context_that_the_model_gets() -> None:
    """A server cuts what is asked down to what the model was trained for, and lists that."""
    loads = [Took(6 * GIB, context_length=131_072)]
    found = estimate(WEIGHTS, LLAMA, Request(context_length=10**6), loads)
    assert found is not None
    assert (found.basis, found.context_length) == (Basis.MEASURED, 131_072)


@pytest.mark.parametrize(
    "request_",
    [
        Request(context_length=0),
        Request(context_length=-1),
        Request(context_length=4096, parallel=0),
        Request(context_length=4096, cache_type="q3_x"),
        Request(context_length=2**60),
    ],
)
def test_a_request_that_makes_no_sense_is_unknown(request_: Request) -> None:
    assert estimate(WEIGHTS, None, request_) is None


@pytest.mark.parametrize("size", [0, -1, 2**53, 2**70])
def test_sizes_that_no_file_has_are_unknown(size: int) -> None:
    assert estimate(Weights(size=size), LLAMA, Request(context_length=4096)) is None


def test_a_shape_that_comes_to_more_than_any_machine_has_leaves_the_size() -> None:
    shape = Shape(layers=(LayerCache(key=2**30, value=2**30, count=512),))
    assert known(WEIGHTS, shape, Request(context_length=4096)).basis is Basis.FILE_SIZE


def test_no_context_fits_where_the_weights_do_not() -> None:
    request = Request(context_length=4096)
    assert largest_context(WEIGHTS, LLAMA, request, 5 * GIB) == 0
    assert largest_context(WEIGHTS, LLAMA, request, 500 * GIB) == 131_072
    assert largest_context(WEIGHTS, replace(LLAMA, context_length=None), request, 500 * GIB) is None


def test_one_that_embeds_computes_a_whole_text_at_once() -> None:
    request = Request(context_length=4096)
    reads, embeds = known(WEIGHTS, LLAMA, request), known(WEIGHTS, replace(LLAMA, embeds=True), request)
    assert embeds.total - reads.total > 2 * 4096 * LLAMA.tokens * 4
    encoder = headers.shape(headers.NOMIC)
    assert encoder.embeds
    assert not encoder.has_cache
    # Nothing that might follow is computed.
    assert known(WEIGHTS, encoder, request).total - WEIGHTS.total < GIB
