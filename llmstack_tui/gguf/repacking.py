"""Which weights llama.cpp rearranges for the processor's vector units when it loads them.

The rules are those of ``ggml-cpu/repack.cpp``: a matrix of certain types, with a multiple of eight rows, that
is multiplied rather than looked up. The rearranged matrix takes memory of its own, beside a mapped file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmstack_tui.gguf.header import Header, Tensor

_ROWS = 8
_EMBEDDINGS = "token_embd.weight"
_OUTPUT = "output.weight"
_X86 = frozenset({"Q4_0", "Q4_K", "IQ4_NL", "MXFP4"})
_ARM = _X86 | {"Q5_K", "Q6_K", "Q8_0"}


def repacked_types(machine: str) -> frozenset[str]:
    """The types that are rearranged on a processor; ``machine`` is its name from `platform.machine`."""
    machine = machine.lower()
    if machine in {"x86_64", "amd64"}:
        return _X86
    return _ARM if machine in {"arm64", "aarch64"} else frozenset()


def repacked_size(header: Header, types: frozenset[str]) -> int:
    """Bytes of the weights that are rearranged."""
    return sum(tensor.size for tensor in header.tensors if _is_repacked(header, tensor, types))


def held_twice(header: Header, types: frozenset[str]) -> int:
    """Bytes that are in memory in both arrangements.

    A model without an output matrix uses its embeddings twice: as they are, to look up tokens, and
    rearranged, to multiply by.
    """
    if _OUTPUT in header.tensor_names:
        return 0
    return sum(
        tensor.size
        for tensor in header.tensors
        if tensor.name == _EMBEDDINGS and _is_repacked(header, tensor, types)
    )


def _is_repacked(header: Header, tensor: Tensor, types: frozenset[str]) -> bool:
    if tensor.name == _EMBEDDINGS and _OUTPUT in header.tensor_names:
        return False
    return tensor.type.name in types and len(tensor.shape) > 1 and tensor.shape[1] % _ROWS == 0
