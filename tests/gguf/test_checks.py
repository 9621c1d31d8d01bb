from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.gguf.checks import check_loadable
from llmstack_tui.gguf.header import read_header
from tests.support.gguf.files import ARRAY, F32, I32, STRING, U32, Llama, array

if TYPE_CHECKING:
    from pathlib import Path


def check(folder: Path, model: Llama) -> str | None:
    path = folder / "model.gguf"
    path.write_bytes(bytes(model))
    return check_loadable(read_header(path))


def test_a_model_is_loadable(tiny_model: Path, random_model: Path, tmp_path: Path) -> None:
    assert check_loadable(read_header(tiny_model)) is None
    assert check_loadable(read_header(random_model)) is None
    assert check(tmp_path, Llama()) is None


@pytest.mark.parametrize(
    ("key", "kind", "value", "says"),
    [
        ("general.type", STRING, "adapter", "a LoRA adapter"),
        ("general.type", STRING, "mmproj", "a projector for images"),
        ("general.architecture", STRING, "clip", "a projector for images"),
        ("general.architecture", U32, 7, "which architecture"),
        ("llama.block_count", U32, 0, "has no layers"),
        ("llama.block_count", U32, 513, "has 513 layers"),
        ("llama.block_count", U32, 2**31, "has 2147483648 layers"),
        ("llama.block_count", STRING, "2", "has no layers"),
        ("llama.context_length", U32, 0, "a context of no tokens"),
        ("llama.context_length", U32, 2**32 - 1, "a context of 4294967295 tokens"),
        ("llama.embedding_length", U32, 0, "embeddings have no length"),
        ("llama.attention.head_count", U32, 0, "no attention heads"),
        ("llama.attention.layer_norm_rms_epsilon", F32, math.nan, "is nan"),
        ("llama.attention.layer_norm_rms_epsilon", F32, math.inf, "is inf"),
        ("llama.attention.layer_norm_rms_epsilon", F32, -1.0, "is -1.0"),
        ("llama.attention.layer_norm_rms_epsilon", I32, 1, "is 1"),
        ("llama.expert_count", U32, 1000, "has 1,000 experts"),
        ("llama.expert_count", U32, 8, "uses none of its 8 experts"),
        ("llama.expert_used_count", U32, 4, "uses 4 of 0 experts"),
        ("tokenizer.ggml.model", U32, 4, "no tokenizer"),
        ("tokenizer.ggml.tokens", ARRAY, array(STRING, []), "without a vocabulary"),
        ("tokenizer.ggml.tokens", ARRAY, array(I32, [1] * 2000), "without a vocabulary"),
        ("tokenizer.ggml.tokens", ARRAY, array(STRING, ["a", "a"]), "the same token twice"),
    ],
)
def test_what_llama_cpp_would_not_survive(
    tmp_path: Path, key: str, kind: int, value: bytes | float | str, says: str
) -> None:
    reason = check(tmp_path, Llama().saying(key, kind, value))
    assert reason is not None
    assert says in reason
    assert reason.endswith(".")


def test_missing_values(tmp_path: Path) -> None:
    assert "no layers" in (check(tmp_path, Llama().without("llama.block_count")) or "")
    assert "no tokenizer" in (check(tmp_path, Llama().without("tokenizer.ggml.model")) or "")
    assert "no weights" in (check(tmp_path, Llama(tensors=())) or "")


def test_a_model_without_a_tokenizer_of_its_own(tmp_path: Path) -> None:
    assert (
        check(
            tmp_path, Llama().saying("tokenizer.ggml.model", STRING, "none").without("tokenizer.ggml.tokens")
        )
        is None
    )
