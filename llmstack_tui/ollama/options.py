"""The options of a model or a request: Ollama's names, defaults, types, and messages for a wrong type.

They are those of ``Options`` in Ollama's ``api/types.go``.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

from msgspec import Struct, structs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LIMIT = 2**31 - 1
_FLOAT_LIMIT = 3.4e38
_ENDLESS = (inf, -inf)


class Options(Struct, frozen=True, kw_only=True):
    """All options. A default applies if neither the model nor the request sets the option.

    Attributes:
        num_ctx: the context length in tokens; None is the server's default.
        num_thread: 0 lets the server choose.
        num_predict: tokens to generate at most; negative sets no limit.
        seed: -1 is a new one for each request.
    """

    num_ctx: int | None = None
    num_batch: int = 512
    num_gpu: int = -1
    main_gpu: int | None = None
    use_mmap: bool | None = None
    num_thread: int = 0
    draft_num_predict: int = 4
    num_keep: int = 4
    seed: int = -1
    num_predict: int = -1
    top_k: int = 40
    top_p: float = 0.9
    min_p: float = 0.0
    typical_p: float = 1.0
    repeat_last_n: int = 64
    temperature: float = 0.8
    repeat_penalty: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    stop: tuple[str, ...] = ()


def merge(*layers: Mapping[str, object]) -> Options:
    """The options of several layers, such as the model's parameters and a request's; a later one takes
    precedence.

    As in Ollama, unknown names are ignored (`unknown` lists them), and null sets nothing. Other than there,
    an empty list of stops sets nothing either: many clients send one always, and mean none of their own.

    Raises:
        ValueError: a value has the wrong type; the message is Ollama's.
    """
    values: dict[str, Any] = {}
    for layer in layers:
        for name, value in layer.items():
            if name in _READERS and value is not None and (name, value) != ("stop", []):
                values[name] = _READERS[name](name, value)
    return Options(**values)


def unknown(options: Mapping[str, object]) -> tuple[str, ...]:
    """The names in ``options`` that Ollama does not know."""
    return tuple(name for name in options if name not in _READERS)


def _integer(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value in _ENDLESS:
        raise ValueError(f'option "{name}" must be of type integer')
    # As in Ollama, decimals are cut off.
    return int(value)


def _whole(name: str, value: object) -> int:
    # llama.cpp counts in 32 bits.
    return max(-_LIMIT - 1, min(_LIMIT, _integer(name, value)))


def _seed(name: str, value: object) -> int:
    seed = _integer(name, value)
    return -1 if seed < 0 else seed & 0xFFFFFFFF


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f'option "{name}" must be of type float32')
    # Ollama stores 32 bits.
    return float(max(-_FLOAT_LIMIT, min(_FLOAT_LIMIT, value)))


def _truth(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f'option "{name}" must be of type boolean')
    return value


def _texts(name: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError(f'option "{name}" must be of type array')
    if not all(isinstance(text, str) for text in value):
        raise ValueError(f'option "{name}" must be of an array of strings')
    return tuple(value)


_BY_TYPE: dict[object, Callable[[str, object], object]] = {
    int: _whole,
    int | None: _whole,
    float: _number,
    bool | None: _truth,
    tuple[str, ...]: _texts,
}
_READERS = {field.name: _BY_TYPE[field.type] for field in structs.fields(Options)} | {"seed": _seed}
