"""The download of one blob: in parts, several at once, verified while they arrive."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct, field

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.library.errors import LibraryError, is_full, reason
from llmstack_tui.registry.download.pace import Pace
from llmstack_tui.registry.download.partial import (
    add_span,
    count_bytes,
    leading_bytes,
    missing_spans,
    split_spans,
)
from llmstack_tui.registry.download.source import BlobSource, TemporaryFailure

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from concurrent.futures import Executor

    from llmstack_tui.library.manifest import Layer
    from llmstack_tui.registry.download.partial import Partial, Span

T = TypeVar("T")


class PullOptions(Struct, frozen=True, kw_only=True):
    """How blobs are downloaded.

    Attributes:
        connections: how many per blob.
        part: the most bytes that one request asks for.
        silence_s: seconds without a byte after which a connection is given up.
        least: bytes that a connection has to bring in that time; one that brings fewer has failed.
        tries: how many in a row may fail before the download is given up.
        wait_s: seconds before the second try; doubled for each further one.
        max_wait_s: seconds between two tries at most, unless the server asks for more.
        save_every_s: seconds between two saves of the progress: what a killed process may lose.
        reserve: bytes that stay free on the disk.
        pace: shared by all downloads, so that they leave something of the connection to others.
    """

    connections: int = 8
    part: int = 64 * 1024**2
    silence_s: float = 30.0
    least: int = 1024
    tries: int = 7
    wait_s: float = 0.5
    max_wait_s: float = 15.0
    save_every_s: float = 1.0
    reserve: int = 512 * 1024**2
    pace: Pace = field(default_factory=Pace)


class BlobDownload:
    """The download of one blob; ``completed`` and ``verified`` count bytes of ``layer.size``.

    Attributes:
        opened: set once ``completed`` includes the bytes of earlier downloads.
    """

    def __init__(self, layer: Layer, partial: Partial, options: PullOptions, executor: Executor) -> None:
        self.layer = layer
        self._partial = partial
        self._options = options
        self._executor = executor
        self.opened = asyncio.Event()
        self._parts: deque[Span] = deque()
        self._grown = asyncio.Event()
        self._saved_at_s = 0.0
        self._saving = asyncio.Lock()

    @property
    def completed(self) -> int:
        return count_bytes(self._partial.done)

    @property
    def verified(self) -> int:
        return self._partial.hashed

    async def run(self, source: BlobSource) -> None:
        """Download the blob, verify it and give it its final name.

        However it ends, even if cancelled, the bytes so far are kept for the next time, unless they do not
        match the digest.

        Raises:
            LibraryError: it failed.
        """
        try:
            await self._in_thread(self._partial.open)
            self.opened.set()
            try:
                await self._fetch(source)
                if not self._partial.matches_digest():
                    await self._in_thread(self._partial.discard)
                    raise LibraryError("registry.wrong_digest", layer=self.layer.short)
                await self._in_thread(self._partial.finish)
            finally:
                self._partial.close()
        except OSError as error:
            if is_full(error):
                raise LibraryError("registry.disk_full", folder=str(self._partial.folder)) from error
            why = (reason(error),)
            raise LibraryError("registry.layer_not_written", layer=self.layer.short, why=why) from error

    async def _fetch(self, source: BlobSource) -> None:
        size, whole = self.layer.size, self._options.part
        self._parts.extend(split_spans(missing_spans(self._partial.done, size), whole))
        self._saved_at_s = time.monotonic()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._verify())
                if self._parts:
                    group.create_task(self._begin(source, group))
        except BaseExceptionGroup as errors:
            raise _first_of(errors) from None
        finally:
            if self.completed < size:
                with suppress(OSError):
                    await asyncio.shield(self._save())

    async def _begin(self, source: BlobSource, group: asyncio.TaskGroup) -> None:
        """Fetch one part alone until it is known whether the server sends parts; then several at once."""
        ranged = asyncio.Event()
        fetching = group.create_task(self._worker(source, ranged))
        await set_or_done(ranged, fetching)
        if ranged.is_set():
            for _ in range(min(self._options.connections, len(self._parts) + 1) - 1):
                group.create_task(self._worker(source, ranged))

    async def _worker(self, source: BlobSource, ranged: asyncio.Event) -> None:
        while self._parts:
            await self._part(self._parts.popleft(), source, ranged)

    async def _part(self, part: Span, source: BlobSource, ranged: asyncio.Event) -> None:
        first, end = part
        failures = 0
        while first < end:
            before = first
            try:
                async with source.bytes_of(self.layer, (first, end)) as (is_part, content):
                    if is_part:
                        ranged.set()
                    elif not ranged.is_set():
                        # This one answer is the rest of the blob.
                        end = self.layer.size
                        self._parts.clear()
                    await self._take(content, first if is_part else 0, (first, end))
                why, wait_s = Sentence("registry.cut_short"), None
            except TemporaryFailure as error:
                why, wait_s = error.sentence, error.wait_s
            first = self._reached(before)
            if first >= end:
                return
            failures = failures + 1 if first - before < self._options.least else 0
            if failures >= self._options.tries:
                raise LibraryError("registry.stalled", layer=self.layer.short, why=(why,))
            await asyncio.sleep(max(wait_s or 0.0, self._wait_s(failures)))

    async def _take(self, content: AsyncIterator[bytes], at: int, part: Span) -> None:
        """Write the bytes of the part as they arrive, where ``content`` begins at the byte ``at``.

        Raises:
            TemporaryFailure: they come too slowly.
        """
        first, end = part
        floor = _Floor(self._options)
        while first < end and (data := await floor.over(anext(content, b""))):
            piece = data[max(first - at, 0) : end - at]
            at += len(data)
            if not piece:
                continue
            await self._in_thread(self._partial.write, first, piece)
            self._partial.done = add_span(self._partial.done, (first, first + len(piece)))
            self._grown.set()
            first += len(piece)
            if time.monotonic() - self._saved_at_s >= self._options.save_every_s:
                await self._save()
            await self._options.pace.took(len(piece))

    def _reached(self, first: int) -> int:
        """The end of the bytes that follow ``first`` without a gap."""
        return next((span[1] for span in self._partial.done if span[0] <= first < span[1]), first)

    def _wait_s(self, failures: int) -> float:
        longest = min(self._options.wait_s * 2.0 ** (failures - 1), self._options.max_wait_s)
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 (so that clients do not retry all at once)

    async def _verify(self) -> None:
        """Hash the bytes before the first gap, until there is none."""
        while self.verified < self.layer.size:
            self._grown.clear()
            there = leading_bytes(self._partial.done)
            if there > self.verified:
                await self._in_thread(self._partial.hash_to, min(there, self.verified + self._options.part))
            else:
                await self._grown.wait()

    async def _save(self) -> None:
        if self._saving.locked():
            return
        async with self._saving:
            await self._in_thread(self._partial.save, list(self._partial.done))
            self._saved_at_s = time.monotonic()

    async def _in_thread(self, work: Callable[..., T], *args: object) -> T:
        """Run ``work`` in a thread, to its end even if cancelled: its file must not be closed before."""
        future = asyncio.get_running_loop().run_in_executor(self._executor, work, *args)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            await asyncio.wait((future,))
            raise


async def set_or_done(event: asyncio.Event, task: asyncio.Task[None]) -> None:
    """Wait until the event is set or the task has ended."""
    waiting = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait((waiting, task), return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()


class _Floor:
    """How slowly bytes may come. Only the time counts in which they were waited for."""

    def __init__(self, options: PullOptions) -> None:
        self._options = options
        self._waited_s, self._came = 0.0, 0

    async def over(self, next_bytes: Awaitable[bytes]) -> bytes:
        """The next bytes. Raises TemporaryFailure if too few came lately."""
        since_s, options = time.monotonic(), self._options
        data = await next_bytes
        self._waited_s += time.monotonic() - since_s
        self._came += len(data)
        if self._came >= options.least:
            self._waited_s, self._came = 0.0, 0
        elif data and self._waited_s >= options.silence_s:
            raise TemporaryFailure("registry.dripping", least=options.least, seconds=options.silence_s)
        return data


def _first_of(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
