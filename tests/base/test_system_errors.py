"""What the system says of an error, in the language of the screen."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base import languages
from llmstack_tui.base.sentences import Sentence
from llmstack_tui.base.system_errors import system_words
from llmstack_tui.core.wording import text

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def spanish() -> Iterator[None]:
    languages.use("es")
    yield
    languages.use("en")


@pytest.mark.parametrize(
    "number",
    [errno.EACCES, errno.ENOENT, errno.ENOSPC, errno.EIO, errno.ECONNREFUSED, errno.ECONNRESET, errno.EISDIR],
)
def test_the_systems_words_are_translated_where_they_are_shown(number: int) -> None:
    said = os.strerror(number)
    assert system_words(said) != said
    shown = text(Sentence("library.system", {"why": said}))
    assert shown == f"{system_words(said)}."
    languages.use("en")
    assert text(Sentence("library.system", {"why": said})) == f"{said}."


def test_the_words_of_others_stay_as_they_are() -> None:
    assert system_words("model requires more system memory") == "model requires more system memory"
