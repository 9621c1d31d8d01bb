"""What a registry can do wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is different about the answers to requests whose path contains ``path``; unset is as it should be.

    Attributes:
        path: a part of the path: ``library/tiny/manifests``, ``/blobs/``, a digest, or nothing for all.
        times: for how many requests it holds.
        host: only for requests to this host name, such as ``localhost`` for where the blobs are.
        method: only for requests of this method.
        status, headers, body, content_type: of the answer instead of what is there.
        cut_after: bytes of the body after which the connection is cut.
        stall_after: bytes of the body after which nothing more comes, until the registry is closed.
        bytes_per_s: how fast the body comes at most, until the fault is taken back.
        head_bytes_per_s: how fast the status line and the headers come.
        short: bytes that the body has too few, by its own Content-Length.
        corrupt: one byte of the body is another.
        no_ranges: a Range is not heeded: the whole body comes.
        total: what a Content-Range says instead of the size of the whole: ``*``, or anything.
        packed: the body is compressed with gzip, and says so.
        chunked: the body comes in chunks, and its length is not said.
        cut_in_head: bytes of the status line and the headers after which the connection is cut.
        delay_s: seconds before the answer, besides those of the registry.
    """

    path: str = ""
    times: int | None = None
    host: str | None = None
    method: str | None = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    content_type: str | None = None
    cut_after: int | None = None
    stall_after: int | None = None
    bytes_per_s: int | None = None
    head_bytes_per_s: int | None = None
    short: int = 0
    corrupt: bool = False
    no_ranges: bool = False
    total: str | None = None
    packed: bool = False
    chunked: bool = False
    cut_in_head: int | None = None
    delay_s: float = 0.0


def html(path: str = "", status: int = 200) -> Fault:
    """The page of a proxy or of a hotel, where JSON was asked for."""
    return Fault(
        path=path, status=status, body=b"<!DOCTYPE html><html>Please sign in</html>", content_type="text/html"
    )


def busy(path: str = "", *, times: int | None = None, retry_after: str = "0") -> Fault:
    """429, with the time after which to ask again: seconds, or an HTTP date."""
    return Fault(path=path, times=times, status=429, headers={"Retry-After": retry_after}, body=b"")
