"""The header of a GGUF file: what the model is, how large, and where its tensors lie.

The format is that of ``ggml/docs/gguf.md`` in llama.cpp, versions 2 and 3, little-endian. Nothing in the file
is trusted: every count and length is checked against the size of the file before it is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from llmstack_tui.gguf.parsing import ArrayInfo, Tensor, Value, parse
from llmstack_tui.gguf.source import InvalidGGUF, Source, open_regular
from llmstack_tui.gguf.types import FILE_TYPES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


__all__ = ["ArrayInfo", "Header", "InvalidGGUF", "Tensor", "fill_tokens", "read_header"]

# Parts of the names of llama.cpp's encoder architectures.
_ENCODERS = ("bert", "-embed", "t5encoder")


# The keys of `FillTokens`: those of llama.cpp, and the older ones.
_FILL_KEYS = tuple(
    (f"tokenizer.ggml.fim_{short}_token_id", f"tokenizer.ggml.{long}_token_id")
    for short, long in (("pre", "prefix"), ("suf", "suffix"), ("mid", "middle"))
)


@dataclass(frozen=True)
class FillTokens:
    """The tokens that stand before a text, before what follows its gap, and before what fills the gap."""

    prefix: int
    suffix: int
    middle: int


@dataclass(frozen=True)
class Header:
    """The header of a GGUF file. All sizes and offsets are bytes.

    Attributes:
        metadata: the values by their keys; for a long array, only its type and length.
        data_offset: the place in the file from which the offsets of tensors count.
    """

    version: int
    metadata: Mapping[str, Value]
    tensors: tuple[Tensor, ...]
    file_size: int
    data_offset: int

    def value(self, key: str) -> Value | None:
        """``metadata["<architecture>.<key>"]``, or ``None``."""
        return self.metadata.get(f"{self.architecture}.{key}")

    def number(self, key: str) -> int | None:
        """The whole number of the architecture's ``key``; ``None`` if it is missing or something else."""
        value = self.value(key)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def text(self, key: str) -> str:
        """The text of ``key`` in full; empty if it is missing or something else."""
        value = self.metadata.get(key)
        return value if isinstance(value, str) else ""

    @property
    def architecture(self) -> str:
        return self.text("general.architecture")

    @property
    def name(self) -> str:
        return self.text("general.name")

    @property
    def chat_template(self) -> str | None:
        """The Jinja template for chats, if the file has one."""
        return self.text("tokenizer.chat_template") or None

    @property
    def quantization(self) -> str:
        """How most of the weights are stored, such as "Q4_K_M"; "unknown" if the file does not say."""
        number = self.metadata.get("general.file_type")
        return FILE_TYPES.get(number, "unknown") if isinstance(number, int) else "unknown"

    @property
    def context_length(self) -> int | None:
        """Tokens of context that the model was trained for."""
        return self.number("context_length")

    @property
    def embedding_length(self) -> int | None:
        return self.number("embedding_length")

    @property
    def block_count(self) -> int | None:
        return self.number("block_count")

    @property
    def is_embedding(self) -> bool:
        """Whether the model makes embeddings and cannot chat."""
        encodes = any(part in self.architecture for part in _ENCODERS)
        return encodes or self.value("pooling_type") is not None

    @cached_property
    def parameter_count(self) -> int:
        """The number of weights: the elements of all tensors."""
        return sum(tensor.elements for tensor in self.tensors)

    @cached_property
    def weights_size(self) -> int:
        """Bytes of all tensors."""
        return sum(tensor.size for tensor in self.tensors)

    @cached_property
    def tensor_names(self) -> frozenset[str]:
        return frozenset(tensor.name for tensor in self.tensors)


def fill_tokens(header: Header) -> FillTokens | None:
    """The tokens with which the model fills a gap; None for one that cannot."""
    found = [header.metadata.get(key, header.metadata.get(older)) for key, older in _FILL_KEYS]
    numbers = [each for each in found if isinstance(each, int) and not isinstance(each, bool)]
    return FillTokens(*numbers) if len(numbers) == len(_FILL_KEYS) else None


def read_header(path: Path, *, tokens: bool = False) -> Header:
    """The header of the GGUF file at ``path``; with ``tokens``, its vocabulary is looked through, too.

    Raises:
        InvalidGGUF: the file is none, or is broken.
    """
    with open_regular(path) as (file, size):
        version, metadata, tensors, data_offset = parse(Source(file, size, path), tokens=tokens)
    return Header(version, metadata, tensors, size, data_offset)
