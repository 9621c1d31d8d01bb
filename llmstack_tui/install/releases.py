"""Asks which versions of Ollama there are, and for the files of one. Downloads no more than a few pages."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from llmstack_tui import __version__
from llmstack_tui.base.connections import announced_length
from llmstack_tui.base.structs import replace
from llmstack_tui.install.rules.releases import SUMS, assets, checksums, newest_first, script, version_of
from llmstack_tui.install.types import InstallFailed, OllamaRelease
from llmstack_tui.registry.http import HttpTimeouts, HttpTransport

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from llmstack_tui.config.settings import InstallSettings
    from llmstack_tui.install.types import Asset, ThisMachine

OFFICIAL_SCRIPT = "https://ollama.com/install.sh"
_MOST_BYTES = 16 * 2**20
_LONGEST_SCRIPT = 512 * 2**10


class _PublishedVersion(msgspec.Struct):
    """A release as GitHub tells it."""

    tag_name: str = ""
    draft: bool = False
    prerelease: bool = False


class Releases:
    """The releases at the addresses of the settings. Raises `InstallFailed` and `RegistryError`."""

    def __init__(self, settings: InstallSettings, http: HttpTransport) -> None:
        self._settings = settings
        self._http = http

    async def known(self) -> tuple[str, ...]:
        """The numbers of the published versions, the newest first."""
        url = self._settings.versions_url
        content = await self._content(url, _MOST_BYTES, Accept="application/json")
        try:
            found = msgspec.json.decode(content, type=list[_PublishedVersion])
        except msgspec.MsgspecError:
            raise InstallFailed("install.no_versions", host=urlsplit(url).netloc) from None
        final = (each.tag_name for each in found if not each.draft and not each.prerelease)
        versions = newest_first(filter(None, map(version_of, final)))
        if not versions:
            raise InstallFailed("install.no_versions", host=urlsplit(url).netloc)
        return versions

    async def release(self, version: str, machine: ThisMachine) -> OllamaRelease:
        """The files of a version that this machine needs, and the script if it may run that."""
        address = f"{self._settings.archive_url.rstrip('/')}/v{version}"
        sums = checksums((await self._content(f"{address}/{SUMS}", _LONGEST_SCRIPT)).decode(errors="replace"))
        if not sums:
            raise InstallFailed("install.no_checksums", host=urlsplit(address).netloc, version=version)
        found = [await self._sized(each) for each in assets(machine, sums, address)]
        release = OllamaRelease(version=version, assets=tuple(found))
        if machine.system != "Linux" or not (machine.is_root or machine.has_sudo):
            return release
        place = script(sums, address, self._settings.script_url or "", OFFICIAL_SCRIPT)
        return replace(release, script=place, script_text=await self._script(place))

    async def _sized(self, asset: Asset) -> Asset:
        reply = await self._http.ask(
            asset.url, host=urlsplit(asset.url).netloc, headers={}, max_bytes=0, method="HEAD"
        )
        length = announced_length(reply.headers)
        return replace(asset, size=length) if reply.status == 200 and length is not None else asset

    async def _script(self, asset: Asset) -> str:
        """The text of the script. A page, or another text than the published one, is refused."""
        content = await self._content(asset.url, _LONGEST_SCRIPT)
        host = urlsplit(asset.url).netloc
        if asset.sha256 and sha256(content).hexdigest() != asset.sha256:
            raise InstallFailed("install.wrong_checksum", name=asset.name, host=host)
        if not content.startswith(b"#!"):
            raise InstallFailed("install.no_script", host=host)
        try:
            return content.decode()
        except UnicodeDecodeError:
            raise InstallFailed("install.no_script", host=host) from None

    async def _content(self, url: str, most: int, **headers: str) -> bytes:
        host = urlsplit(url).netloc
        reply = await self._http.ask(url, host=host, headers=headers, max_bytes=most)
        if reply.status == 404:
            raise InstallFailed("install.no_release", host=host)
        if reply.status != 200:
            raise InstallFailed("install.status", host=host, status=reply.status)
        if reply.truncated:
            raise InstallFailed("install.too_long", host=host)
        return reply.content


@asynccontextmanager
async def releases(settings: InstallSettings) -> AsyncIterator[Releases]:
    http = HttpTransport(user_agent=f"llmstack/{__version__} ({os.name})", timeouts=HttpTimeouts(), at_once=2)
    try:
        yield Releases(settings, http)
    finally:
        await http.aclose()
