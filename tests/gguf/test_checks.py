from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.gguf.checks import check_loadable
from llmstack_tui.gguf.header import read_header
from tests.support.gguf.files import ARRAY, F32, I32, STRING, U32, Llama, array

if TYPE_CHECKING:
    from pathlib import Path


EPSILON = "attention.layer_norm_rms_epsilon"


def missing(key: str) -> Sentence:
    return Sentence("gguf.no_value", {"key": key})


def wrong(key: str, value: str) -> Sentence:
    return Sentence("gguf.bad_value", {"key": key, "value": value})


def check(folder: Path, model: Llama) -> Sentence | None:
    path = folder / "model.gguf"
    path.write_bytes(bytes(model))
    return check_loadable(read_header(path))


def test_a_model_is_loadable(tiny_model: Path, random_model: Path, tmp_path: Path) -> None:
    assert check_loadable(read_header(tiny_model)) is None
    assert check_loadable(read_header(random_model)) is None
    assert check(tmp_path, Llama()) is None


@pytest.mark.parametrize(
    ("key", "kind", "value", "told"),
    [
        ("general.type", STRING, "adapter", Sentence("gguf.adapter")),
        ("general.type", STRING, "mmproj", Sentence("gguf.projector")),
        ("general.architecture", STRING, "clip", Sentence("gguf.projector")),
        ("general.architecture", U32, 7, missing("general.architecture")),
        ("llama.block_count", U32, 0, wrong("block_count", "0")),
        ("llama.block_count", U32, 513, wrong("block_count", "513")),
        ("llama.block_count", U32, 2**31, wrong("block_count", "2147483648")),
        ("llama.block_count", STRING, "2", missing("block_count")),
        ("llama.context_length", U32, 0, wrong("context_length", "0")),
        ("llama.context_length", U32, 2**32 - 1, wrong("context_length", "4294967295")),
        ("llama.embedding_length", U32, 0, wrong("embedding_length", "0")),
        ("llama.attention.head_count", U32, 0, wrong("attention.head_count", "0")),
        ("llama.attention.key_length", U32, 10**9, wrong("attention.key_length", "1000000000")),
        ("llama.ssm.state_size", U32, 2**31, wrong("ssm.state_size", "2147483648")),
        ("llama.attention.layer_norm_rms_epsilon", F32, math.nan, wrong(EPSILON, "nan")),
        ("llama.attention.layer_norm_rms_epsilon", F32, math.inf, wrong(EPSILON, "inf")),
        ("llama.attention.layer_norm_rms_epsilon", F32, -1.0, wrong(EPSILON, "-1.0")),
        ("llama.attention.layer_norm_rms_epsilon", I32, 1, wrong(EPSILON, "1")),
        ("llama.expert_count", U32, 1000, wrong("expert_count", "1000")),
        ("llama.expert_count", U32, 8, wrong("expert_used_count", "0")),
        ("llama.expert_used_count", U32, 4, wrong("expert_used_count", "4")),
        ("tokenizer.ggml.model", U32, 4, missing("tokenizer.ggml.model")),
        ("tokenizer.ggml.tokens", ARRAY, array(STRING, []), missing("tokenizer.ggml.tokens")),
        ("tokenizer.ggml.tokens", ARRAY, array(I32, [1] * 2000), missing("tokenizer.ggml.tokens")),
        ("tokenizer.ggml.tokens", ARRAY, array(STRING, ["a", "a"]), Sentence("gguf.token_twice")),
    ],
)
def test_what_llama_cpp_would_not_survive(
    tmp_path: Path, key: str, kind: int, value: bytes | float | str, told: Sentence
) -> None:
    assert check(tmp_path, Llama().saying(key, kind, value)) == told


MANY = [f"t{number}" for number in range(2000)]


def bad(key: str, tokens: int = 4) -> Sentence:
    return Sentence("gguf.bad_vocabulary", {"key": f"tokenizer.ggml.{key}", "tokens": tokens})


