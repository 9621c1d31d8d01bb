"""The memory of a model before it is there: against sums by hand."""

from __future__ import annotations

import pytest

from llmstack_tui.catalog.rules import LONG, SHORT, EntryFit, estimate, fit
from llmstack_tui.catalog.types import Attention, Entry, File, Number, Text, Use

MIB = 2**20
# Llama 3.1 8B, whose cache at f16 is known to take 128 KiB a token.
LLAMA = Attention("", layers=32, kv_heads=8, key=128, value=128)


def entry(attention: Attention | None, *, context: int = 131072, size: int = 4_900_000_000) -> Entry:
    return Entry(
        name="x",
        family="X",
        uses=(Use.GENERAL,),
        good_for="tests",
        priority=1,
        parameters=Text("8B", ""),
        context=Number(context, ""),
        files=(File("latest", size, ""),),
        attention=attention,
    )


def cache(attention: Attention, context: int, cache_type: str = "f16", *, made_for: int = 131072) -> int:
    model = entry(attention, context=made_for)
    known = estimate(model, model.file, context, cache_type)
    assert known is not None
    assert known.parts is not None
    return known.parts.cache


def test_each_token_has_its_keys_and_values() -> None:
    assert cache(LLAMA, 8192) == 8192 * 128 * 1024


def test_a_smaller_cache_type_takes_less() -> None:
    assert cache(LLAMA, 8192, "q8_0") == 8192 * 128 * 1024 * 17 // 32
    assert cache(LLAMA, 8192, "q4_0") == 8192 * 128 * 1024 * 9 // 32


def test_layers_with_a_window_keep_no_more_than_that() -> None:
    gemma = Attention("", layers=34, kv_heads=4, key=256, value=256, window=1024, window_layers=29)
    token = 4 * 512 * 2
    # With a batch of 512 tokens beside the window, and a copy of the window.
    assert cache(gemma, 32768) == (5 * 32768 + 29 * (1536 + 1024)) * token
    assert cache(gemma, 512) == (34 + 29) * 512 * token


def test_keys_and_values_may_differ() -> None:
    deepseek = Attention("", layers=27, kv_heads=16, key=192, value=128)
    assert cache(deepseek, 4096) == 1080 * MIB


def test_a_model_keeps_no_more_than_it_was_made_for() -> None:
    assert cache(LLAMA, 32768, made_for=2048) == cache(LLAMA, 2048)


def test_an_encoder_keeps_nothing() -> None:
    assert cache(Attention("", encoder=True), 4096) == 0


@pytest.mark.parametrize(
    ("size", "compute"),
    [(46_000_000, 32 * MIB), (2_000 * MIB, 200 * MIB), (40_000_000_000, 512 * MIB)],
)
def test_buffers_for_computing_take_a_share_of_the_weights(size: int, compute: int) -> None:
    model = entry(LLAMA, size=size)
    known = estimate(model, model.file, SHORT)
    assert known is not None
    assert known.parts is not None
    mask = SHORT * 512 * 2
    assert (known.parts.weights, known.parts.compute) == (size, compute + mask)
    assert known.total == size + compute + mask + known.parts.process + SHORT * 128 * 1024


def test_what_fits_depends_on_the_budget() -> None:
    model = entry(LLAMA)
    totals = [known.total for length in (SHORT, LONG) if (known := estimate(model, model.file, length))]
    assert [
        fit(model, model.file, budget) for budget in (totals[0] - 1, totals[0], totals[1] - 1, totals[1])
    ] == [
        EntryFit.NO,
        EntryFit.SHORT,
        EntryFit.SHORT,
        EntryFit.LONG,
    ]
    assert fit(model, model.file, None) is EntryFit.UNKNOWN


def test_without_a_shape_only_what_is_too_large_is_known() -> None:
    model = entry(None)
    assert estimate(model, model.file, SHORT) is None
    assert fit(model, model.file, model.file.bytes - 1) is EntryFit.NO
    assert fit(model, model.file, 10 * model.file.bytes) is EntryFit.UNKNOWN
