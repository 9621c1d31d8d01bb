"""Pulls: what of a model is not here yet is fetched from its registry, then the manifest is written."""

from __future__ import annotations

import asyncio
import shutil
import threading
from contextlib import aclosing
from functools import cached_property
from typing import TYPE_CHECKING

from llmstack_tui.base.structs import replace
from llmstack_tui.base.units import bytes_text
from llmstack_tui.library.copying import fetch_blob
from llmstack_tui.library.folders import blob_path, blobs_folder, is_whole
from llmstack_tui.library.storage import LibraryError, reason
from llmstack_tui.registry.download.blob import set_or_done
from llmstack_tui.registry.download.blobs import BlobDownloads
from llmstack_tui.registry.download.source import BlobOrigin
from llmstack_tui.registry.download.types import NotPublished, PullFailed, PullStep
from llmstack_tui.registry.errors import NotInRegistry, RegistryError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from llmstack_tui.base.names import ModelName
    from llmstack_tui.library.library import Library
    from llmstack_tui.library.manifest import Layer
    from llmstack_tui.registry.client import Registry
    from llmstack_tui.registry.download.types import PullOptions

_TICK_S = 0.1
# Checking what was there before a pull went on can take a while, and is then told.
_TICKS_UNTIL_TOLD = 10
# A model that is removed meanwhile may have taken a shared blob with it.
_ROUNDS = 3


class Pulls:
    """Belongs to one event loop."""

    def __init__(self, library: Library, options: PullOptions) -> None:
        self._library = library
        self._options = options

    async def close(self) -> None:
        """End all pulls; what came is kept."""
        if "_blobs" in vars(self):
            await self._blobs.close()
        if "_registry" in vars(self):
            await self._registry.aclose()

    async def pull(self, name: ModelName, *, insecure: bool) -> AsyncGenerator[PullStep, None]:
        """Have the model; without ``insecure`` with TLS, except from this machine.

        Raises:
            PullFailed: with one sentence.
        """
        if not insecure:
            name = replace(name, scheme="https")
        async with aclosing(pull(name, self._library, self._registry, self._blobs)) as steps:
            async for step in steps:
                yield step

    async def discard(self, digest: str) -> None:
        """Throw away what is there of a blob that is not whole. Raises `PullFailed`."""
        await self._blobs.discard(digest)

    @cached_property
    def _blobs(self) -> BlobDownloads:
        return BlobDownloads(self._library.own, self._options)

    @cached_property
    def _registry(self) -> Registry:
        from llmstack_tui.registry.client import Registry  # noqa: PLC0415 (brings httpx)

        return Registry()


async def pull(
    name: ModelName, library: Library, registry: Registry, downloads: BlobDownloads
) -> AsyncGenerator[PullStep, None]:
    """Have the model in the library's own folder. Closing this keeps what came for the next time.

    Raises:
        PullFailed: with one sentence.
    """
    yield PullStep("pulling manifest")
    try:
        fetched = await registry.manifest(name)
    except NotInRegistry as error:
        raise NotPublished(str(error)) from error
    except RegistryError as error:
        raise PullFailed(str(error)) from error
    if fetched is None:
        raise PullFailed(f"{name.host} did not send the manifest of {name}.")
    layers = tuple({layer.digest: layer for layer in fetched.manifest.blobs}.values())
    origin = BlobOrigin(name, registry.blobs_url(name), registry)
    for _ in range(_ROUNDS):
        await _check_room(name, layers, library, downloads)
        for layer in layers:
            async with aclosing(_have(layer, origin, library, downloads)) as steps:
                async for step in steps:
                    yield step
        yield PullStep("verifying sha256 digest")
        yield PullStep("writing manifest")
        try:
            written = await asyncio.to_thread(library.install, name, fetched.content)
        except LibraryError as error:
            raise PullFailed(str(error)) from error
        if written is not None:
            if written:
                yield PullStep("removing unused layers")
            return
    raise PullFailed(f"Parts of {name} were removed again while it was pulled: pull again.")


