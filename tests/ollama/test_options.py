from __future__ import annotations

import math

import pytest

from llmstack_tui.ollama.options import Options, merge, unknown


def test_the_defaults_are_those_of_ollama() -> None:
    assert merge().num_ctx is None
    assert merge().num_thread == 0


def test_every_option_is_read() -> None:
    """A value other than the default, for each; a mistyped name would leave the default."""
    given: dict[str, object] = {
        "num_ctx": 2048,
        "num_batch": 64,
        "num_gpu": 0,
        "main_gpu": 1,
        "use_mmap": False,
        "num_thread": 3,
        "draft_num_predict": 1,
        "num_keep": 5,
        "seed": 42,
        "num_predict": 7,
        "top_k": 1,
        "top_p": 0.5,
        "min_p": 0.1,
        "typical_p": 0.7,
        "repeat_last_n": 33,
        "temperature": 0.0,
        "repeat_penalty": 1.1,
        "presence_penalty": 1.5,
        "frequency_penalty": 1.0,
        "stop": ["\n", "user:"],
    }
    options = merge(given)
    for name in Options.__struct_fields__:
        expected = given[name]
        assert getattr(options, name) == (tuple(expected) if isinstance(expected, list) else expected)
        assert getattr(options, name) != getattr(Options(), name)


def test_the_request_counts_more_than_the_model() -> None:
    model = {"temperature": 0.1, "top_k": 7, "stop": ["</s>"]}
    options = merge(model, {"temperature": 1, "stop": ["x"], "top_k": None})
    assert (options.temperature, options.top_k, options.stop) == (1.0, 7, ("x",))
    assert merge(model, {"stop": []}).stop == ("</s>",)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("temperature", "hot", 'option "temperature" must be of type float32'),
        ("temperature", True, 'option "temperature" must be of type float32'),
        ("top_k", "40", 'option "top_k" must be of type integer'),
        ("num_ctx", [4096], 'option "num_ctx" must be of type integer'),
        ("num_predict", False, 'option "num_predict" must be of type integer'),
        ("seed", "one", 'option "seed" must be of type integer'),
        ("seed", math.inf, 'option "seed" must be of type integer'),
        ("use_mmap", 1, 'option "use_mmap" must be of type boolean'),
        ("stop", "user:", 'option "stop" must be of type array'),
        ("stop", ["a", 1], 'option "stop" must be of an array of strings'),
    ],
)
def test_wrong_types(name: str, value: object, says: str) -> None:
    with pytest.raises(ValueError, match=r"^option") as caught:
        merge({name: value})
    assert str(caught.value) == says


def test_a_number_with_a_point_loses_what_is_behind_it() -> None:
    """JSON numbers are floating point to Ollama."""
    assert merge({"num_predict": 12.9, "top_k": 40.0}) == merge({"num_predict": 12, "top_k": 40})


def test_numbers_that_llama_cpp_could_not_hold() -> None:
    assert merge({"top_k": 10**30}).top_k == 2**31 - 1
    assert merge({"repeat_last_n": -1e300}).repeat_last_n == -(2**31)
    assert merge({"top_k": 10**400}).top_k == 2**31 - 1
    assert merge({"temperature": 10**400}).temperature == 3.4e38


def test_unknown_names_are_told_and_passed_over() -> None:
    options = {"temperature": 0.5, "mirostat": 2, "Temperature": 3}
    assert unknown(options) == ("mirostat", "Temperature")
    assert merge(options) == merge({"temperature": 0.5})


@pytest.mark.parametrize(
    ("given", "kept"), [(-1, -1), (-5, -1), (0, 0), (2**32 - 1, 2**32 - 1), (2**40 + 3, 3)]
)
def test_seeds(given: int, kept: int) -> None:
    assert merge({"seed": given}).seed == kept
