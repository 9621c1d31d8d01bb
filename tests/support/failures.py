"""Failures as data: a test holds their kind and the parameters that matter, not their words."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.sentences import QUOTED, Failure, Sentence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmstack_tui.base.sentences import Param


@contextmanager
def fails(kind: str, **params: Param) -> Iterator[pytest.ExceptionInfo[Failure]]:
    """What is inside ends in a `Failure` of this kind, with at least these parameters."""
    with pytest.raises(Failure) as caught:
        yield caught
    assert kind in kinds(caught.value)
    assert params.items() <= caught.value.params.items()


def kinds(error: Failure) -> list[str]:
    """The kind of the error, and of what it quotes or gives as its cause."""
    return list(_kinds(error.sentence))


def _kinds(sentence: Sentence) -> Iterator[str]:
    if sentence.kind != QUOTED:
        yield sentence.kind
    for value in sentence.params.values():
        for each in value if isinstance(value, tuple) else ():
            if isinstance(each, Sentence):
                yield from _kinds(each)
