"""Models whose fault shows only with a request: an answer of 400, and the engine lives on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.engine import HI, Serving
from tests.support.gguf.files import STRING, Llama

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

WHOLE = Llama().whole


@pytest.fixture
def imported(engine: Serving, tmp_path: Path) -> Iterator[Callable[[bytes], str]]:
    """Makes a model of a file, and gives its name."""

    def make(file: bytes) -> str:
        path = tmp_path / "faulty.gguf"
        path.write_bytes(file)
        engine.import_file("faulty", path)
        return "faulty"

    yield make
    engine.unload_all()
    engine.http.request("DELETE", "/api/delete", json={"model": "faulty"})


def test_vectors_that_are_no_numbers(engine: Serving, imported: Callable[[bytes], str]) -> None:
    file, weights = bytes(WHOLE), WHOLE.file.data
    name = imported(file.removesuffix(weights) + b"\xff" * len(weights))
    for path in ("/api/embed", "/v1/embeddings"):
        told = engine.error(400, path, model=name, input="a")
        assert told.startswith("embedding contains NaN or Inf values: the model's file is broken")


@pytest.mark.parametrize("fault", ["no byte", "no texts", "no end"])
def test_a_vocabulary_that_cannot_spell_the_prompt(
    engine: Serving, imported: Callable[[bytes], str], tiny_model: Path, fault: str
) -> None:
    """llama.cpp looks for a token of each byte, and for some whose numbers it then lacks."""
    file = {
        "no byte": bytes(WHOLE.saying("tokenizer.ggml.model", STRING, "llama")),
        "no texts": bytes(WHOLE.saying("tokenizer.ggml.model", STRING, "rwkv")),
        "no end": tiny_model.read_bytes().replace(b"gpt2", b"rwkv"),
    }[fault]
    told = engine.error(400, "/api/chat", model=imported(file), messages=HI)
    assert told == "The vocabulary of the model's file cannot spell the prompt: get another file."