async def _check_room(
    name: ModelName, layers: tuple[Layer, ...], library: Library, downloads: BlobDownloads
) -> None:
    """Raises PullFailed if the disk is too small for what is not there yet and what others are fetching."""
    need, free = await asyncio.to_thread(_room, layers, library, downloads)
    need += downloads.left({layer.digest for layer in layers})
    if need and need + downloads.options.reserve > free:
        raise PullFailed(
            f"{name} needs {bytes_text(need)} more in {blobs_folder(library.own)}, where "
            f"{bytes_text(free)} are free and {bytes_text(downloads.options.reserve)} have to stay so: "
            "make room and pull again."
        )


def _room(layers: tuple[Layer, ...], library: Library, downloads: BlobDownloads) -> tuple[int, int]:
    """Bytes that the model still needs, and that are free."""
    try:
        library.own.mkdir(parents=True, exist_ok=True)
        need = sum(
            layer.size - downloads.noted(layer)
            for layer in layers
            if not is_whole(blob_path(library.own, layer.digest), layer.size)
            and _elsewhere(library, layer) is None
        )
        return need, shutil.disk_usage(library.own).free
    except OSError as error:
        raise PullFailed(f"The models folder {library.own} cannot be used: {reason(error)}.") from error


async def _have(
    layer: Layer, origin: BlobOrigin, library: Library, downloads: BlobDownloads
) -> AsyncGenerator[PullStep, None]:
    """Have the blob, whether it is here already, in a folder of Ollama's, or at the registry."""
    step = PullStep(f"pulling {layer.digest[7:19]}", layer.digest, layer.size)
    there = await asyncio.to_thread(is_whole, blob_path(library.own, layer.digest), layer.size)
    if not there:
        if (place := await asyncio.to_thread(_elsewhere, library, layer)) is not None:
            async with aclosing(_brought(layer, place, library)) as counts:
                async for completed in counts:
                    yield replace(step, completed=completed)
        else:
            async with aclosing(_fetched(step, layer, origin, downloads)) as steps:
                async for each in steps:
                    yield each
    yield replace(step, completed=layer.size)


async def _fetched(
    step: PullStep, layer: Layer, origin: BlobOrigin, downloads: BlobDownloads
) -> AsyncGenerator[PullStep, None]:
    async with downloads.joined(layer, origin) as (download, task):
        await set_or_done(download.opened, task)
        told, ticks = -1, 0
        while not task.done():
            if download.completed != told:
                told, ticks = download.completed, 0
                yield replace(step, completed=told)
            ticks += 1
            if told == layer.size and ticks >= _TICKS_UNTIL_TOLD:
                ticks = 0
                yield replace(step, status="verifying sha256 digest", completed=download.verified)
            await asyncio.wait((task,), timeout=_TICK_S)
        try:
            await task
        except asyncio.CancelledError:
            raise PullFailed("The engine was stopped. What came is kept: pull again.") from None


async def _brought(layer: Layer, place: Path, library: Library) -> AsyncGenerator[int, None]:
    """Link or copy the blob from a folder that is only read; the bytes that are done."""
    done, leave = 0, threading.Event()

    def progress(status: str, completed: int | None, total: int | None) -> None:
        nonlocal done
        done = completed or 0

    target = blob_path(library.own, layer.digest)
    work = asyncio.create_task(
        asyncio.to_thread(fetch_blob, place, target, layer, progress=progress, cancelled=leave.is_set)
    )
    try:
        while not work.done():
            yield done
            await asyncio.wait((work,), timeout=_TICK_S)
        await work
    except LibraryError as error:
        raise PullFailed(str(error)) from error
    except OSError as error:
        raise PullFailed(f"{place} cannot be copied to {target.parent}: {reason(error)}.") from error
    finally:
        leave.set()
        await asyncio.wait((work,))


def _elsewhere(library: Library, layer: Layer) -> Path | None:
    """The same blob in one of the folders that are only read, if it can be."""
    for folder in library.others:
        path = blob_path(folder, layer.digest)
        try:
            if is_whole(path, layer.size):
                with path.open("rb"):
                    return path
        except OSError:
            continue
    return None
