"""What is known of installed models: from their files if those can be read, else from their servers."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING

from llmstack_tui.base.names import InvalidName, ModelName
from llmstack_tui.base.structs import replace
from llmstack_tui.fit.memory import Request
from llmstack_tui.fit.metadata import subject_of_header, subject_of_metadata
from llmstack_tui.gguf.header import InvalidGGUF, read_header
from llmstack_tui.hosts.errors import HostError
from llmstack_tui.library.folders import blob_path, read_manifest, read_small
from llmstack_tui.library.manifest import InvalidManifest, MediaType

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from llmstack_tui.config.engine import EngineOptions
    from llmstack_tui.fit.memory import Subject
    from llmstack_tui.hosts.types import Model, ModelDetails
    from llmstack_tui.library.folders import ManifestOnDisk

    Show = Callable[[str], Awaitable[ModelDetails]]

_NUM_CTX = "num_ctx"
_MOST_TOKENS = 2**31


def usual_request(options: EngineOptions) -> Request:
    """How a model is loaded by default; `Subject.request` adds what its own parameters ask for."""
    return Request(
        context_length=options.context_length, parallel=options.parallel, cache_type=options.cache_type
    )


class Subjects:
    """Looks at each version of a model once.

    Args:
        folders: of models on this machine, from `library.folders.model_folders`.
        repacked: the types of weights that are rearranged for this machine's CPU.
    """

    def __init__(self, folders: Sequence[Path], repacked: frozenset[str]) -> None:
        self._folders = folders
        self._repacked = repacked
        self._known: dict[tuple[str, str], Subject] = {}
        self._missed: set[tuple[str, str]] = set()

    def known(self, url: str, model: Model) -> Subject | None:
        """What was found out about a model; None if nothing yet."""
        return self._known.get((url, model.digest))

    def by_size(self, model: Model) -> Subject:
        """What is known of a model from its list entry alone."""
        return self._of(model, {})

    def read(self, url: str, models: Iterable[Model]) -> Model | None:
        """Read the first file of a model that was not looked for yet; returns that model. Blocking.

        A file counts if a folder on this machine has exactly the version that the server lists.
        """
        for model in models:
            key = (url, model.digest)
            if not model.digest or key in self._known or key in self._missed:
                continue
            if (found := self._on_disk(model)) is not None:
                self._known[key] = found
                return model
            self._missed.add(key)
        return None

    def told(self, url: str, model: Model, details: ModelDetails) -> None:
        """Take note of a model's details from its server, unless its file is known."""
        if model.digest and (url, model.digest) not in self._known:
            self._known[url, model.digest] = self._told_of(model, details)

    async def look(self, url: str, model: Model, show: Show) -> Subject:
        """Find out about a model, from its file or else from the server."""
        if self.known(url, model) is None:
            await asyncio.to_thread(self.read, url, (model,))
        if (found := self.known(url, model)) is not None:
            return found
        try:
            details = await show(model.name)
        except HostError:
            return self.by_size(model)  # Not stored: the server may answer next time.
        self.told(url, model, details)
        return self._told_of(model, details)

    def _on_disk(self, model: Model) -> Subject | None:
        with suppress(InvalidName, InvalidManifest, InvalidGGUF, OSError):
            found = read_manifest(self._folders, ModelName.parse(model.name), model.digest)
            if found is None:
                return None
            weights = found.manifest.of_type(MediaType.MODEL)
            if not weights:
                return None
            projector = sum(layer.size for layer in found.manifest.of_type(MediaType.PROJECTOR))
            header = read_header(blob_path(found.folder, weights[0].digest))
            subject = subject_of_header(header, self._repacked, projector=projector)
            return replace(subject, context_length=_num_ctx(found))
        return None

    def _told_of(self, model: Model, details: ModelDetails) -> Subject:
        rows = (line.split() for line in details.parameters.splitlines())
        asked = next((row[1] for row in rows if len(row) == 2 and row[0] == _NUM_CTX), None)
        return replace(self._of(model, details.info), context_length=_count(asked))

    def _of(self, model: Model, metadata: Mapping[str, object]) -> Subject:
        return subject_of_metadata(
            metadata, model.size, quantization=model.quantization, repacked=self._repacked
        )


def _num_ctx(found: ManifestOnDisk) -> int | None:
    """The context length that the parameters of a model ask for."""
    layers = found.manifest.of_type(MediaType.PARAMETERS)
    if not layers:
        return None
    try:
        parameters = json.loads(read_small(blob_path(found.folder, layers[0].digest)))
    except (ValueError, RecursionError):  # Not JSON, or nested too deeply.
        return None
    return _count(parameters.get(_NUM_CTX)) if isinstance(parameters, dict) else None


def _count(value: object) -> int | None:
    """A number of tokens, which may be given as a string or a float."""
    try:
        count = int(str(value).removesuffix(".0"))
    except ValueError:
        return None
    return count if 0 < count < _MOST_TOKENS else None
