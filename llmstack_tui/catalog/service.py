"""The catalog in the package, and questions to registries about a model."""

from __future__ import annotations

import asyncio
from importlib import resources
from typing import TYPE_CHECKING

import msgspec

from llmstack_tui.base import lazy
from llmstack_tui.base.names import ModelName
from llmstack_tui.catalog.types import Catalog, Entry, Offer

if TYPE_CHECKING:
    from collections.abc import Callable

    from llmstack_tui.catalog.online import Hub
    from llmstack_tui.catalog.types import Repositories
    from llmstack_tui.registry.client import Registry


def load_catalog() -> Catalog:
    """Read the catalog. Takes some 30 ms, so do it when it is needed, and not on an event loop."""
    content = resources.files("llmstack_tui").joinpath("data", "catalog.toml").read_bytes()
    return msgspec.toml.decode(content, type=Catalog)


class CatalogService:
    """Reads the catalog and asks registries on demand.

    Args:
        load: reads the catalog. Blocking.
        online_url: where the search for GGUF files asks.
    """

    def __init__(self, load: Callable[[], Catalog] | None = None, *, online_url: str | None = None) -> None:
        self._load = load
        self._online_url = online_url
        self._hub: Hub | None = None
        self._catalog: Catalog | None = None
        self._registry: Registry | None = None

    async def catalog(self) -> Catalog:
        if self._catalog is None:
            self._catalog = await asyncio.to_thread(self._load or load_catalog)
        return self._catalog

    async def tags(self, name: str) -> tuple[str, ...] | None:
        """The tags of a model; None where its registry lists none.

        Raises:
            RegistryError: the registry does not answer, or not as a registry should.
        """
        return await (await self._opened()).tags(ModelName.parse(name))

    async def offer(self, name: str) -> Offer:
        """What a pull of this name would fetch.

        Raises:
            RegistryError: as for `tags`, or there is no such model.
        """
        registry, asked = await self._opened(), ModelName.parse(name)
        from llmstack_tui.registry.errors import NotInRegistry  # noqa: PLC0415

        try:
            # Only the answer to HEAD has the time of the push.
            head, fetched = await asyncio.gather(registry.head(asked), registry.manifest(asked))
        except NotInRegistry as error:
            raise NotInRegistry("registry.tag_gone", host=error.host, model=name) from None
        assert fetched is not None  # noqa: S101  # It is None only for a request with an ETag.
        manifest = fetched.manifest
        # A layer that is listed twice is fetched once.
        sizes = {layer.digest: layer.size for layer in manifest.blobs}
        return Offer(
            name=name,
            digest=manifest.digest,
            download=sum(sizes.values()),
            pushed_at=manifest.pushed_at or head.pushed_at,
        )

    async def search(self, words: str) -> Repositories:
        """Repositories of GGUF files on Hugging Face; see `Hub.search`."""
        return await (await self._opened_hub()).search(words)

    async def repository(self, id_: str) -> Entry:
        """The GGUF files of one of them; see `Hub.entry`."""
        return await (await self._opened_hub()).entry(id_)

    async def aclose(self) -> None:
        registry, self._registry, self._hub = self._registry, None, None
        if registry is not None:
            await registry.aclose()

    async def _opened_hub(self) -> Hub:
        registry = await self._opened()
        from llmstack_tui.catalog.online import HUB, Hub  # noqa: PLC0415

        if self._hub is None:
            self._hub = Hub(registry, self._online_url or HUB)
        return self._hub

    async def _opened(self) -> Registry:
        await lazy.load(".registry.client")
        from llmstack_tui.registry.client import Registry  # noqa: PLC0415

        if self._registry is None:
            self._registry = Registry()
        return self._registry
