"""Which weights are rearranged for the processor."""

from __future__ import annotations

import pytest

from llmstack_tui.gguf.header import Header, Tensor
from llmstack_tui.gguf.repacking import held_twice, repacked_size, repacked_types
from llmstack_tui.gguf.types import TENSOR_TYPES

_NUMBERS = {kind.name: number for number, kind in TENSOR_TYPES.items()}
X86 = repacked_types("x86_64")


def tensor(name: str, kind: str, shape: tuple[int, ...], size: int) -> Tensor:
    return Tensor(f"{name}.weight", TENSOR_TYPES[_NUMBERS[kind]], shape, 0, size)


def header(*tensors: Tensor) -> Header:
    return Header(3, {}, tensors, 0, 0)


EMBEDDINGS = tensor("token_embd", "Q4_0", (64, 1000), 1)
MATRIX = tensor("blk.0.attn_q", "Q4_0", (64, 64), 10)
OUTPUT = tensor("output", "Q4_0", (64, 1000), 100)


def test_embeddings_that_are_the_output_too_are_held_twice() -> None:
    tied = header(EMBEDDINGS, MATRIX)
    assert (repacked_size(tied, X86), held_twice(tied, X86)) == (11, 1)


def test_embeddings_beside_an_output_are_only_looked_up() -> None:
    untied = header(EMBEDDINGS, MATRIX, OUTPUT)
    assert (repacked_size(untied, X86), held_twice(untied, X86)) == (110, 0)


@pytest.mark.parametrize(
    "other",
    [
        tensor("blk.0.ffn_up", "Q8_0", (64, 64), 1),
        tensor("blk.0.ffn_up", "Q4_0", (64, 63), 1),
        tensor("blk.0.ffn_norm", "Q4_0", (64,), 1),
    ],
)
def test_what_is_left_as_it_is(other: Tensor) -> None:
    assert repacked_size(header(other, OUTPUT), X86) == 100


def test_it_depends_on_the_processor() -> None:
    assert "Q8_0" in repacked_types("arm64")
    assert "Q8_0" not in repacked_types("AMD64")
    assert repacked_types("riscv64") == frozenset()
    assert repacked_size(header(EMBEDDINGS, MATRIX), frozenset()) == 0
