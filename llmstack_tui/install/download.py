"""The download of one large file: continued where an earlier one ended, and checked at the end."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager, suppress
from hashlib import sha256
from typing import IO, TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from llmstack_tui import __version__
from llmstack_tui.base.address import is_loopback
from llmstack_tui.base.connections import announced_length, connection_error, is_packed, pieces
from llmstack_tui.base.sentences import said
from llmstack_tui.hardware.system import read_disk
from llmstack_tui.install.types import InstallFailed
from llmstack_tui.registry.redirects import why_not_followed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from hashlib import _Hash
    from pathlib import Path

    from llmstack_tui.install.types import Asset

_PIECE = 2**20
_MAX_REDIRECTS = 10
# The largest release of 2026 has 2 GiB, which is GitHub's limit.
_MOST_BYTES = 8 * 2**30
TRIES = 5
_RESERVE = 64 * 2**20


class _Broken(InstallFailed):
    """It broke off, and may go on at the next try."""


async def download(
    asset: Asset,
    file: Path,
    tell: Callable[[int, int | None], None],
    *,
    silence_s: float = 30.0,
    wait_s: float = 1.0,
) -> None:
    """Download ``asset`` into ``file``. Until it is whole and checked it is called ``….part``.

    If it is cancelled or fails, the part stays for the next time, unless its checksum was wrong.

    Args:
        tell: called with the bytes so far, and of all if they are known.
        silence_s: seconds without a byte after which the connection is given up.
        wait_s: seconds before the second try; doubled for each further one.

    Raises:
        InstallFailed: it failed, in vain at each try.
        OSError: the file cannot be written.
    """
    if await asyncio.to_thread(_is_whole, file, asset.sha256):
        return
    part = file.with_name(f"{file.name}.part")
    await asyncio.to_thread(part.parent.mkdir, parents=True, exist_ok=True)
    for count in range(TRIES):
        before = await asyncio.to_thread(_size, part)
        try:
            found = await _fetch(asset, part, tell, silence_s)
        except _Broken as error:
            if count == TRIES - 1:
                raise InstallFailed("install.broke_off", name=asset.name, why=said(error)) from None
            if await asyncio.to_thread(_size, part) <= before:
                await asyncio.sleep(wait_s * 2.0**count)
        else:
            if asset.sha256 and found != asset.sha256:
                part.unlink(missing_ok=True)
                host = urlsplit(asset.url).netloc
                raise InstallFailed("install.wrong_checksum", name=asset.name, host=host)
            await asyncio.to_thread(part.replace, file)
            return


async def _fetch(asset: Asset, part: Path, tell: Callable[[int, int | None], None], silence_s: float) -> str:
    """Bring the rest of the file; returns the sha256 of all."""
    with part.open("ab") as target:
        hashed = await asyncio.to_thread(_hashed, part)
        at = await asyncio.to_thread(_size, part)
        if asset.size is not None and at >= asset.size:
            return hashed.hexdigest()  # A wrong one is found by its checksum.
        async with _answer(asset.url, at, silence_s) as response:
            if response.status_code != httpx.codes.PARTIAL_CONTENT and at:
                target.truncate(0)
                hashed, at = sha256(), 0
            total = _total(response, at)
            _check_room(part, (total or 0) - at)
            pending = bytearray()
            tell(at, total)
            try:
                async for piece in pieces(response):
                    pending += piece
                    if len(pending) >= _PIECE:
                        at = await asyncio.to_thread(_keep, target, hashed, bytes(pending), at)
                        pending.clear()
                        tell(at, total)
                    if at > _MOST_BYTES:
                        raise InstallFailed("install.too_long", host=urlsplit(asset.url).netloc)
            finally:
                # Also of what broke off: the next try goes on there.
                at = _keep(target, hashed, bytes(pending), at)
            tell(at, total)
            if total is not None and at < total:
                raise _Broken("install.cut")
    return hashed.hexdigest()


@asynccontextmanager
async def _answer(url: str, at: int, silence_s: float) -> AsyncIterator[httpx.Response]:
    """The answer, redirects followed as those of registries are. Raises InstallFailed."""
    headers = {"User-Agent": f"llmstack/{__version__} ({os.name})", "Accept-Encoding": "identity"}
    headers |= {"Range": f"bytes={at}-"} if at else {}
    host, outside = urlsplit(url).netloc, not is_loopback(url)
    context = await asyncio.to_thread(httpx.create_ssl_context) if outside else False
    try:
        async with httpx.AsyncClient(
            headers=headers, verify=context, trust_env=outside, timeout=httpx.Timeout(silence_s, connect=15.0)
        ) as client:
            request = client.build_request("GET", url)
            for _ in range(_MAX_REDIRECTS):
                response = await client.send(request, stream=True)
                try:
                    following = response.next_request
                    if following is None:
                        _check(response, host)
                        yield response
                        return
                finally:
                    await response.aclose()
                if kind := await why_not_followed(str(request.url), str(following.url)):
                    raise InstallFailed(kind, host=host, target=following.url.host)
                request = following
            raise InstallFailed("registry.endless_redirects", host=host)
    except httpx.ConnectError as error:
        raise _Broken("registry.unreachable", host=host, why=connection_error(error)) from None
    except httpx.TimeoutException:
        raise _Broken("registry.silent", seconds=silence_s) from None
    except (httpx.RemoteProtocolError, httpx.ReadError):
        raise _Broken("install.cut") from None
    except httpx.HTTPError as error:
        raise _Broken(
            "registry.broke", host=host, why=str(error).rstrip(".") or type(error).__name__
        ) from None
    except (httpx.InvalidURL, ValueError):
        raise InstallFailed("registry.bad_address", host=host) from None


def _check(response: httpx.Response, host: str) -> None:
    status = response.status_code
    if status in {408, 425, 429} or status >= 500:
        raise _Broken("install.status", host=host, status=status)
    if status == 404:
        raise InstallFailed("install.no_release", host=host)
    if status not in {200, 206}:
        raise InstallFailed("install.status", host=host, status=status)
    if response.headers.get("content-type", "").startswith("text/html") or is_packed(response.headers):
        raise InstallFailed("install.web_page", host=host)


def _total(response: httpx.Response, at: int) -> int | None:
    length = announced_length(response.headers)
    return None if length is None else at + length


def _check_room(part: Path, needed: int) -> None:
    space = read_disk(part)
    if space is not None and space.total - space.used < needed + _RESERVE and needed > 0:
        raise InstallFailed(
            "install.too_little_disk",
            needed=needed + _RESERVE,
            free=space.total - space.used,
            folder=str(part.parent),
        )


def _keep(target: IO[bytes], hashed: _Hash, data: bytes, at: int) -> int:
    target.write(data)
    target.flush()
    hashed.update(data)
    return at + len(data)


def _hashed(file: Path) -> _Hash:
    found = sha256()
    with suppress(FileNotFoundError), file.open("rb") as opened:
        while data := opened.read(_PIECE):
            found.update(data)
    return found


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def _is_whole(file: Path, digest: str) -> bool:
    return bool(digest) and file.is_file() and _hashed(file).hexdigest() == digest