@pytest.mark.parametrize(
    ("key", "kind", "value", "told"),
    [
        ("scores", ARRAY, array(F32, [0.0] * 3), bad("scores")),
        ("scores", ARRAY, array(F32, []), bad("scores")),
        ("scores", ARRAY, array(I32, [0] * 4), bad("scores")),
        ("scores", ARRAY, array(I32, [0] * 2000), bad("scores")),
        ("scores", F32, 1.0, bad("scores")),
        ("scores", ARRAY, array(F32, [0.0] * 4), None),
        ("scores", ARRAY, array(F32, [0.0] * 2000), None),
        ("token_type", ARRAY, array(I32, [1] * 3), bad("token_type")),
        ("token_type", ARRAY, array(F32, [1.0] * 4), bad("token_type")),
        ("tokens", ARRAY, array(I32, [1, 2, 3, 4]), missing("tokenizer.ggml.tokens")),
        ("tokens", ARRAY, array(STRING, ["", "", "a", "b"]), None),
        # llama.cpp takes another one, as it does for a padding token that many models give so.
        ("eos_token_id", U32, 5000, None),
    ],
)
def test_a_vocabulary_that_does_not_fit_itself(
    tmp_path: Path, key: str, kind: int, value: bytes | float | str, told: Sentence | None
) -> None:
    assert check(tmp_path, Llama().saying(f"tokenizer.ggml.{key}", kind, value)) == told


@pytest.mark.parametrize(
    ("tokens", "told"),
    [
        (MANY, None),
        ([*MANY, "t7"], Sentence("gguf.token_twice")),
        ([*MANY, "", ""], None),
        ([*MANY, "", "", "t7"], Sentence("gguf.token_twice")),
    ],
)
def test_a_long_vocabulary_with_a_token_twice(
    tmp_path: Path, tokens: list[str], told: Sentence | None
) -> None:
    model = Llama().saying("tokenizer.ggml.tokens", ARRAY, array(STRING, tokens))
    path = tmp_path / "model.gguf"
    path.write_bytes(bytes(model.without("tokenizer.ggml.token_type")))
    assert check_loadable(read_header(path, tokens=True)) == told


def test_missing_values(tmp_path: Path) -> None:
    assert check(tmp_path, Llama().without("llama.block_count")) == missing("block_count")
    assert check(tmp_path, Llama().without("tokenizer.ggml.model")) == missing("tokenizer.ggml.model")
    assert check(tmp_path, Llama(tensors=())) == Sentence("gguf.vocabulary")
    bare = Llama(tensors=()).without("tokenizer.ggml.tokens")
    assert check(tmp_path, bare) == Sentence("gguf.no_weights")


@pytest.mark.parametrize("name", ["none", "no_vocab"])
def test_a_model_without_a_tokenizer_of_its_own(tmp_path: Path, name: str) -> None:
    """It can be loaded, but not be given a text."""
    model = Llama().saying("tokenizer.ggml.model", STRING, name).without("tokenizer.ggml.tokens")
    assert check(tmp_path, model) == wrong("tokenizer.ggml.model", name)


@pytest.mark.parametrize(
    ("key", "kind", "value", "told"),
    [
        ("tokenizer.ggml.eos_token_id", STRING, "2", wrong("tokenizer.ggml.eos_token_id", "2")),
        ("tokenizer.ggml.eos_token_id", U32, 99_999, None),
        ("tokenizer.ggml.add_bos_token", STRING, "yes", wrong("tokenizer.ggml.add_bos_token", "yes")),
        ("general.file_type", STRING, "Q4", wrong("general.file_type", "Q4")),
        ("general.file_type", U32, 99_999, None),
        ("tokenizer.ggml.merges", ARRAY, array(I32, [1]), missing("tokenizer.ggml.merges")),
        ("tokenizer.ggml.merges", ARRAY, array(STRING, []), None),
    ],
)
def test_a_value_of_another_type(
    tmp_path: Path, key: str, kind: int, value: bytes | int | str, told: Sentence | None
) -> None:
    assert check(tmp_path, Llama().saying(key, kind, value)) == told


def test_a_vocabulary_of_pairs_needs_their_merges(tmp_path: Path) -> None:
    lacking = Llama().without("tokenizer.ggml.merges")
    assert check(tmp_path, lacking) == missing("tokenizer.ggml.merges")
    assert check(tmp_path, lacking.saying("tokenizer.ggml.model", STRING, "llama")) is None
