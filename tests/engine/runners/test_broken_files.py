"""Files whose fault llama.cpp finds only while it loads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from llmstack_tui.engine.errors import LoadFailed
from llmstack_tui.engine.runners.runner import Runner
from tests.engine.runners.real_runners import config, running
from tests.support.gguf.files import ARRAY, I32, STRING, U32, Llama, array

if TYPE_CHECKING:
    from pathlib import Path

WHOLE = Llama().whole
EPSILON = "llama.attention.layer_norm_rms_epsilon"
NEWER, OTHER = "a newer version of llmstack may", "get another file"


def saying(key: str, kind: int, value: bytes | int | str) -> bytes:
    return bytes(WHOLE.saying(key, kind, value))


def shaped(name: str, shape: tuple[int, ...]) -> bytes:
    return bytes(Llama(tensors=tuple({**dict(WHOLE.tensors), name: shape}.items())))


def with_weights(byte: bytes) -> bytes:
    data = WHOLE.file.data
    return bytes(WHOLE).removesuffix(data) + byte * len(data)


FAULTS = {
    f"llama.cpp does not know its architecture 'zebra': {NEWER}": (
        saying("general.architecture", STRING, "zebra")
    ),
    f"llama.cpp does not know its tokenizer 'abacus': {NEWER}": (
        saying("tokenizer.ggml.model", STRING, "abacus")
    ),
    f"llama.cpp does not know its tokenizer 'rosary': {NEWER}": saying(
        "tokenizer.ggml.pre", STRING, "rosary"
    ),
    f"its file does not give '{EPSILON}': {OTHER}": bytes(WHOLE.without(EPSILON)),
    f"its file gives a wrong value for 'tokenizer.ggml.eos_token_id': {OTHER}": (
        saying("tokenizer.ggml.eos_token_id", STRING, "2")
    ),
    f"its file gives a wrong value for 'llama.attention.head_count': {OTHER}": (
        saying("llama.attention.head_count", ARRAY, array(U32, [2, 2, 2]))
    ),
    f"its file lacks the tensor 'blk.0.attn_norm.weight': {OTHER}": bytes(Llama()),
    f"the size of 'token_embd.weight' is not what the file's header says: {OTHER}": (
        shaped("token_embd.weight", (32, 5))
    ),
    f"its file has tensors that belong to no such model: {OTHER}": shaped("strange.weight", (32,)),
    f"its file is cut short: {OTHER}": bytes(WHOLE)[:-4000],
    f"numbers in the file's header do not fit together: {OTHER}": (
        saying("llama.rope.dimension_count", U32, 31)
    ),
    f"llama.cpp gives up on its file: {OTHER}": saying("llama.rope.scaling.type", STRING, "spiral"),
    f"the vocabulary in its file cannot be used: {OTHER}": (
        saying("tokenizer.ggml.merges", ARRAY, array(I32, [1]))
    ),
    f"what its weights give is no number (NaN): {OTHER}": with_weights(b"\xff"),
}


async def test_without_a_fault_it_is_loaded(tmp_path: Path) -> None:
    weights = tmp_path / "whole.gguf"
    weights.write_bytes(bytes(WHOLE))
    async with running(weights, tmp_path) as runner:
        assert (await runner.call("/health"))["status"] == "ok"


@pytest.mark.parametrize(("cause", "file"), FAULTS.items(), ids=[*FAULTS])
async def test_a_fault_is_told_in_a_sentence_and_is_no_fault_of_the_engine(
    cause: str, file: bytes, tmp_path: Path
) -> None:
    weights = tmp_path / "model.gguf"
    weights.write_bytes(file)
    with pytest.raises(LoadFailed) as caught:
        await Runner.start(config(weights), folder=tmp_path)
    assert (str(caught.value), caught.value.status) == (f"The model cannot be loaded: {cause}.", 400)
