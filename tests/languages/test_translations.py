"""Every text has its translation, and every string that people read is a text."""

from __future__ import annotations

from string import Formatter
from typing import TYPE_CHECKING

import pytest

from tests.languages import catalogues
from tests.languages.sources import texts, unmarked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babel.messages.catalog import Message

# With which of these a text ends, its translation ends, too.
_ENDS = (".", ":", "?", "…")


@pytest.fixture(params=catalogues.CODES)
def code(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def test_no_string_that_people_read_is_unmarked() -> None:
    assert list(unmarked()) == []


def test_every_text_has_a_translation_and_no_translation_is_left_over(code: str) -> None:
    catalogue = catalogues.read(code)
    known = {catalogues.text_of(each) for each in catalogue if each.id}
    assert texts() - known == set(), "run `python -m tests.languages`, and translate what is new"
    assert known - texts() == set(), "run `python -m tests.languages`"
    assert catalogues.missing(catalogue) == []


def test_the_compiled_catalogue_is_that_of_the_texts(code: str) -> None:
    assert catalogues.compiled(code).read_bytes() == catalogues.mo(catalogues.read(code))


def test_a_translation_has_the_placeholders_of_the_text(code: str) -> None:
    for message, english, translated in _pairs(code):
        assert _placeholders(translated) == _placeholders(english), message.id


def test_a_translation_ends_as_the_text_does(code: str) -> None:
    for message, english, translated in _pairs(code):
        for end in _ENDS:
            assert translated.endswith(end) == english.endswith(end), (message.id, translated)
        assert (translated.strip() == translated) == (english.strip() == english), message.id


def _pairs(code: str) -> Iterator[tuple[Message, str, str]]:
    """Each text beside its translation; of the singular and the plural each."""
    for message in catalogues.read(code):
        if message.id:
            english = (message.id,) if isinstance(message.id, str) else message.id
            yield from ((message, *both) for both in zip(english, catalogues.forms(message), strict=True))


def _placeholders(text: str) -> set[tuple[str, str]]:
    return {(name, spec or "") for _, name, spec, _ in Formatter().parse(text) if name is not None}
