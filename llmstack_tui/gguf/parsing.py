"""From the bytes of a GGUF file to its metadata and its list of tensors."""

from __future__ import annotations

import struct
from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.gguf.source import Source, check_format
from llmstack_tui.gguf.types import IMAGE_TENSORS, SCALARS, TENSOR_TYPES, TensorType, ValueType

if TYPE_CHECKING:
    from collections.abc import Mapping


_VERSIONS = (2, 3)
_START = struct.Struct("<4sI")
_COUNTS = struct.Struct("<QQ")
_U32 = struct.Struct("<I")
_ARRAY = struct.Struct("<IQ")
_PLACE = struct.Struct("<IQ")
_SCALARS = {kind: struct.Struct("<" + letter) for kind, letter in SCALARS.items()}
_SHAPES = {count: struct.Struct(f"<{count}Q") for count in range(5)}

_MAX_NAME = 63  # GGML_MAX_NAME with its final zero
_MAX_KEY = 65_535
# Far more than any model has, few enough to be read in a second.
_MAX_PAIRS = 2**14
_MAX_TENSORS = 2**17
_DEFAULT_ALIGNMENT = 32
_TOKENS = "tokenizer.ggml.tokens"

# Values for each layer are worth having; a vocabulary is not.
_KEPT_NUMBERS = 1024
_KEPT_STRINGS = 64


class ArrayInfo(Struct, frozen=True):
    """An array whose values were not kept. ``repeats``: a text, not an empty one, is there twice."""

    type: ValueType
    length: int
    repeats: bool = False


Scalar = int | float | bool | str
Value = Scalar | tuple[Scalar, ...] | ArrayInfo


class Tensor(Struct, frozen=True):
    """One tensor. ``shape`` begins with the fastest dimension, ``offset`` counts from ``data_offset``."""

    name: str
    type: TensorType
    shape: tuple[int, ...]
    offset: int
    size: int

    @property
    def elements(self) -> int:
        return prod(self.shape)


def parse(
    source: Source, *, tokens: bool = False
) -> tuple[int, Mapping[str, Value], tuple[Tensor, ...], int]:
    """Version, metadata, tensors and the offset of the data.

    Args:
        tokens: look for tokens that are there twice, also in a long vocabulary.

    Raises:
        InvalidGGUF: the header is invalid.
    """
    version = _version(source)
    tensor_count, pair_count = map(int, source.take(_COUNTS))
    if pair_count > _MAX_PAIRS or tensor_count > _MAX_TENSORS:
        raise source.fail("gguf.too_large")
    metadata: dict[str, Value] = {}
    for _ in range(pair_count):
        key = source.string()
        if not 0 < len(key) <= _MAX_KEY:
            raise source.broken("key length", key)
        if key in metadata:
            raise source.broken("key twice", key)
        begin = source.at
        found = metadata[key] = _value(source, key)
        if tokens and key == _TOKENS and isinstance(found, ArrayInfo) and found.type == ValueType.STRING:
            repeats = source.repeats(begin + _U32.size + _ARRAY.size, found.length)
            metadata[key] = ArrayInfo(found.type, found.length, repeats=repeats)
    split = metadata.get("split.count")
    if isinstance(split, int) and split > 1:
        raise source.fail("gguf.split", count=split)
    alignment = metadata.get("general.alignment", _DEFAULT_ALIGNMENT)
    if not isinstance(alignment, int) or alignment < 1 or alignment & (alignment - 1):
        raise source.broken("alignment", str(alignment))
    tensors = tuple(_tensor(source) for _ in range(tensor_count))
    data_offset = -(-source.at // alignment) * alignment
    _check_places(source, tensors, data_offset, alignment)
    return version, metadata, tensors, data_offset


def _version(source: Source) -> int:
    check_format(source.start(512), source.path)
    version = int(source.take(_START)[1])
    if version & 0xFFFF == 0 and version:
        raise source.fail("gguf.big_endian")
    if version == 1:
        raise source.fail("gguf.version_1")
    if version not in _VERSIONS:
        raise source.fail("gguf.version", version=version)
    return version


def _value(source: Source, key: str) -> Value:
    kind = source.number(_U32)
    if kind == ValueType.ARRAY:
        return _array(source, key)
    if kind == ValueType.STRING:
        return source.string()
    layout = _SCALARS.get(kind)
    if layout is None:
        raise source.broken("type of value", key)
    value = source.take(layout)[0]
    return bool(value) if kind == ValueType.BOOL else value


def _array(source: Source, key: str) -> Value:
    kind, count = map(int, source.take(_ARRAY))
    if kind not in _SCALARS and kind != ValueType.STRING:
        raise source.broken("type of value", key)
    if count <= (_KEPT_STRINGS if kind == ValueType.STRING else _KEPT_NUMBERS):
        return _short_array(source, kind, count)
    if kind == ValueType.STRING:
        source.skip_strings(count)
    else:
        source.skip(count * _SCALARS[kind].size)
    return ArrayInfo(ValueType(kind), count)


def _short_array(source: Source, kind: int, count: int) -> tuple[Scalar, ...]:
    if kind == ValueType.STRING:
        return tuple(source.string() for _ in range(count))
    values = source.take(struct.Struct(f"<{count}{SCALARS[kind]}"))
    return tuple(map(bool, values)) if kind == ValueType.BOOL else values


def _tensor(source: Source) -> Tensor:
    name = source.string()
    if len(name) > _MAX_NAME:
        if name.startswith(IMAGE_TENSORS):
            raise source.fail("gguf.image_tensors")
        raise source.broken("tensor name", name)
    dimensions = source.number(_U32)
    if dimensions not in _SHAPES:
        raise source.broken("dimensions", name)
    shape = tuple(map(int, source.take(_SHAPES[dimensions])))
    elements = prod(shape)
    if elements == 0:
        raise source.broken("no elements", name)
    kind, offset = map(int, source.take(_PLACE))
    tensor_type = TENSOR_TYPES.get(kind)
    if tensor_type is None:
        raise source.fail("gguf.tensor_type", type=kind)
    row = shape[0] if shape else 1
    if row % tensor_type.block:
        raise source.broken("rows", name)
    return Tensor(name, tensor_type, shape, offset, elements // tensor_type.block * tensor_type.size)


def _check_places(source: Source, tensors: tuple[Tensor, ...], data_offset: int, alignment: int) -> None:
    for one, other in pairwise(sorted(tensor.name for tensor in tensors)):
        if one == other:
            raise source.broken("tensor twice", one)
    for tensor in tensors:
        if tensor.offset % alignment:
            raise source.broken("offset", tensor.name)
    end = data_offset + max((tensor.offset + tensor.size for tensor in tensors), default=0)
    if tensors and end > source.size:
        raise source.fail("gguf.cut_in_tensors", missing=end - source.size)
    for before, after in pairwise(sorted(tensors, key=lambda tensor: tensor.offset)):
        if before.offset + before.size > after.offset:
            raise source.broken("overlap", after.name)
