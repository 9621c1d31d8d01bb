"""The download of one blob: in parts, several at once, in order, and checked while it comes."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct

from llmstack_tui.library.storage import LibraryError, is_full, reason
from llmstack_tui.registry.download.partial import (
    add_span,
    count_bytes,
    leading_bytes,
    missing_spans,
    split_spans,
)
from llmstack_tui.registry.download.source import BlobSource, PassingFailure

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    import aiohttp

    from llmstack_tui.library.manifest import Layer
    from llmstack_tui.registry.download.partial import Partial, Span

T = TypeVar("T")


class PullOptions(Struct, frozen=True, kw_only=True):
    """How blobs are downloaded.

    Attributes:
        connections: of one blob at once.
        part: bytes that one request asks for at most.
        silence_s: without a byte, after which a connection is given up.
        tries: in a row without a byte more, after which the download is given up.
        wait_s: before the second try; it doubles with each.
        longest_wait_s: between two tries, unless the server asks for more.
        note_every_s: how much of the download a killed process may lose.
        reserve: bytes that stay free on the disk.
    """

    connections: int = 8
    part: int = 64 * 1024**2
    silence_s: float = 30.0
    tries: int = 7
    wait_s: float = 0.5
    longest_wait_s: float = 15.0
    note_every_s: float = 1.0
    reserve: int = 512 * 1024**2


class BlobDownload:
    """The download of one blob; ``completed`` and ``verified`` count bytes of ``layer.size``.

    Attributes:
        opened: set when ``completed`` counts what an earlier download has left, too.
    """

    def __init__(self, layer: Layer, partial: Partial, options: PullOptions, executor: Executor) -> None:
        self.layer = layer
        self._partial = partial
        self._options = options
        self._executor = executor
        self.opened = asyncio.Event()
        self._parts: deque[Span] = deque()
        self._grown = asyncio.Event()
        self._noted_at_s = 0.0
        self._noting = asyncio.Lock()

    @property
    def completed(self) -> int:
        return count_bytes(self._partial.done)

    @property
    def verified(self) -> int:
        return self._partial.hashed

    async def run(self, source: BlobSource) -> None:
        """Download the blob, verify it and give it its final name.

        Whatever ends it, a cancellation too, the bytes so far are kept for the next time, unless they do not
        match the digest.

        Raises:
            LibraryError: with one sentence.
        """
        try:
            await self._in_thread(self._partial.open)
            self.opened.set()
            try:
                await self._fetch(source)
                if not self._partial.is_right():
                    await self._in_thread(self._partial.discard)
                    raise LibraryError(
                        f"What came for {self.layer.short} is not what its digest says, and was "
                        "thrown away: pull again."
                    )
                await self._in_thread(self._partial.finish)
            finally:
                self._partial.close()
        except OSError as error:
            if is_full(error):
                raise LibraryError(
                    f"The disk of {self._partial.folder} is full: make room there and pull again."
                ) from error
            raise LibraryError(f"{self.layer.short} cannot be written: {reason(error)}.") from error

    async def _fetch(self, source: BlobSource) -> None:
        size, whole = self.layer.size, self._options.part
        self._parts.extend(split_spans(missing_spans(self._partial.done, size), whole))
        self._noted_at_s = time.monotonic()
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
                    await asyncio.shield(self._note())

    async def _begin(self, source: BlobSource, group: asyncio.TaskGroup) -> None:
        """The first part alone, until it is known whether the server gives parts; then others beside it."""
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
                    else:
                        await _skip(content, first)
                        if not ranged.is_set():
                            # All of it comes at once, or not at all.
                            end = self.layer.size
                            self._parts.clear()
                    await self._take(content, first, end)
                why, after_s = "the server ends before the end", None
            except PassingFailure as error:
                why, after_s = str(error), error.after_s
            first = self._reached(before)
            if first >= end:
                return
            failures = failures + 1 if first == before else 0
            if failures >= self._options.tries:
                raise LibraryError(
                    f"The download of {self.layer.short} does not go on: {why}. What came is kept: "
                    "pull again later."
                )
            await asyncio.sleep(max(after_s or 0.0, self._wait_s(failures)))

    async def _take(self, content: aiohttp.StreamReader, first: int, end: int) -> None:
        """Write the bytes as they arrive, from ``first`` on."""
        while first < end and (data := await content.readany()):
            piece = data[: end - first]
            await self._in_thread(self._partial.write, first, piece)
            self._partial.done = add_span(self._partial.done, (first, first + len(piece)))
            self._grown.set()
            first += len(piece)
            if time.monotonic() - self._noted_at_s >= self._options.note_every_s:
                await self._note()

    def _reached(self, first: int) -> int:
        """How far it has come without a gap from ``first`` on."""
        return next((span[1] for span in self._partial.done if span[0] <= first < span[1]), first)

    def _wait_s(self, failures: int) -> float:
        longest = min(self._options.wait_s * 2.0 ** (failures - 1), self._options.longest_wait_s)
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 (so that not all come back at once)

    async def _verify(self) -> None:
        """Follow the bytes that are there without a gap."""
        while self.verified < self.layer.size:
            self._grown.clear()
            there = leading_bytes(self._partial.done)
            if there > self.verified:
                await self._in_thread(self._partial.hash_to, min(there, self.verified + self._options.part))
            else:
                await self._grown.wait()

    async def _note(self) -> None:
        if self._noting.locked():
            return
        async with self._noting:
            await self._in_thread(self._partial.save, list(self._partial.done))
            self._noted_at_s = time.monotonic()

    async def _in_thread(self, work: Callable[..., T], *args: object) -> T:
        """Work in a thread, and return only when it is done: a file must not be closed under it."""
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


async def _skip(content: aiohttp.StreamReader, count: int) -> None:
    while count and (data := await content.read(min(count, 1024**2))):
        count -= len(data)


def _first_of(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
