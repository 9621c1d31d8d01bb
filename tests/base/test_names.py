"""Model names: read, compared and written as Ollama does, and never a way out of a folder."""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmstack_tui.base.names import InvalidName, ModelName, same_model
from llmstack_tui.base.sentences import Sentence
from llmstack_tui.core.wording import words

_FIRST = "abcXYZ019_"
_PARTS = st.text(_FIRST + ".-", min_size=1, max_size=12).filter(lambda text: text[0] in _FIRST)
_NAMESPACES = st.text(_FIRST + "-", min_size=1, max_size=12).filter(lambda text: text[0] in _FIRST)
_NAMES = st.builds(
    ModelName,
    model=_PARTS,
    tag=_PARTS,
    namespace=_NAMESPACES | st.just("library"),
    host=st.sampled_from(["registry.ollama.ai", "hf.co", "127.0.0.1:5055", "Registry.Ollama.AI"]),
)


@pytest.mark.parametrize(
    ("text", "full", "short"),
    [
        ("mistral", "registry.ollama.ai/library/mistral:latest", "mistral:latest"),
        ("mistral:7b", "registry.ollama.ai/library/mistral:7b", "mistral:7b"),
        ("me/mistral", "registry.ollama.ai/me/mistral:latest", "me/mistral:latest"),
        ("hf.co/me/mistral:Q4_K_M", "hf.co/me/mistral:Q4_K_M", "hf.co/me/mistral:Q4_K_M"),
        ("http://127.0.0.1:5055/library/m:1", "127.0.0.1:5055/library/m:1", "127.0.0.1:5055/library/m:1"),
        ("registry.ollama.ai/library/m", "registry.ollama.ai/library/m:latest", "m:latest"),
        ("host:80/n/m", "host:80/n/m:latest", "host:80/n/m:latest"),
    ],
)
def test_reads_and_writes(text: str, full: str, short: str) -> None:
    name = ModelName.parse(text)
    assert (name.full, name.short, str(name)) == (full, short, short)


@pytest.mark.parametrize(
    "text",
    ["", ":", "m:", ":t", "/m", "n//m", "a/b/c/d", "..", "../m", "n/..", "m:..", "m\n", "a b", "m\x1b[2J",
     "-m", ".m", "n.x/m", "ftp://h/n/m", "m" * 81, "ｍ", "m:t:u", "\udcff"],
)  # fmt: skip
def test_refuses_in_a_few_printable_words(text: str) -> None:
    with pytest.raises(InvalidName) as caught:
        ModelName.parse(text)
    assert words(caught.value).isprintable()
    assert len(words(caught.value)) < 400


@pytest.mark.parametrize(
    ("text", "kind", "part"),
    [
        ("a b", "name.invalid", "name.bad_model"),
        ("m:a b", "name.invalid_part", "name.bad_tag"),
        ("n.x/m", "name.invalid_part", "name.bad_namespace"),
        ("a b/n/m", "name.invalid_part", "name.bad_host"),
        ("ftp://h/n/m", "name.invalid_part", "name.bad_scheme"),
    ],
)
def test_says_which_part_is_wrong(text: str, kind: str, part: str) -> None:
    with pytest.raises(InvalidName) as caught:
        ModelName.parse(text)
    error = caught.value
    assert (error.kind, error.hint, error.params["text"]) == (kind, "name.examples", text)
    why = error.params["why"]
    assert isinstance(why, tuple)
    assert isinstance(why[0], Sentence)
    assert why[0].kind == part


@given(_NAMES)
def test_what_is_written_is_read_again(name: ModelName) -> None:
    assert ModelName.parse(name.short) == name
    assert ModelName.parse(name.full) == name
    assert same_model(name.short, name.full)


@given(_NAMES)
def test_upper_and_lower_case_are_one_name(name: ModelName) -> None:
    assert same_model(name.full.upper(), name.full.lower())
    assert hash(ModelName.parse(name.full.upper())) == hash(name)


@given(_NAMES, _NAMES)
def test_other_parts_are_another_name(one: ModelName, other: ModelName) -> None:
    assert same_model(one.short, other.short) == (one.full.lower() == other.full.lower())


@given(st.text())
def test_a_name_never_leads_out_of_a_folder(text: str) -> None:
    try:
        name = ModelName.parse(text)
    except InvalidName:
        assert same_model(text, text)
        return
    for path in (
        PurePosixPath("manifests", *name.path_parts),
        PureWindowsPath("manifests", *name.path_parts),
    ):
        assert not path.is_absolute()
        assert ".." not in path.parts
        assert "\x00" not in str(path)
    assert len(PurePosixPath(*name.path_parts).parts) == 4


@given(st.text("abAB./:_-", max_size=20))
def test_nearly_names_never_lead_out_either(text: str) -> None:
    try:
        parts = ModelName.parse(text).path_parts
    except InvalidName:
        return
    assert all(part.strip(".") and "/" not in part and "\\" not in part for part in parts)


def test_the_scheme_is_no_part_of_a_models_identity() -> None:
    assert same_model("http://h.example/n/m", "https://h.example/n/m")
    assert ModelName.parse("http://h.example/n/m").scheme == "http"


def test_a_name_equals_no_other_thing() -> None:
    assert ModelName.parse("m") != "m"
