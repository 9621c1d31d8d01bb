"""Answers of the registry, and how they are sent: whole, cut, slow, or wrong."""

from __future__ import annotations

import asyncio
import gzip
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from llmstack_tui.base.structs import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.support.registry.faults import Fault
    from tests.support.registry.published import Layer

_CHUNK = 256 * 1024
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


@dataclass(frozen=True)
class Answer:
    """``body`` may be a file; ``part`` is the first byte of it and the one after the last."""

    status: int
    headers: Mapping[str, str]
    body: bytes | Path
    part: tuple[int, int] | None = None

    @property
    def whole(self) -> tuple[int, int]:
        return 0, self.body.stat().st_size if isinstance(self.body, Path) else len(self.body)


def blob_answer(layer: Layer, part: tuple[int, int] | None) -> Answer:
    headers = {"Content-Type": "application/octet-stream", "Accept-Ranges": "bytes"}
    if part is None:
        return Answer(200, headers, layer.content)
    if part[0] >= layer.size:
        return Answer(416, {"Content-Range": f"bytes */{layer.size}"}, b"")
    span = f"bytes {part[0]}-{part[1] - 1}/{layer.size}"
    return Answer(206, headers | {"Content-Range": span}, layer.content, part)


def parse_range(value: str | None, size: int) -> tuple[int, int] | None:
    match = _RANGE.fullmatch(value or "")
    if match is None:
        return None
    return int(match[1]), min(int(match[2]) + 1 if match[2] else size, size)


def changed(answer: Answer, fault: Fault) -> Answer:
    if fault.status is not None or fault.body is not None:
        kind = {"Content-Type": fault.content_type or "text/plain"}
        answer = Answer(fault.status or 200, {**answer.headers, **kind} if fault.body else {}, b"")
        answer = replace(answer, body=fault.body if fault.body is not None else b"failed\n")
    if fault.no_ranges and answer.status == 206:
        ranged = {name: value for name, value in answer.headers.items() if "Range" not in name}
        answer = replace(answer, status=200, headers=ranged, part=None)
    if fault.total is not None and (span := answer.headers.get("Content-Range")):
        headers = {**answer.headers, "Content-Range": f"{span.partition('/')[0]}/{fault.total}"}
        answer = replace(answer, headers=headers)
    if fault.packed and answer.status == 200:
        body = answer.body.read_bytes() if isinstance(answer.body, Path) else answer.body
        headers = {**answer.headers, "Content-Encoding": "gzip"}
        answer = replace(answer, headers=headers, body=gzip.compress(body))
    if fault.chunked:
        answer = replace(answer, headers={**answer.headers, "Transfer-Encoding": "chunked"})
    return replace(answer, headers={**answer.headers, **fault.headers})


async def send(
    writer: asyncio.StreamWriter,
    answer: Answer,
    fault: Fault | None,
    *,
    head: bool,
    sent: Callable[[int], None],
    holds: Callable[[], bool],
) -> bool:
    """Send it, slowly as long as the fault ``holds``; whether the connection can be used again."""
    first, end = answer.part or answer.whole
    end = max(first, end - (fault.short if fault else 0))
    lines = [f"HTTP/1.1 {answer.status} Whatever"]
    if not {"Content-Length", "Transfer-Encoding"} & answer.headers.keys():
        lines.append(f"Content-Length: {end - first}")
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    top = ("\r\n".join(lines) + "\r\n\r\n").encode()
    cut_at = fault.cut_in_head if fault else None
    while fault and fault.head_bytes_per_s and top:
        writer.write(top[:1])
        top = top[1:]
        await asyncio.sleep(1 / fault.head_bytes_per_s)
    writer.write(top[:cut_at])
    await writer.drain()
    if cut_at is not None:
        return False
    if head or answer.status == 304:
        return True
    if fault is None and isinstance(answer.body, Path):
        await _send_file(writer, answer.body, first, end, sent)
        return True
    return await _send_pieces(writer, answer.body, (first, end), fault, sent=sent, holds=holds)


async def _send_file(
    writer: asyncio.StreamWriter, path: Path, first: int, end: int, sent: Callable[[int], None]
) -> None:
    with path.open("rb") as file:
        while first < end:
            count = min(16 * _CHUNK, end - first)
            await asyncio.get_running_loop().sendfile(writer.transport, file, first, count)
            first += count
            sent(count)


async def _send_pieces(
    writer: asyncio.StreamWriter,
    body: bytes | Path,
    part: tuple[int, int],
    fault: Fault | None,
    *,
    sent: Callable[[int], None],
    holds: Callable[[], bool],
) -> bool:
    first, end = part
    content = body[first:end] if isinstance(body, bytes) else _read(body, first, end)
    if fault is not None and fault.corrupt and content:
        middle = len(content) // 2
        content = content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]
    limits = [limit for limit in (fault.cut_after, fault.stall_after) if limit is not None] if fault else []
    ends_at = min(limits, default=len(content))
    step = min(_CHUNK, max(fault.bytes_per_s // 20, 1)) if fault and fault.bytes_per_s else _CHUNK
    for at in range(0, min(ends_at, len(content)), step):
        piece = content[at : min(at + step, ends_at)]
        writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if fault and fault.chunked else piece)
        await writer.drain()
        sent(len(piece))
        if fault is not None and fault.bytes_per_s and holds():
            await asyncio.sleep(len(piece) / fault.bytes_per_s)
    if fault is None or ends_at >= len(content):
        if fault is not None and fault.chunked:
            writer.write(b"0\r\n\r\n")
        return True
    if fault.stall_after is not None and fault.stall_after == ends_at:
        await asyncio.Event().wait()
    return False


def _read(path: Path, first: int, end: int) -> bytes:
    with path.open("rb") as file:
        file.seek(first)
        return file.read(end - first)
