"""Events, decisions, reasons and errors in words, for both faces."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from llmstack_tui.base.sentences import said
from llmstack_tui.base.wording import Wording

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmstack_tui.base.sentences import Catalogue, Plural, Sentence


_OWN: Catalogue = {
    "core.read_only": "Nothing can be changed: llmstack was started read-only.",
    "core.only_looked_at": (
        '{host} is only looked at. To change something there, give it allow = "act" in the settings.'
    ),
    "core.no_host": "{host} is no host of this dashboard.",
    "core.no_way": "{host} cannot do this: it has no way to {act}.",
    "core.in_cloud": "{model} runs in the cloud: there is nothing to load here.",
    "core.not_loaded": "{model} is not in memory. Activate it.",
    "core.answers": (
        "{model} still answers a request and was not restarted. It leaves when the request has ended: "
        "activate it then."
    ),
    "core.kept": "{model} was not restarted: another client has asked for it meanwhile.",
    "core.name_taken": "There is a model called {model} already. Choose another name.",
}


def text(*sentences: Sentence) -> str:
    """The sentences in words, one after the other; "" for none."""
    return _WORDING.text(*sentences)


def words(error: BaseException | None) -> str:
    """What there is to tell a person of an error."""
    return _WORDING.text(*said(error))


def catalogue() -> Catalogue:
    """The sentences of all rooms."""
    return {kind: form for sentences in _rooms() for kind, form in sentences.items()}


def _rooms() -> Iterator[Catalogue]:
    """The sentences of each room, imported when they are looked into: to list models takes the first two."""
    from llmstack_tui.updates import wording as updates  # noqa: PLC0415

    yield updates.SENTENCES
    from llmstack_tui.lifecycle import wording as lifecycle  # noqa: PLC0415

    yield lifecycle.SENTENCES
    from llmstack_tui.downloads import wording as downloads  # noqa: PLC0415
    from llmstack_tui.guard import wording as guard  # noqa: PLC0415
    from llmstack_tui.hardware import wording as hardware  # noqa: PLC0415
    from llmstack_tui.ollama import wording as ollama  # noqa: PLC0415
    from llmstack_tui.store import wording as store  # noqa: PLC0415

    yield from (_OWN, *(room.SENTENCES for room in (downloads, guard, hardware, ollama, store)))


@cache
def _form(kind: str) -> str | Plural | None:
    return next((sentences[kind] for sentences in _rooms() if kind in sentences), None)


_WORDING = Wording(_form)
