"""Events, decisions and reasons in words, for both faces."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from llmstack_tui.base.sentences import Wording

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmstack_tui.base.sentences import Catalogue, Plural, Sentence


def text(*sentences: Sentence) -> str:
    """The sentences in words, one after the other; "" for none."""
    return _WORDING.text(*sentences)


def catalogue() -> Catalogue:
    """The sentences of all rooms."""
    return {kind: form for sentences in _rooms() for kind, form in sentences.items()}


def _rooms() -> Iterator[Catalogue]:
    """The sentences of each room, imported when they are looked into: to list models takes the first."""
    from llmstack_tui.updates import wording as updates  # noqa: PLC0415

    yield updates.SENTENCES
    from llmstack_tui.lifecycle import wording as lifecycle  # noqa: PLC0415

    yield lifecycle.SENTENCES
    from llmstack_tui.guard import wording as guard  # noqa: PLC0415

    yield guard.SENTENCES
    from llmstack_tui.downloads import wording as downloads  # noqa: PLC0415

    yield downloads.SENTENCES


@cache
def _form(kind: str) -> str | Plural | None:
    return next((sentences[kind] for sentences in _rooms() if kind in sentences), None)


_WORDING = Wording(_form)
