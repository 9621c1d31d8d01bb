"""The cache of models of many kinds, against sums by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmstack_tui.fit.memory import Request, Weights, estimate
from llmstack_tui.fit.metadata import shape_of
from llmstack_tui.gguf.header import ArrayInfo
from llmstack_tui.gguf.types import ValueType
from tests.support import headers
from tests.support.headers import metadata

if TYPE_CHECKING:
    from collections.abc import Mapping

KIB, MIB = 2**10, 2**20


def cache(data: Mapping[str, object], context: int, cache_type: str = "f16", parallel: int = 1) -> int:
    shape = headers.shape(data)
    request = Request(context_length=context, cache_type=cache_type, parallel=parallel)
    known = estimate(Weights(size=10**9), shape, request)
    assert known is not None
    assert known.parts is not None
    return known.parts.cache


def test_a_token_of_llama_8b_takes_128_kib() -> None:
    assert cache(headers.LLAMA_8B, 8192) == 8192 * 128 * KIB


def test_smaller_types_and_more_slots() -> None:
    whole = cache(headers.LLAMA_8B, 8192)
    assert cache(headers.LLAMA_8B, 8192, "q8_0") == whole * 17 // 32
    assert cache(headers.LLAMA_8B, 8192, "q4_0") == whole * 9 // 32
    assert cache(headers.LLAMA_8B, 8192, parallel=3) == 3 * whole


def test_one_layer_of_six_of_gemma_sees_the_whole_context() -> None:
    token = 16 * 256 * 2
    # 1024 tokens of a window, 512 of a batch, and a copy of the window.
    assert cache(headers.GEMMA_27B, 32_768) == (10 * 32_768 + 52 * (1536 + 1024)) * token
    assert cache(headers.GEMMA_27B, 512) == (62 + 52) * 512 * token


def test_the_pattern_of_windows_may_be_a_list() -> None:
    data = metadata(
        "exaone-moe",
        block_count=4,
        embedding_length=1024,
        attention__head_count=8,
        attention__sliding_window=512,
        attention__sliding_window_pattern=[True, True, True, False],
    )
    assert cache(data, 8192) == (3 * (1024 + 512) + 8192) * 2048 * 2


def test_a_window_that_the_architecture_does_not_use_caps_nothing() -> None:
    data = {**headers.LLAMA_8B, "llama.attention.sliding_window": 4096}
    assert cache(data, 32_768) == cache(headers.LLAMA_8B, 32_768)


def test_every_second_layer_of_gpt_oss_has_a_window() -> None:
    assert cache(headers.GPT_OSS_20B, 8192) == (12 * 8192 + 12 * (768 + 128)) * 8 * 128 * 2


def test_a_latent_stands_for_all_heads() -> None:
    assert cache(headers.DEEPSEEK_V3, 4096) == 61 * 576 * 4096 * 2


def test_an_older_file_of_such_a_model_keeps_each_head() -> None:
    data = metadata(
        "deepseek2",
        block_count=27,
        context_length=163_840,
        embedding_length=2048,
        attention__head_count=16,
        attention__head_count_kv=16,
        attention__key_length=192,
        attention__value_length=128,
        attention__kv_lora_rank=512,
    )
    assert cache(data, 4096) == 1080 * MIB


def test_a_state_and_its_copy_are_the_same_for_every_context() -> None:
    state = 2 * 4 * (3 * 4096 + 16 * 4096) * 48
    assert cache(headers.MAMBA_1B, 2048) == cache(headers.MAMBA_1B, 32_768) == state
    assert cache(headers.MAMBA_1B, 2048, parallel=4) == 4 * state


def test_layers_without_heads_have_a_state() -> None:
    attention, state = 2 * 128 * 4096 * 2, 2 * 4 * (3 * 5120 + 16 * 5120)
    assert cache(headers.JAMBA, 4096) == 2 * attention + 14 * state


def test_every_fourth_layer_of_qwen3next_has_attention() -> None:
    data = metadata(
        "qwen3next",
        block_count=48,
        embedding_length=2048,
        attention__head_count=16,
        attention__head_count_kv=2,
        attention__key_length=256,
        attention__value_length=256,
        ssm__conv_kernel=4,
        ssm__inner_size=4096,
        ssm__state_size=128,
        ssm__group_count=16,
    )
    state = 2 * 4 * (3 * (4096 + 2 * 16 * 128) + 128 * 4096)
    assert cache(data, 4096) == 12 * 2 * 512 * 4096 * 2 + 36 * state


def test_an_encoder_keeps_nothing() -> None:
    assert cache(headers.NOMIC, 2048) == 0


def test_heads_of_each_layer() -> None:
    data = {**headers.LLAMA_8B, "llama.attention.head_count_kv": [8] * 16 + [4] * 16}
    assert cache(data, 4096) == cache(headers.LLAMA_8B, 4096) * 3 // 4


def test_no_more_than_it_was_trained_for() -> None:
    data = {**headers.LLAMA_8B, "llama.context_length": 2048}
    assert cache(data, 32_768) == cache(headers.LLAMA_8B, 2048)


def test_what_experts_make_of_a_token() -> None:
    # Eight experts and a shared one come to as much as a dense layer.
    assert headers.shape(headers.DEEPSEEK_V3).hidden == 9 * 2048 == 18_432
    assert headers.shape(headers.GPT_OSS_20B).hidden == 4 * 2880


def test_the_lengths_of_passed_over_lists_count() -> None:
    vocabulary = {
        "tokenizer.ggml.tokens": ArrayInfo(ValueType.STRING, 49_152),
        "tokenizer.ggml.merges": ArrayInfo(ValueType.STRING, 48_900),
    }
    shape = headers.shape({**headers.LLAMA_8B, **vocabulary})
    assert (shape.tokens, shape.merges) == (49_152, 48_900)


@pytest.mark.parametrize(
    "changes",
    [
        {"block_count": 0},
        {"block_count": None},
        {"block_count": 2**40},
        {"block_count": "32"},
        {"block_count": True},
        {"attention.head_count": 0},
        {"attention.head_count": -8},
        {"attention.head_count": 2**60},
        {"attention.head_count_kv": 0},
        {"attention.head_count_kv": []},
        {"attention.head_count_kv": [8] * 3},
        {"attention.head_count_kv": ["8"] * 32},
        {"attention.head_count_kv": ArrayInfo(ValueType.U32, 2000)},
        {"embedding_length": None},
        {"embedding_length": 8},
    ],
)
def test_what_makes_no_sense_is_unknown(changes: dict[str, object]) -> None:
    assert shape_of({**headers.LLAMA_8B, **{f"llama.{key}": value for key, value in changes.items()}}) is None


def test_a_list_that_a_server_left_out_is_unknown() -> None:
    """``null`` is an answer of ``/api/show``; a missing key means as many as there are heads."""
    missing = {key: value for key, value in headers.LLAMA_8B.items() if not key.endswith("head_count_kv")}
    assert cache(missing, 4096) == 4 * cache(headers.LLAMA_8B, 4096)
    assert shape_of({**missing, "llama.attention.head_count_kv": None}) is None


_LIES: tuple[object, ...] = (
    None, True, -1, 0, 1, 3, 2**31, 2**70, 0.5, float("nan"), "8", "", (), [], [8] * 3, [0] * 64, [7] * 64,
    ["x"] * 64, [None] * 64, [2**60] * 64, {}, b"8",
)  # fmt: skip
_TRUE = (
    headers.LLAMA_8B,
    headers.GEMMA_27B,
    headers.DEEPSEEK_V3,
    headers.MAMBA_1B,
    headers.JAMBA,
)


@given(
    st.sampled_from(_TRUE).flatmap(
        lambda true: st.dictionaries(st.sampled_from(sorted(true)), st.sampled_from(_LIES)).map(
            lambda lies: {**true, **lies}
        )
    )
)
def test_garbage_is_unknown_or_an_estimate_above_the_weights(lies: Mapping[str, object]) -> None:
    known = estimate(Weights(size=10**9), shape_of(lies), Request(context_length=4096))
    assert known is not None
    assert known.total > 10**9
