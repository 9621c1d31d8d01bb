"""What registries say of a model that is not here."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.catalog.service import CatalogService
from llmstack_tui.core.wording import words
from llmstack_tui.registry.errors import NotInRegistry, RegistryError
from tests.support.registry import Fault, serving
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path


async def test_tags_and_sizes(tiny_model: Path) -> None:
    with serving() as registry:
        registry.publish("library/tiny:a", tiny_model)
        version = registry.publish("library/tiny:b", tiny_model, system="Be brief.")
        browsing = CatalogService()
        try:
            assert await browsing.tags(registry.listed("library/tiny:a")) == ("a", "b")
            offer = await browsing.offer(registry.listed("library/tiny:b"))
            assert (offer.digest, offer.download) == (version.digest, version.size)
            assert offer.pushed_at is not None
            with pytest.raises(NotInRegistry) as caught:
                await browsing.offer(registry.listed("library/tiny:none"))
            assert words(caught.value).endswith("tiny:none: its tag may be gone, so choose another one.")
            registry.lists_tags = False
            assert await browsing.tags(registry.listed("library/tiny:a")) is None
            registry.faults.append(Fault(status=500))
            with pytest.raises(RegistryError):
                await browsing.tags(registry.listed("library/tiny:a"))
        finally:
            await browsing.aclose()


async def test_somebody_who_does_not_want_to_know_any_more_waits_no_longer(tiny_model: Path) -> None:
    with serving() as registry:
        registry.publish("library/tiny", tiny_model)
        registry.delay_s = 60
        browsing = CatalogService()
        asking = asyncio.create_task(browsing.tags(registry.listed("library/tiny")))
        await wait_until(lambda: registry.asked)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await browsing.aclose()


async def test_the_catalogue_is_read_once() -> None:
    browsing = CatalogService()
    catalog = await browsing.catalog()
    assert catalog.entries
    assert await browsing.catalog() is catalog
    await browsing.aclose()
