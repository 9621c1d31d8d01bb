"""All downloads of an engine: a blob that several pulls want is fetched once."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from filelock import FileLock

from llmstack_tui.library.errors import LibraryError, library_errors
from llmstack_tui.library.folders import blobs_folder
from llmstack_tui.library.manifest import Layer, blob_name
from llmstack_tui.library.storage import DOWNLOADS_LOCK, holding
from llmstack_tui.registry.download.blob import BlobDownload, PullOptions
from llmstack_tui.registry.download.partial import Partial, count_bytes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Container
    from pathlib import Path

    from llmstack_tui.registry.download.source import BlobSource

# The threads that write and hash; only they wait for the disk.
_THREADS = 4
# How long it may take until a client's disconnection is noticed.
_LEAVING_S = 5.0


@dataclass(slots=True)
class _Running:
    download: BlobDownload
    task: asyncio.Task[None]
    waiters: int = 0
    ending: bool = False


class BlobDownloads:
    """The downloads into the folder ``models``. Must be used from one event loop."""

    def __init__(self, models: Path, options: PullOptions) -> None:
        self.options = options
        self._models = models
        self._running: dict[str, _Running] = {}
        self._executor = ThreadPoolExecutor(_THREADS, "download")
        self._lock = FileLock(models / DOWNLOADS_LOCK, timeout=0, thread_local=False)

    async def close(self) -> None:
        """End all downloads; their bytes so far are kept."""
        for running in tuple(self._running.values()):
            await _end(running.task)
        self._executor.shutdown(wait=False)

    def remaining(self, *, without: Container[str]) -> int:
        """Bytes that the running downloads still need; the digests in ``without`` do not count."""
        return sum(
            running.download.layer.size - running.download.completed
            for running in self._running.values()
            if running.download.layer.digest not in without
        )

    def saved(self, layer: Layer) -> int:
        """Bytes of a blob that earlier downloads have saved."""
        partial = Partial(blobs_folder(self._models), layer.digest, layer.size)
        return count_bytes(partial.saved_spans())

    async def discard(self, digest: str) -> None:
        """Delete the unfinished download of a blob.

        Raises:
            LibraryError: it is under way, or the folder cannot be written.
        """
        running = self._running.get(blob_name(digest))
        if running is not None and not (await asyncio.wait((running.task,), timeout=_LEAVING_S))[0]:
            raise LibraryError("registry.under_way", layer=digest[7:19])
        with self._locked(), library_errors("registry.not_discarded", layer=digest[7:19]):
            await asyncio.to_thread(Partial(blobs_folder(self._models), digest, 0).discard)

    @asynccontextmanager
    async def joined(
        self, layer: Layer, source: BlobSource
    ) -> AsyncIterator[tuple[BlobDownload, asyncio.Task[None]]]:
        """Join the download of a blob, or begin it. It is cancelled when the last waiter has left.

        The task raises `LibraryError`.
        """
        blob = blob_name(layer.digest)
        while (running := self._running.get(blob)) and (running.ending or running.task.done()):
            # The one before has not closed its file yet.
            await asyncio.wait((running.task,))
            await asyncio.sleep(0)
        if running is None:
            running = self._running[blob] = self._start(layer, source)
        running.waiters += 1
        try:
            yield running.download, running.task
        finally:
            running.waiters -= 1
            if not running.waiters:
                running.ending = True
                await _end(running.task)

    def _start(self, layer: Layer, source: BlobSource) -> _Running:
        blob, partial = blob_name(layer.digest), Partial(blobs_folder(self._models), layer.digest, layer.size)
        download = BlobDownload(layer, partial, self.options, self._executor)
        task = asyncio.create_task(self._run(download, source))
        task.add_done_callback(lambda _: self._running.pop(blob, None))
        return _Running(download, task)

    async def _run(self, download: BlobDownload, source: BlobSource) -> None:
        with self._locked():
            async with source.opened():
                await download.run(source)

    def _locked(self) -> AbstractContextManager[None]:
        """The lock of downloads into this folder: only one process may hold it."""
        return holding(self._lock, "registry.other_engine")


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError, LibraryError):
        await asyncio.shield(asyncio.wait((task,)))
    if not task.cancelled():
        # Whoever waited has got the error: mark it as retrieved.
        task.exception()
