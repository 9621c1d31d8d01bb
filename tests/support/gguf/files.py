"""Writes GGUF files byte by byte, true ones and lying ones."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from llmstack_tui.base.structs import replace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64 = range(13)
_PACKED = {U8: "B", I8: "b", U16: "H", I16: "h", U32: "I", I32: "i", F32: "f", BOOL: "?", U64: "Q", I64: "q"}
_PACKED[F64] = "d"


def string(text: str, length: int | None = None) -> bytes:
    """``text`` behind its length, or behind the ``length`` it lies about."""
    raw = text.encode()
    return struct.pack("<Q", len(raw) if length is None else length) + raw


def scalar(kind: int, value: float | str) -> bytes:
    if kind == STRING:
        return string(str(value))
    return struct.pack("<" + _PACKED[kind], value)


def array(kind: int, values: Sequence[float | str], count: int | None = None) -> bytes:
    head = struct.pack("<IQ", kind, len(values) if count is None else count)
    return head + b"".join(scalar(kind, value) for value in values)


def pair(key: str, kind: int, value: bytes | float | str) -> bytes:
    """One entry of the metadata; ``value`` as bytes is taken as it is."""
    return (
        string(key) + struct.pack("<I", kind) + (value if isinstance(value, bytes) else scalar(kind, value))
    )


def tensor(
    name: str, shape: Sequence[int], kind: int = 0, offset: int = 0, dimensions: int | None = None
) -> bytes:
    count = len(shape) if dimensions is None else dimensions
    return string(name) + struct.pack(f"<I{len(shape)}QIQ", count, *shape, kind, offset)


@dataclass(frozen=True)
class File:
    """The parts of a file; ``bytes(file)`` joins them. Counts are true unless they are given."""

    pairs: tuple[bytes, ...] = ()
    tensors: tuple[bytes, ...] = ()
    data: bytes = b""
    magic: bytes = b"GGUF"
    version: int = 3
    pair_count: int | None = None
    tensor_count: int | None = None
    alignment: int = 32

    def __bytes__(self) -> bytes:
        tensor_count = len(self.tensors) if self.tensor_count is None else self.tensor_count
        pair_count = len(self.pairs) if self.pair_count is None else self.pair_count
        head = self.magic + struct.pack("<IQQ", self.version, tensor_count, pair_count)
        head += b"".join(self.pairs) + b"".join(self.tensors)
        return head + bytes(-len(head) % self.alignment) + self.data


_LAYER = tuple(
    (f"blk.0.{name}.weight", shape)
    for name, shape in {
        "attn_norm": (32,),
        "attn_q": (32, 32),
        "attn_k": (32, 16),
        "attn_v": (32, 16),
        "attn_output": (32, 32),
        "ffn_norm": (32,),
        "ffn_gate": (32, 64),
        "ffn_up": (32, 64),
        "ffn_down": (64, 32),
    }.items()
)


@dataclass(frozen=True)
class Llama:
    """A file whose header says that it is a small model of the ``llama`` architecture.

    ``metadata`` is ``{key: (type, value)}``; `saying` changes one entry, `without` leaves one out.
    """

    metadata: Mapping[str, tuple[int, bytes | float | str]] = field(
        default_factory=lambda: {
            "general.architecture": (STRING, "llama"),
            "general.name": (STRING, "Small"),
            "general.file_type": (U32, 0),
            "llama.block_count": (U32, 1),
            "llama.context_length": (U32, 2048),
            "llama.embedding_length": (U32, 32),
            "llama.feed_forward_length": (U32, 64),
            "llama.attention.head_count": (U32, 2),
            "llama.attention.head_count_kv": (U32, 1),
            "llama.attention.layer_norm_rms_epsilon": (F32, 1e-5),
            "llama.rope.freq_base": (F32, 10_000.0),
            "tokenizer.ggml.model": (STRING, "gpt2"),
            "tokenizer.ggml.tokens": (ARRAY, array(STRING, ["<s>", "a", "b", "c"])),
            "tokenizer.ggml.token_type": (ARRAY, array(I32, [3, 1, 1, 1])),
            "tokenizer.ggml.merges": (ARRAY, array(STRING, ["a b"])),
        }
    )
    tensors: tuple[tuple[str, tuple[int, ...]], ...] = (
        ("token_embd.weight", (32, 4)),
        ("output_norm.weight", (32,)),
    )

    def saying(self, key: str, kind: int, value: bytes | float | str) -> Llama:
        return replace(self, metadata={**self.metadata, key: (kind, value)})

    def without(self, key: str) -> Llama:
        return replace(
            self, metadata={other: value for other, value in self.metadata.items() if other != key}
        )

    def with_tensors(self, *more: tuple[str, tuple[int, ...]]) -> Llama:
        return replace(self, tensors=(*self.tensors, *more))

    @property
    def whole(self) -> Llama:
        """With all tensors: one that llama.cpp loads."""
        return self.with_tensors(*_LAYER)

    @property
    def file(self) -> File:
        tensors, data = [], b""
        for name, shape in self.tensors:
            tensors.append(tensor(name, shape, 0, len(data)))
            size = 4
            for extent in shape:
                size *= extent
            data += bytes(size + -size % 32)
        pairs = tuple(pair(key, kind, value) for key, (kind, value) in self.metadata.items())
        return File(pairs, tuple(tensors), data)

    def __bytes__(self) -> bytes:
        return bytes(self.file)
