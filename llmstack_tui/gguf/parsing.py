"""From the bytes of a GGUF file to its metadata and its list of tensors."""

from __future__ import annotations

import struct
from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.text import shortened
from llmstack_tui.gguf.source import Source, kind_of_file
from llmstack_tui.gguf.types import SCALARS, TENSOR_TYPES, TensorType, ValueType

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
_MAX_ELEMENTS = 2**63 - 1
_MAX_ARRAY = 2**32
# Far more than any model has, few enough to be read in a second.
_MAX_PAIRS = 2**14
_MAX_TENSORS = 2**17
_DEFAULT_ALIGNMENT = 32

# Values for each layer are worth having; a vocabulary is not.
_KEPT_NUMBERS = 1024
_KEPT_STRINGS = 64


class ArrayInfo(Struct, frozen=True):
    """An array whose values were not read."""

    type: ValueType
    length: int


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


def parse(source: Source) -> tuple[int, Mapping[str, Value], tuple[Tensor, ...], int]:
    """Version, metadata, tensors and the offset of the data.

    Raises:
        InvalidGGUF: the header is invalid.
    """
    version = _version(source)
    tensor_count, pair_count = map(int, source.take(_COUNTS, "before it says what it holds"))
    if pair_count > _MAX_PAIRS:
        raise source.fail(f"claims {pair_count:,} metadata entries, which no model has.")
    if tensor_count > _MAX_TENSORS:
        raise source.fail(f"claims {tensor_count:,} tensors, which no model has.")
    metadata: dict[str, Value] = {}
    for number in range(pair_count):
        key = source.string(f"in the key of metadata entry {number + 1} of {pair_count}")
        if not 0 < len(key) <= _MAX_KEY:
            raise source.fail(f"has a metadata key of {len(key):,} characters.")
        if key in metadata:
            raise source.fail(f"has the metadata key {_shown(key)} twice.")
        metadata[key] = _value(source, key)
    split = metadata.get("split.count")
    if isinstance(split, int) and split > 1:
        raise source.fail(
            f"is one of {split} parts of a split model: join them first (llama-gguf-split --merge)."
        )
    alignment = metadata.get("general.alignment", _DEFAULT_ALIGNMENT)
    if not isinstance(alignment, int) or alignment < 1 or alignment & (alignment - 1):
        raise source.fail(f"has an alignment of {_shown(alignment)}, which is no power of two.")
    tensors = tuple(_tensor(source, number, tensor_count) for number in range(tensor_count))
    data_offset = -(-source.at // alignment) * alignment
    _check_places(source, tensors, data_offset, alignment)
    return version, metadata, tensors, data_offset


def _version(source: Source) -> int:
    foreign = kind_of_file(source.start(512))
    if foreign:
        raise source.fail(f"is {foreign}, not a GGUF model.")
    version = int(source.take(_START, "before its version")[1])
    if version & 0xFFFF == 0 and version:
        raise source.fail("is a big-endian GGUF file, which only machines of that kind can run.")
    if version == 1:
        raise source.fail("is a GGUF file of version 1, which llama.cpp no longer reads: get a newer one.")
    if version not in _VERSIONS:
        raise source.fail(f"is a GGUF file of version {version}; versions 2 and 3 are known.")
    return version


def _shown(value: object) -> str:
    return shortened(repr(value), 80)


def _value(source: Source, key: str) -> Value:
    where = f"in the metadata value {_shown(key)}"
    kind = source.number(_U32, where)
    if kind == ValueType.ARRAY:
        return _array(source, key, where)
    if kind == ValueType.STRING:
        return source.string(where)
    layout = _SCALARS.get(kind)
    if layout is None:
        raise source.fail(f"has a metadata value of the unknown type {kind}: {_shown(key)}.")
    value = source.take(layout, where)[0]
    return bool(value) if kind == ValueType.BOOL else value


def _array(source: Source, key: str, where: str) -> Value:
    kind, count = map(int, source.take(_ARRAY, where))
    if kind == ValueType.ARRAY:
        raise source.fail(f"has an array of arrays in its metadata: {_shown(key)}.")
    if kind not in _SCALARS and kind != ValueType.STRING:
        raise source.fail(f"has an array of the unknown type {kind} in its metadata: {_shown(key)}.")
    if count > _MAX_ARRAY:
        raise source.fail(f"claims an array of {count:,} values, more than any file can hold: {_shown(key)}.")
    if count <= (_KEPT_STRINGS if kind == ValueType.STRING else _KEPT_NUMBERS):
        return _short_array(source, kind, count, where)
    if kind == ValueType.STRING:
        source.skip_strings(count, where)
    else:
        source.skip(count * _SCALARS[kind].size, where)
    return ArrayInfo(ValueType(kind), count)


def _short_array(source: Source, kind: int, count: int, where: str) -> tuple[Scalar, ...]:
    if kind == ValueType.STRING:
        return tuple(source.string(where) for _ in range(count))
    values = source.take(struct.Struct(f"<{count}{SCALARS[kind]}"), where)
    return tuple(map(bool, values)) if kind == ValueType.BOOL else values


def _tensor(source: Source, number: int, count: int) -> Tensor:
    where = f"in the entry of tensor {number + 1} of {count}"
    name = source.string(where)
    if len(name) > _MAX_NAME:
        raise source.fail(f"has a tensor with a name of {len(name):,} characters; {_MAX_NAME} are allowed.")
    shown = _shown(name)
    dimensions = source.number(_U32, where)
    if dimensions not in _SHAPES:
        raise source.fail(f"has a tensor of {dimensions} dimensions; four are the most: {shown}.")
    shape = tuple(map(int, source.take(_SHAPES[dimensions], where)))
    elements = prod(shape)
    if elements == 0:
        raise source.fail(f"has a tensor without elements: {shown}.")
    if elements > _MAX_ELEMENTS:
        raise source.fail(f"has a tensor larger than any file: {shown}.")
    kind, offset = map(int, source.take(_PLACE, where))
    tensor_type = TENSOR_TYPES.get(kind)
    if tensor_type is None:
        raise source.fail(f"has a tensor of the unknown type {kind}, perhaps a newer one: {shown}.")
    row = shape[0] if shape else 1
    if row % tensor_type.block:
        raise source.fail(f"has a {tensor_type.name} tensor whose rows are no whole blocks: {shown}.")
    return Tensor(name, tensor_type, shape, offset, elements // tensor_type.block * tensor_type.size)


def _check_places(source: Source, tensors: tuple[Tensor, ...], data_offset: int, alignment: int) -> None:
    if len({tensor.name for tensor in tensors}) < len(tensors):
        raise source.fail("has two tensors of one name.")
    room = source.size - data_offset
    for tensor in tensors:
        if tensor.offset % alignment:
            raise source.fail(
                f"has a tensor that begins at no multiple of {alignment}: {_shown(tensor.name)}."
            )
        missing = tensor.offset + tensor.size - room
        if missing > 0:
            raise source.cut_short(f"{missing:,} bytes before the end of the tensor {_shown(tensor.name)}")
    for one, other in pairwise(sorted(tensors, key=lambda tensor: tensor.offset)):
        if one.offset + one.size > other.offset:
            raise source.fail(f"has tensors that overlap: {_shown(one.name)} and {_shown(other.name)}.")
