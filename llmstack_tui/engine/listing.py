"""What a list says of each model beside its layers, from the header of its weights.

Only that is kept: the header of each model of a large library would be much memory.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.names import ModelName
from llmstack_tui.base.sentences import Sentence
from llmstack_tui.engine.templates import capabilities, choose
from llmstack_tui.gguf.header import InvalidGGUF, read_header
from llmstack_tui.library.installed import InstalledModel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


# A header takes some 30 ms. What is not read in that time is read for one of the next lists.
_READING_S = 0.5


class ListedFacts(Struct, frozen=True, kw_only=True):
    """``capabilities`` as in `llmstack_tui.engine.templates`; lengths in tokens and in numbers of a vector.

    What the file does not tell, or was not read for yet, is None. ``fault``: why it cannot be read.
    """

    capabilities: tuple[str, ...] | None = None
    context_length: int | None = None
    embedding_length: int | None = None
    fault: Sentence | None = None


_Known = tuple[InstalledModel, ListedFacts]


class Listing:
    """Blocking, for use in threads; several may call it at once. ``fault`` is as in `choose`."""

    def __init__(
        self, fault: Callable[[str], Sentence | None], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._fault = fault
        self._known: dict[ModelName, _Known] = {}

    def facts(self, models: Iterable[InstalledModel]) -> list[_Known]:
        """Each model with what is known of it. One that changed is read again, one that is gone forgotten."""
        found, known = list[_Known](), dict[ModelName, _Known]()
        until_s = self._clock() + _READING_S
        for model in models:
            read = self._known.get(model.name)
            if read is None or read[0] is not model:
                read = (model, self._read(model)) if self._clock() < until_s else None
            if read is not None:
                known[model.name] = read
            found.append(read or (model, ListedFacts()))
        self._known = known
        return found

    def forget(self, name: ModelName | None = None) -> None:
        """Read the model again, or all: another template answers."""
        if name is None:
            self._known.clear()
        else:
            self._known.pop(name, None)

    def _read(self, model: InstalledModel) -> ListedFacts:
        try:
            header = read_header(model.weights)
        except InvalidGGUF as error:
            return ListedFacts(fault=Sentence(error.kind, error.params))
        return ListedFacts(
            capabilities=capabilities(header, choose(model, header, self._fault)),
            context_length=header.context_length,
            embedding_length=header.embedding_length,
        )
