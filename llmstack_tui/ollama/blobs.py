"""Sending a file of this machine to a server, as a blob."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING

import msgspec

from llmstack_tui.base.languages import later
from llmstack_tui.base.structs import replace
from llmstack_tui.gguf.source import check_format, open_regular
from llmstack_tui.hosts.errors import HostError, ServerError, Unreachable
from llmstack_tui.hosts.types import Progress
from llmstack_tui.ollama import wire

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Sequence
    from pathlib import Path

    from llmstack_tui.hosts.transport import Transport
    from llmstack_tui.hosts.types import ModelFile, ModelParts

# Hashed in a few milliseconds, for which a cancelled import has to wait.
_PIECE_BYTES = 8 * 2**20
_REPORT_EVERY_S = 0.2


def checked_gguf(path: Path) -> Path:
    """The absolute path of a file that begins as GGUF does. A server would check only after the upload.

    Raises:
        InvalidGGUF: the file begins otherwise, or cannot be read.
    """
    with open_regular(path) as (file, _):
        check_format(file.read(512), path)
    return path.resolve()


async def hash_file(path: Path) -> AsyncGenerator[Progress, None]:
    """Hash a file. Yields its progress, at last with the digest."""
    size = (await asyncio.to_thread(path.stat)).st_size
    hasher, done = hashlib.sha256(), 0
    async with aclosing(_read_pieces(path)) as pieces:
        async for piece in pieces:
            await asyncio.to_thread(hasher.update, piece)
            done += len(piece)
            yield Progress(status=later("hashing"), total=size, completed=done)
    yield Progress(status=later("hashing"), digest=f"sha256:{hasher.hexdigest()}", total=size, completed=done)


async def send_blob(http: Transport, path: Path, digest: str) -> AsyncGenerator[Progress, None]:
    """Send a file, unless the server has it already."""
    address = f"/api/blobs/{digest}"
    if await http.exists(address):
        return
    size = (await asyncio.to_thread(path.stat)).st_size
    sent = 0

    async def content() -> AsyncGenerator[bytes, None]:
        nonlocal sent
        async with aclosing(_read_pieces(path)) as pieces:
            async for piece in pieces:
                yield piece
                sent += len(piece)

    sending = asyncio.create_task(http.send(address, content(), size), name=f"send {digest[:19]}")
    try:
        while not (await asyncio.wait((sending,), timeout=_REPORT_EVERY_S))[0]:
            yield Progress(status=later("sending"), digest=digest, total=size, completed=sent)
        try:
            sending.result()
        except Unreachable as error:
            raise await _broken_off(http, address, size, error) from None
        yield Progress(status=later("sending"), digest=digest, total=size, completed=size)
    finally:
        sending.cancel()
        await asyncio.wait((sending,))
        if not sending.cancelled():
            sending.exception()  # retrieved, so that asyncio does not report it as never retrieved


async def _broken_off(http: Transport, address: str, size: int, error: Unreachable) -> HostError:
    """Why an upload broke off. Ollama closes the connection when it cannot write, and its answer is lost."""
    if error.kind in ("host.closed", "host.connection_broke"):
        with suppress(HostError):
            await http.exists(address)
            return ServerError("host.upload_broke", host=http.url, size=size, detail=error.detail)
    return error


async def send_blobs(http: Transport, files: Sequence[ModelFile]) -> AsyncGenerator[Progress, None]:
    """Send files, except those that the server has already. The progress is that of all of them together."""
    total, done = sum(file.size for file in files), 0
    for file in files:
        async with aclosing(send_blob(http, file.path, file.digest)) as steps:
            async for step in steps:
                completed = done + (step.completed or 0)
                yield replace(step, total=total, completed=completed)
        done += file.size
        yield Progress(status=later("sending"), digest=file.digest, total=total, completed=done)


def create_request(name: str, parts: ModelParts) -> wire.CreateRequest:
    """The request that makes a model of blobs that the server has."""
    return wire.CreateRequest(
        model=name,
        files=_named(parts.files),
        adapters=_named(parts.adapters) or None,
        template=parts.template or None,
        system=parts.system or None,
        license=list(parts.licenses) or None,
        parameters=dict(parts.parameters) or None,
        messages=msgspec.convert(list(parts.messages), list[wire.WireMessage]) or None,
        renderer=parts.renderer or None,
        parser=parts.parser or None,
        requires=parts.requires or None,
    )


def _named(files: Iterable[ModelFile]) -> dict[str, str]:
    """The digests by names, which Ollama wants, and forgets."""
    return {f"{number}.gguf": file.digest for number, file in enumerate(files)}


async def _read_pieces(path: Path) -> AsyncGenerator[bytes, None]:
    """The file's bytes in pieces, read off the event loop."""
    file = await asyncio.to_thread(path.open, "rb", buffering=0)
    with file:
        while piece := await asyncio.to_thread(file.read, _PIECE_BYTES):
            yield piece
