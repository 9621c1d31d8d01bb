"""Ollama's options, and what they are called by llama.cpp's server.

Names, defaults, types and the words for a wrong type are those of ``Options`` in Ollama's ``api/types.go``;
the fields are those of its ``llm/llama_server.go``.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LIMIT = 2**31 - 1
_FLOAT_LIMIT = 3.4e38
_ENDLESS = (inf, -inf)
# A generation that nothing else ends is ended after so many contexts.
_OPEN_ENDED_CONTEXTS = 10


class Options(Struct, frozen=True, kw_only=True):
    """All options; the defaults hold where neither the model nor the request says otherwise.

    Attributes:
        num_ctx: tokens of context; ``None`` is the engine's own default.
        num_thread: 0 leaves it to the engine.
        num_predict: tokens to generate at most; negative is "until it ends by itself".
        seed: -1 is another one each time.
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
    """The options of several layers, later ones before earlier: the model's parameters, then the request's.

    Unknown names are passed over, as by Ollama; `unknown` tells them. A null is no value.

    Raises:
        ValueError: if a value has the wrong type, in Ollama's words.
    """
    values: dict[str, Any] = {}
    for layer in layers:
        for name, value in layer.items():
            if name in _READERS and value is not None:
                values[name] = _READERS[name](name, value)
    return Options(**values)


def unknown(options: Mapping[str, object]) -> tuple[str, ...]:
    """The names among ``options`` that mean nothing, for the log."""
    return tuple(name for name in options if name not in _READERS)


def sampling(options: Options, *, context_length: int) -> dict[str, object]:
    """The fields of a request to llama.cpp's server, for a model loaded with ``context_length`` tokens."""
    limit = _OPEN_ENDED_CONTEXTS * context_length
    return {
        "n_predict": limit if options.num_predict < 0 else min(options.num_predict, limit),
        "n_keep": options.num_keep,
        "seed": options.seed,
        "temperature": options.temperature,
        "top_k": options.top_k,
        "top_p": options.top_p,
        "min_p": options.min_p,
        "typical_p": options.typical_p,
        "repeat_last_n": options.repeat_last_n,
        "repeat_penalty": options.repeat_penalty,
        "presence_penalty": options.presence_penalty,
        "frequency_penalty": options.frequency_penalty,
        "stop": list(options.stop),
    }


def response_format(wanted: object) -> dict[str, object] | None:
    """The ``response_format`` of llama.cpp's server for Ollama's ``format``: "json" or a JSON schema.

    Raises:
        ValueError: if it is something else, in Ollama's words.
    """
    if wanted is None or wanted == "":
        return None
    if wanted == "json":
        return {"type": "json_object"}
    if isinstance(wanted, dict):
        return {"type": "json_schema", "json_schema": {"name": "schema", "schema": wanted}}
    shown = f'"{wanted}"' if isinstance(wanted, str) else str(wanted)
    raise ValueError(f'invalid format: {shown[:80]}; expected "json" or a valid JSON Schema object')


def _integer(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value in _ENDLESS:
        raise ValueError(f'option "{name}" must be of type integer')
    # Ollama cuts off what stands behind the point.
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
    # As far as 32 bits reach.
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


_READERS: dict[str, Callable[[str, object], object]] = {
    **dict.fromkeys(
        (
            "num_ctx",
            "num_batch",
            "num_gpu",
            "main_gpu",
            "num_thread",
            "draft_num_predict",
            "num_keep",
            "num_predict",
            "top_k",
            "repeat_last_n",
        ),
        _whole,
    ),
    **dict.fromkeys(
        (
            "top_p",
            "min_p",
            "typical_p",
            "temperature",
            "repeat_penalty",
            "presence_penalty",
            "frequency_penalty",
        ),
        _number,
    ),
    "use_mmap": _truth,
    "seed": _seed,
    "stop": _texts,
}
