"""What installed models are made of: from their files where those may be read, else as servers tell."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from llmstack_tui.engine.manifest import InvalidManifest, blob_path
from llmstack_tui.fit.subject import of_header, of_metadata
from llmstack_tui.gguf.header import InvalidGGUF, read_header
from llmstack_tui.hosts.errors import HostError
from llmstack_tui.ollama.names import InvalidName, ModelName
from llmstack_tui.updates.disk import read_manifest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from pathlib import Path

    from llmstack_tui.fit.memory import Subject
    from llmstack_tui.hosts.types import Model, ModelDetails

    Show = Callable[[str, str], Awaitable[ModelDetails]]

_WEIGHTS = "application/vnd.ollama.image.model"
_PROJECTOR = "application/vnd.ollama.image.projector"


class Subjects:
    """Looks at each version of a model once.

    Args:
        folders: of models on this machine, as `updates.disk.model_folders` has them.
        show: asks a server for the details of a model.
        repacked: types of weights that the processor has rearranged here.
    """

    def __init__(self, folders: Sequence[Path], show: Show, repacked: frozenset[str]) -> None:
        self._folders = folders
        self._show = show
        self._repacked = repacked
        self._known: dict[tuple[str, str], Subject] = {}

    def known(self, url: str, model: Model) -> Subject | None:
        """What `look` has found of a model."""
        return self._known.get((url, model.digest))

    async def look(self, url: str, model: Model) -> Subject:
        """What there is to know of a model. With neither file nor answer, that is its size."""
        if (known := self.known(url, model)) is not None:
            return known
        found = await asyncio.to_thread(self._on_disk, model)
        try:
            found = found or self._of(model, (await self._show(url, model.name)).info)
        except HostError:
            return self.by_size(model)  # Another time it may answer.
        if model.digest:
            self._known[url, model.digest] = found
        return found

    def _on_disk(self, model: Model) -> Subject | None:
        """From its file, if a folder of this machine has the very version that the server lists."""
        with suppress(InvalidName, InvalidManifest, InvalidGGUF, OSError):
            found = read_manifest(self._folders, ModelName.parse(model.name), model.digest)
            if found is None:
                return None
            layers = found.manifest.layers
            weights = next((layer for layer in layers if layer.media_type == _WEIGHTS), None)
            if weights is None:
                return None
            projector = sum(layer.size for layer in layers if layer.media_type == _PROJECTOR)
            header = read_header(blob_path(found.folder, weights.digest))
            return of_header(header, self._repacked, projector=projector)
        return None

    def by_size(self, model: Model) -> Subject:
        """What is known of a model that was not looked at."""
        return self._of(model, {})

    def _of(self, model: Model, metadata: Mapping[str, object]) -> Subject:
        return of_metadata(metadata, model.size, quantization=model.quantization, repacked=self._repacked)
