"""What a list says of models, from the headers of their files: read once, and again when a model changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.names import ModelName
from llmstack_tui.engine.listing import ListedFacts, Listing
from llmstack_tui.library.library import Library

if TYPE_CHECKING:
    from pathlib import Path

    from llmstack_tui.base.sentences import Sentence

NAME = ModelName.parse("tiny")


@pytest.fixture
def library(tmp_path: Path, tiny_model: Path) -> Library:
    found = Library(tmp_path / "models")
    found.import_gguf(tiny_model, NAME)
    return found


def facts(listed: Listing, library: Library) -> list[ListedFacts]:
    return [each for _, each in listed.facts(library.list())]


def test_a_header_is_read_once_and_again_for_another_model(library: Library, random_model: Path) -> None:
    asked = list[str]()
    listed = Listing(asked.append)
    first = facts(listed, library)
    assert [each.capabilities for each in first] == [("completion",)]
    assert first[0].context_length
    assert first[0].embedding_length == 320
    assert facts(listed, library) == first
    assert len(asked) == 1
    library.delete(NAME)
    assert facts(listed, library) == []
    library.import_gguf(random_model, NAME)
    assert facts(listed, library) != first


def test_what_cannot_be_read_is_listed_with_its_fault(library: Library) -> None:
    (model,) = library.list()
    size = model.weights.stat().st_size
    model.weights.unlink()
    model.weights.write_bytes(b"\0" * size)
    (found,) = facts(Listing(lambda _: None), library)
    assert found.fault is not None
    assert found.fault.kind == "gguf.is_zeros"
    assert found.capabilities is None


def test_a_template_that_turned_out_unreadable_is_asked_for_again(library: Library) -> None:
    asked = list[str]()

    def fault(jinja: str) -> Sentence | None:
        asked.append(jinja)
        return None

    listed = Listing(fault)
    for forgotten in (NAME, None):
        facts(listed, library)
        listed.forget(forgotten)
    facts(listed, library)
    assert len(asked) == 3


def test_a_large_library_is_read_over_several_lists(library: Library) -> None:
    library.derive(NAME, ModelName.parse("other"))
    seconds = iter([0.0, 0.1, 0.9, 1.0, 1.1])  # The start of a list, and one before each file that is read.
    listed = Listing(lambda _: None, clock=lambda: next(seconds))
    assert [each == ListedFacts() for each in facts(listed, library)] == [False, True]
    assert [each == ListedFacts() for each in facts(listed, library)] == [False, False]
