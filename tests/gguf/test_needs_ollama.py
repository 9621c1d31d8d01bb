"""Files that only Ollama can load."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.gguf.checks import needs_ollama
from llmstack_tui.gguf.header import read_header
from tests.support.gguf.files import ARRAY, F32, STRING, U32, Llama, array

if TYPE_CHECKING:
    from pathlib import Path


def as_architecture(name: str) -> Llama:
    """A good file of another architecture: what begins with "llama." begins with its name."""
    metadata = {key.replace("llama.", f"{name}."): value for key, value in Llama().metadata.items()}
    return Llama(metadata=metadata).saying("general.architecture", STRING, name)


ONLY_OLLAMA = {
    "an architecture of its own": as_architecture("gptoss"),
    "another": as_architecture("qwen25vl"),
    "vision inside": as_architecture("gemma3").with_tensors(("v.patch_embd.weight", (8,))),
    "no epsilon": as_architecture("gemma3").without("gemma3.attention.layer_norm_rms_epsilon"),
    "rope by another name": as_architecture("gemma3").saying("gemma3.rope.global.freq_base", F32, 1e6),
    "embeddinggemma": as_architecture("gemma3").with_tensors(("dense.0.weight", (8,))),
    "mistral with vision": as_architecture("mistral3").with_tensors(("mm.1.weight", (8,))),
    "yarn by another name": as_architecture("mistral3").saying("mistral3.rope.scaling.beta_fast", F32, 32.0),
    "llama 4 with vision": as_architecture("llama4").with_tensors(("v.blk.0.attn_q.weight", (8,))),
    "qwen 3 vl without sections": as_architecture("qwen3vl"),
    "qwen 3.5 with prediction": as_architecture("qwen35").with_tensors(("mtp.fc.weight", (8,))),
    "qwen 3 next": as_architecture("qwen3next").with_tensors(("blk.0.ssm_dt", (8,))),
    "gemma 3n": as_architecture("gemma3n").with_tensors(("per_layer_token_embd.weight", (32, 3))),
    "gemma 4": as_architecture("gemma4").saying("tokenizer.ggml.model", STRING, "llama"),
    "lfm2": as_architecture("lfm2"),
    "arctic embed": as_architecture("bert").saying(
        "tokenizer.ggml.precompiled_charsmap", ARRAY, array(STRING, ["A"] * 99)
    ),
}
FOR_ALL = {
    "llama": as_architecture("llama"),
    "gpt-oss": as_architecture("gpt-oss"),
    "gemma3": as_architecture("gemma3").saying("tokenizer.ggml.add_padding_token", U32, 1),
    "mistral3": as_architecture("mistral3"),
    "llama4": as_architecture("llama4"),
    "qwen2vl": as_architecture("qwen2vl"),
    "qwen3vl": as_architecture("qwen3vl").saying(
        "qwen3vl.rope.dimension_sections", ARRAY, array(U32, [1, 2, 3])
    ),
    "qwen35": as_architecture("qwen35"),
    "qwen3next": as_architecture("qwen3next").with_tensors(("blk.0.ssm_dt.bias", (8,))),
    "gemma3n": as_architecture("gemma3n").with_tensors(("per_layer_token_embd.weight", (64, 4))),
    "gemma4": as_architecture("gemma4"),
    "lfm2": as_architecture("lfm2").with_tensors(("token_embd_norm.weight", (32,))),
    "bert": as_architecture("bert"),
}


@pytest.mark.parametrize("packaging", ONLY_OLLAMA)
def test_models_that_only_ollama_can_load(tmp_path: Path, packaging: str) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(bytes(ONLY_OLLAMA[packaging]))
    architecture = read_header(path).architecture
    assert needs_ollama(read_header(path)) == Sentence("gguf.needs_ollama", {"architecture": architecture})


@pytest.mark.parametrize("packaging", FOR_ALL)
def test_good_files_of_the_same_families(tmp_path: Path, packaging: str) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(bytes(FOR_ALL[packaging]))
    assert needs_ollama(read_header(path)) is None
