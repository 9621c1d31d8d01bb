from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmstack_tui.base.names import ModelName
from llmstack_tui.gguf.header import Header
from llmstack_tui.library.creation import parameter_size, suggest_name


def header(name: str = "", file_type: int | None = None) -> Header:
    metadata: dict[str, int | str] = {"general.name": name}
    if file_type is not None:
        metadata["general.file_type"] = file_type
    return Header(3, metadata, (), 0, 0)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("SmolLM2-135M-Instruct.Q4_1.gguf", "smollm2-135m-instruct:q4_1"),
        ("Llama-3.2-1B-Instruct-Q4_K_M.gguf", "llama-3.2-1b-instruct:q4_k_m"),
        ("Qwen3-8B-UD-Q4_K_XL.gguf", "qwen3-8b:ud-q4_k_xl"),
        ("model.i1-IQ3_XXS.gguf", "model:i1-iq3_xxs"),
        ("gemma-2-2b-it-f16.GGUF", "gemma-2-2b-it:f16"),
        ("Phi-3.5 mini (instruct).gguf", "phi-3.5-mini-instruct:q8_0"),
        ("mistral.bf16", "mistral:bf16"),
        ("-_weights_-.gguf", "weights:q8_0"),
        ("日本語.gguf", "model-77710a:q8_0"),
        ("Qwen3-大语言.Q4_K_M.gguf", "qwen3-af164c:q4_k_m"),
        ("Modèle-8B.gguf", "modele-8b-0bc10d:q8_0"),
        (".gguf", "model:q8_0"),
        ("q4_0.gguf", "q4_0:q8_0"),
        ("x" * 300 + ".gguf", "x" * 73 + "-0d4e2c:q8_0"),
        ("sha256-" + "0a" * 32, "name-in-the-file:q8_0"),
    ],
)
def test_names_from_files(file: str, name: str) -> None:
    assert suggest_name(Path("/models") / file, header("Name in the file", 7)) == name


@pytest.mark.parametrize(
    "files",
    [
        ("日本語.gguf", "中文.gguf"),
        ("qwen-日本.gguf", "qwen-中文.gguf", "qwen.gguf"),
        ("modèle.gguf", "modele.gguf", "modelé.gguf"),
        ("🦙.gguf", "🐪.gguf", "model.gguf"),
        ("x" * 100 + "1.gguf", "x" * 100 + "2.gguf"),
    ],
)
def test_two_files_do_not_get_one_name(files: tuple[str, ...]) -> None:
    assert len({suggest_name(Path(file), header()) for file in files}) == len(files)


def test_a_name_is_the_same_however_its_accents_are_written() -> None:
    names = {suggest_name(Path(file), header()) for file in ("mod\u00e8le.gguf", "mode\u0300le.gguf")}
    assert len(names) == 1


def test_without_a_quantisation_the_tag_is_latest() -> None:
    assert suggest_name(Path("tiny.gguf"), header()) == "tiny:latest"


def test_the_header_is_read_if_it_is_not_given(tiny_model: Path) -> None:
    assert suggest_name(tiny_model) == "tiny-scripted:f16"


@given(st.text(st.characters(exclude_characters="/\0"), max_size=120), st.none() | st.integers())
def test_every_file_has_a_name(text: str, file_type: int | None) -> None:
    name = suggest_name(Path("/x") / (text + ".gguf"), header(text, file_type))
    assert ModelName.parse(name).short == name
    assert name == name.lower()


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0"),
        (999, "999"),
        (262_720, "263K"),
        (134_515_008, "134.52M"),
        (7_000_000, "7M"),
        (1_235_814_432, "1.2B"),
        (8_000_000_000, "8B"),
        (671_026_404_352, "671.0B"),
    ],
)
def test_sizes_in_words(count: int, text: str) -> None:
    assert parameter_size(count) == text
