"""The client of model registries: the digest, the manifest and the tags of a model.

The host in a model's name is its registry: Ollama's by default, or another one, such as hf.co. Registries
speak the protocol of OCI's distribution specification; Ollama's adds ``ollama-content-digest`` and
``ollama-push-time`` to the answer to a HEAD.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from llmstack_tui import __version__
from llmstack_tui.base.durations import time_at
from llmstack_tui.base.names import ModelName, is_plain_http
from llmstack_tui.base.sentences import said
from llmstack_tui.library.manifest import (
    MAX_TEXT_BYTES,
    InvalidManifest,
    Manifest,
    MediaType,
    parse_manifest,
)
from llmstack_tui.registry.answers import check, next_query
from llmstack_tui.registry.errors import BadManifest, BadRegistryAnswer, RegistryFailed
from llmstack_tui.registry.http import AT_ONCE, HttpTimeouts, HttpTransport, Reply
from llmstack_tui.registry.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


_ACCEPT = f"{MediaType.MANIFEST}, application/vnd.oci.image.manifest.v1+json"
_MAX_TAGS, _MAX_TAG_PAGES = 10_000, 20
_MAX_TAGS_BYTES, _LONGEST_TAG = 2**20, 128  # as OCI limits it


class Head(Struct, frozen=True, kw_only=True):
    """The version of a tag, without its manifest. None: the registry does not say.

    Attributes:
        digest: hexadecimal, without a prefix.
    """

    digest: str | None
    pushed_at: datetime | None = None


class FetchedManifest(Struct, frozen=True):
    """A manifest, its bytes, and the ETag with which to ask whether it has changed."""

    manifest: Manifest
    content: bytes
    etag: str | None = None


class _TagList(msgspec.Struct):
    tags: list[object] | None = None


class Registry:
    """A client of all registries, with at most ``at_once`` requests at a time.

    Every call raises `RegistryError` and nothing else. Proxies and certificates come from the environment;
    addresses of this machine are asked without either. Must be used from one event loop.
    """

    def __init__(
        self, *, user_agent: str | None = None, timeouts: HttpTimeouts | None = None, at_once: int = AT_ONCE
    ) -> None:
        agent = user_agent or f"llmstack/{__version__} ({os.name})"
        self._http = HttpTransport(user_agent=agent, timeouts=timeouts or HttpTimeouts(), at_once=at_once)
        self._tokens = Tokens(self._http)

    async def aclose(self) -> None:
        await self._http.aclose()

    async def head(self, name: ModelName) -> Head:
        """The version that the tag points to now. Ollama's own check for updates asks the same way."""
        try:
            reply = await self._manifest(name, "HEAD", {})
        except RegistryFailed as error:
            if error.status in (405, 501):  # This registry has no HEAD: call `manifest`.
                return Head(digest=None)
            raise
        return Head(digest=_stated_digest(reply), pushed_at=_pushed_at(reply))

    async def manifest(self, name: ModelName, *, etag: str | None = None) -> FetchedManifest | None:
        """The manifest; None if it still has this ``etag``."""
        reply = await self._manifest(name, "GET", {"If-None-Match": etag} if etag else {})
        if reply.status == 304:
            return None
        about = {"host": name.host, "model": str(name)}
        try:
            manifest = parse_manifest(reply.content, pushed_at=_pushed_at(reply))
        except InvalidManifest as error:
            raise BadManifest("registry.not_manifest", **about, why=said(error)) from None
        if not manifest.layers:
            raise BadManifest("registry.no_layers", **about)
        if _stated_digest(reply) not in (None, manifest.digest):
            raise BadManifest("registry.damaged_manifest", **about)
        return FetchedManifest(manifest, reply.content, reply.headers.get("etag") or None)

    async def tags(self, name: ModelName) -> tuple[str, ...] | None:
        """All tags of the model, in the registry's order; None if the registry lists no tags.

        Plain registries do. Ollama's answers 404, as it does for a model that it does not have.
        """
        found: list[str] = []
        query = ""
        for _ in range(_MAX_TAG_PAGES):
            reply = await self._ask(
                name,
                f"tags/list{query}",
                headers={"Accept": "application/json"},
                max_bytes=_MAX_TAGS_BYTES,
            )
            if reply.status in (404, 405, 501):
                return None
            check(reply, host=name.host, model=str(name))
            try:
                tags = msgspec.json.decode(reply.content, type=_TagList).tags or []
            except (ValueError, RecursionError):
                raise BadRegistryAnswer("registry.bad_tags", host=name.host, model=str(name)) from None
            found += [tag for tag in tags if isinstance(tag, str) and len(tag) <= _LONGEST_TAG]
            query = next_query(reply, "n", "last")
            if not query or len(found) >= _MAX_TAGS:
                break
        return tuple(dict.fromkeys(found))[:_MAX_TAGS]

    async def ask(self, url: str, *, host: str, max_bytes: int) -> Reply:
        """GET a JSON document at any address, whatever its status. Errors name ``host``."""
        return await self._http.ask(
            url, host=host, headers={"Accept": "application/json"}, max_bytes=max_bytes
        )

    @staticmethod
    def blobs_url(name: ModelName) -> str:
        """The URL of the model's blobs, to which ``/<digest>`` is added."""
        return f"{model_url(name)}/blobs"

    def known_token(self, name: ModelName) -> str | None:
        """The token for reading the model, if there is one that has not expired."""
        return self._tokens.known(model_url(name))

    async def new_token(self, name: ModelName, header: str) -> str | None:
        """Get the token that the ``WWW-Authenticate`` header of a 401 asks for; None if it asks for none."""
        return await self._tokens.fetch(model_url(name), header, host=name.host, name=str(name))

    async def _ask(
        self, name: ModelName, path: str, *, headers: Mapping[str, str], max_bytes: int, method: str = "GET"
    ) -> Reply:
        """Ask the model's registry, with a token if it wants one."""

        async def ask(token: str | None) -> Reply:
            return await self._http.ask(
                f"{model_url(name)}/{path}",
                method=method,
                host=name.host,
                headers={**headers, "Authorization": f"Bearer {token}"} if token else headers,
                max_bytes=max_bytes,
            )

        reply = await ask(self.known_token(name))
        if reply.status == 401:
            token = await self.new_token(name, reply.headers.get("www-authenticate", ""))
            if token is not None:
                reply = await ask(token)
        return reply

    async def _manifest(self, name: ModelName, method: str, headers: dict[str, str]) -> Reply:
        reply = await self._ask(
            name,
            f"manifests/{name.tag}",
            method=method,
            headers={"Accept": _ACCEPT, **headers},
            max_bytes=MAX_TEXT_BYTES,
        )
        if reply.status == 304 and "If-None-Match" in headers:
            return reply
        check(reply, host=name.host, model=str(name))
        if reply.truncated:
            raise BadManifest("registry.large_manifest", host=name.host, model=str(name), most=MAX_TEXT_BYTES)
        return reply


def base_url(name: ModelName) -> str:
    """The URL of the registry of a name."""
    return f"{'http' if is_plain_http(name) else 'https'}://{name.host}"


def model_url(name: ModelName) -> str:
    """The URL of the model at its registry."""
    return f"{base_url(name)}/v2/{name.namespace}/{name.model}"


def _stated_digest(reply: Reply) -> str | None:
    stated = reply.headers.get("ollama-content-digest") or reply.headers.get("docker-content-digest") or ""
    digest = stated.strip().strip('"').removeprefix("sha256:").lower()
    return digest if len(digest) == 64 and all(char in "0123456789abcdef" for char in digest) else None


def _pushed_at(reply: Reply) -> datetime | None:
    try:
        return time_at(int(reply.headers.get("ollama-push-time", "")))
    except ValueError:
        return None
