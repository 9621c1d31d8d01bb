"""Pulls: the missing blobs of a model are fetched from its registry, then its manifest is written."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import aclosing, contextmanager, suppress
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.sentences import QUOTED, said
from llmstack_tui.base.structs import replace
from llmstack_tui.gguf.header import InvalidGGUF
from llmstack_tui.gguf.others import OTHER_ARCHITECTURES, other_kind
from llmstack_tui.library.blobs import fetch_blob, is_believed, is_intact, may_have
from llmstack_tui.library.errors import LibraryError, library_errors, reason
from llmstack_tui.library.folders import blob_path, blobs_folder, has_blob
from llmstack_tui.library.installed import check_parts, read_texts
from llmstack_tui.library.manifest import FILES, InvalidManifest, MediaType
from llmstack_tui.library.threads import in_thread
from llmstack_tui.registry.download.blob import PullOptions, set_or_done
from llmstack_tui.registry.download.blobs import BlobDownloads
from llmstack_tui.registry.download.source import BlobSource
from llmstack_tui.registry.errors import NotInRegistry, RegistryError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator
    from pathlib import Path

    from llmstack_tui.base.names import ModelName
    from llmstack_tui.library.blobs import OnProgress
    from llmstack_tui.library.library import Library
    from llmstack_tui.library.manifest import Layer, Manifest
    from llmstack_tui.registry.client import FetchedManifest, Registry

_TICK_S = 0.1
# Verifying the bytes of an earlier pull can take a while, and is then shown.
_TICKS_UNTIL_SHOWN = 10
# Removing another model meanwhile may remove a shared blob: the pull then starts again.
_ROUNDS = 3


class PullStep(Struct, frozen=True):
    """One step of a pull. A step of a blob has its digest, its size and the bytes completed."""

    status: str
    digest: str | None = None
    total: int = 0
    completed: int = 0


class NotPublished(LibraryError):
    """The registry does not have the model."""


class Pulls:
    """Pulls into the own folder of a library. Must be used from one event loop."""

    def __init__(self, library: Library, options: PullOptions) -> None:
        self._library = library
        self._options = options

    async def close(self) -> None:
        """End all pulls; their bytes so far are kept."""
        if "_downloads" in vars(self):
            await self._downloads.close()
        if "_registry" in vars(self):
            await self._registry.aclose()

    async def pull(self, name: ModelName, *, insecure: bool) -> AsyncGenerator[PullStep, None]:
        """Pull the model: with TLS, unless ``insecure`` is set or the registry is on this machine.

        When the generator is closed early, the bytes so far are kept for the next time.

        Raises:
            LibraryError: it failed.
        """
        if not insecure:
            name = replace(name, scheme="https")
        yield PullStep("pulling manifest")
        fetched = await self._manifest(name)
        layers = tuple({layer.digest: layer for layer in fetched.manifest.blobs}.values())
        with _refusing(name):
            check_parts(fetched.manifest)
        for _ in range(_ROUNDS):
            await self._check_room(name, layers)
            # Without a line: clients expect the layers in the order of the manifest.
            for layer in (each for each in layers if each.media_type not in FILES):
                async with aclosing(self._blob(layer, name)) as steps:
                    async for _step in steps:
                        pass
            with _refusing(name):
                texts = await asyncio.to_thread(read_texts, self._library.own, fetched.manifest)
                # Before gigabytes are fetched.
                if kind := OTHER_ARCHITECTURES.get(texts.config.model_family):
                    raise InvalidGGUF(kind)
            are_read = not await asyncio.to_thread(self._believes_any, layers)
            for layer in layers:
                async with aclosing(self._blob(layer, name)) as steps:
                    async for step in steps:
                        yield step
            if are_read:
                yield PullStep("verifying sha256 digest")
            with _refusing(name):
                await asyncio.to_thread(self._check_weights, fetched.manifest)
            yield PullStep("writing manifest")
            replaced = await asyncio.to_thread(self._library.install, name, fetched.content)
            if replaced is not None:
                if replaced:
                    yield PullStep("removing unused layers")
                return
        raise LibraryError("registry.removed_meanwhile", model=str(name))

    async def discard(self, digest: str) -> None:
        """Delete the unfinished download of a blob, or the blob if no model uses it. Raises LibraryError."""
        await self._downloads.discard(digest)
        await asyncio.to_thread(self._library.discard, digest)

    @cached_property
    def _downloads(self) -> BlobDownloads:
        return BlobDownloads(self._library.own, self._options)

    @cached_property
    def _registry(self) -> Registry:
        from llmstack_tui.registry.client import Registry  # noqa: PLC0415 (brings httpx)

        return Registry()

    async def _manifest(self, name: ModelName) -> FetchedManifest:
        try:
            fetched = await self._registry.manifest(name)
        except NotInRegistry as error:
            raise NotPublished(QUOTED, text=said(error)) from error
        except RegistryError as error:
            raise LibraryError(QUOTED, text=said(error)) from error
        if fetched is None:
            raise LibraryError("registry.no_manifest", registry=name.host, model=str(name))
        return fetched

    async def _check_room(self, name: ModelName, layers: tuple[Layer, ...]) -> None:
        """Raises LibraryError if the disk is too small for the rest of this pull and of those under way."""
        need, free = await asyncio.to_thread(self._room, layers)
        need += self._downloads.remaining(without={layer.digest for layer in layers})
        if need and need + self._options.reserve > free:
            raise LibraryError(
                "registry.no_room",
                model=str(name),
                need=need,
                folder=str(blobs_folder(self._library.own)),
                free=free,
                reserve=self._options.reserve,
            )

    def _room(self, layers: tuple[Layer, ...]) -> tuple[int, int]:
        """The bytes that the model still needs, and the bytes that are free."""
        own = self._library.own
        with library_errors("library.not_writable", models=str(own)):
            own.mkdir(parents=True, exist_ok=True)
            need = sum(
                layer.size - self._downloads.saved(layer)
                for layer in layers
                if not may_have(own, layer) and self._elsewhere(layer) is None
            )
            return need, shutil.disk_usage(own).free

    def _elsewhere(self, layer: Layer) -> Path | None:
        """The path of the blob in one of the read-only folders, if it can be read there."""
        for folder in self._library.others:
            path = blob_path(folder, layer.digest)
            with suppress(OSError):
                if has_blob(folder, layer):
                    with path.open("rb"):
                        return path
        return None

    def _believes_any(self, layers: tuple[Layer, ...]) -> bool:
        """Whether one of the blobs is there and is not read again, as it has not changed since it was."""
        return any(is_believed(blob_path(self._library.own, layer.digest)) for layer in layers)

    def _check_weights(self, manifest: Manifest) -> None:
        """Raise InvalidGGUF, and remove the weights, if they are no GGUF file of a language model."""
        for layer in manifest.of_type(MediaType.MODEL):
            try:
                if kind := other_kind(self._library.header_of(blob_path(self._library.own, layer.digest))):
                    raise InvalidGGUF(kind)
            except InvalidGGUF as error:
                self._library.discard(layer.digest)
                raise error.of(layer.short) from None

    async def _blob(self, layer: Layer, name: ModelName) -> AsyncGenerator[PullStep, None]:
        """Get the blob, unless it is here: from a folder of Ollama's, or from the registry."""
        step, is_here = PullStep(f"pulling {layer.short}", layer.digest, layer.size), False

        def look(progress: OnProgress) -> None:
            nonlocal is_here
            is_here = self._is_here(layer, progress)

        async with aclosing(_steps(step, look)) as steps:
            async for each in steps:
                yield each
        if not is_here:
            async with aclosing(self._download(step, layer, name)) as steps:
                async for each in steps:
                    yield each
        yield replace(step, completed=layer.size)

    def _is_here(self, layer: Layer, progress: OnProgress) -> bool:
        """Whether the own folder has the blob; it is taken from one of Ollama's folders if that has it."""
        own = self._library.own
        blob = blob_path(own, layer.digest)
        with library_errors("library.file_not_read", path=str(blob)):
            if is_intact(blob, layer, progress):
                return True
        place = self._elsewhere(layer)
        if place is None:
            return False
        with library_errors("library.not_copied", source=str(place), folder=str(blob.parent)):
            try:
                fetch_blob(place, own, layer, progress)
            except LibraryError as error:
                if error.kind != "library.damaged":
                    raise
                return False
        return True

    async def _download(
        self, step: PullStep, layer: Layer, name: ModelName
    ) -> AsyncGenerator[PullStep, None]:
        source = BlobSource(self._registry, name, silence_s=self._options.silence_s)
        async with self._downloads.joined(layer, source) as (download, task):
            await set_or_done(download.opened, task)
            shown, ticks = -1, 0
            while not task.done():
                if download.completed != shown:
                    shown, ticks = download.completed, 0
                    yield replace(step, completed=shown)
                ticks += 1
                if shown == layer.size and ticks >= _TICKS_UNTIL_SHOWN:
                    ticks = 0
                    yield replace(step, status="verifying sha256 digest", completed=download.verified)
                await asyncio.wait((task,), timeout=_TICK_S)
            try:
                await task
            except asyncio.CancelledError:
                raise LibraryError("registry.engine_stopped") from None


async def _steps(step: PullStep, work: Callable[[OnProgress], None]) -> AsyncGenerator[PullStep, None]:
    """Do blocking work that reads or copies a blob; it is cancelled when the generator is closed."""
    now = step

    def tell(status: str, completed: int | None, total: int | None) -> None:
        nonlocal now
        reading = status == "reading weights"
        now = replace(step, status="verifying sha256 digest" if reading else step.status)
        now = replace(now, completed=completed or 0)

    working = asyncio.create_task(in_thread(work, tell))
    try:
        while not (await asyncio.wait((working,), timeout=_TICK_S))[0]:
            yield now
        await working
    finally:
        working.cancel()
        await asyncio.wait((working,))


@contextmanager
def _refusing(name: ModelName) -> Iterator[None]:
    """Turn what makes a model useless here into the reason why it is not installed."""
    try:
        yield
    except (InvalidManifest, InvalidGGUF) as error:
        raise LibraryError("registry.useless_here", model=str(name), why=said(error)) from None
    except OSError as error:
        raise LibraryError("registry.useless_here", model=str(name), why=(reason(error),)) from error
