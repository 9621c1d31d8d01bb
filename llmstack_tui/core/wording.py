"""The text of events, decisions, reasons and errors, for the dashboard and the command line."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from llmstack_tui.base import wording as base

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmstack_tui.base.sentences import Catalogue, Plural, Sentence


_OWN: Catalogue = {
    "title.other": "Failed",
    "core.read_only": "Nothing can be changed: llmstack was started read-only.",
    "core.only_looked_at": (
        'llmstack only looks at {host}. To change something there, set allow = "act" for it in the settings.'
    ),
    "core.no_ollama": "Ollama is not installed: get it from https://ollama.com/download.",
    "core.no_host": "{host} is not one of the hosts of this dashboard.",
    "core.in_cloud": "{model} runs in the cloud: there is nothing to load here.",
    "core.not_loaded": "{model} is not in memory. Load it.",
    "core.answers": (
        "{model} is still answering a request and was not restarted. It is unloaded when the request has "
        "ended: load it then."
    ),
    "core.kept": "{model} was not restarted: another client has asked for it in the meantime.",
    "transfer.done": "{model} was copied from {source} to {host}.",
    "transfer.same_host": "{model} is at {host} already: choose another server.",
    "transfer.taken": "There is a model called {model} at {host} already.",
    "transfer.gone": "{host} has no model called {model} any more.",
    "transfer.cloud": "{model} runs in the cloud: it has no files that could be copied.",
    "transfer.no_files": (
        "The files of {model} are not on this machine, or may not be read, and {host} hands out no files."
    ),
    "transfer.unreadable": "{model} cannot be copied: {why}",
    "transfer.differs": (
        "{model} is at {host} now, but with other weights ({there}): something there has changed them. "
        "Compare its answers before you rely on it."
    ),
    "core.name_taken": "There is a model called {model} already. Choose another name.",
}


def text(*sentences: Sentence) -> str:
    """The text of the sentences, one after the other; "" for none."""
    return _WORDING.text(*sentences)


def words(error: BaseException | None) -> str:
    """The text of an error for the user."""
    return _WORDING.words(error)


def catalogue() -> Catalogue:
    """The sentences of all rooms."""
    return {kind: form for sentences in _rooms() for kind, form in sentences.items()}


def _rooms() -> Iterator[Catalogue]:
    """The sentences of each package, imported as needed: listing models needs only the first three."""
    from llmstack_tui.updates import wording as updates  # noqa: PLC0415

    yield base.SENTENCES
    yield updates.SENTENCES
    from llmstack_tui.lifecycle import wording as lifecycle  # noqa: PLC0415

    yield lifecycle.SENTENCES
    from llmstack_tui.chat import wording as chat  # noqa: PLC0415
    from llmstack_tui.config import wording as config  # noqa: PLC0415
    from llmstack_tui.doctor import wording as doctor  # noqa: PLC0415
    from llmstack_tui.downloads import wording as downloads  # noqa: PLC0415
    from llmstack_tui.editors import wording as editors  # noqa: PLC0415
    from llmstack_tui.engine import wording as engine  # noqa: PLC0415
    from llmstack_tui.engine.gotemplate import wording as templates  # noqa: PLC0415
    from llmstack_tui.gguf import wording as gguf  # noqa: PLC0415
    from llmstack_tui.guard import wording as guard  # noqa: PLC0415
    from llmstack_tui.hardware import wording as hardware  # noqa: PLC0415
    from llmstack_tui.hosts import wording as hosts  # noqa: PLC0415
    from llmstack_tui.install import wording as install  # noqa: PLC0415
    from llmstack_tui.keys import wording as keys  # noqa: PLC0415
    from llmstack_tui.library import wording as library  # noqa: PLC0415
    from llmstack_tui.ollama import wording as ollama  # noqa: PLC0415
    from llmstack_tui.openai import wording as openai  # noqa: PLC0415
    from llmstack_tui.prompts import wording as prompts  # noqa: PLC0415
    from llmstack_tui.providers import wording as providers  # noqa: PLC0415
    from llmstack_tui.registry import wording as registry  # noqa: PLC0415
    from llmstack_tui.service import wording as service  # noqa: PLC0415
    from llmstack_tui.ssh import wording as ssh  # noqa: PLC0415
    from llmstack_tui.store import wording as store  # noqa: PLC0415
    from llmstack_tui.tools import wording as tools  # noqa: PLC0415
    from llmstack_tui.variables import wording as variables  # noqa: PLC0415

    own = (chat, config, doctor, downloads, editors, engine, templates, gguf, guard, hardware, hosts, install)
    more = (
        keys,
        library,
        ollama,
        openai,
        prompts,
        providers,
        registry,
        service,
        ssh,
        store,
        tools,
        variables,
    )
    yield from (_OWN, *(room.SENTENCES for room in (*own, *more)))


@cache
def _form(kind: str) -> str | Plural | None:
    return next((sentences[kind] for sentences in _rooms() if kind in sentences), None)


_WORDING = base.Wording(_form)
