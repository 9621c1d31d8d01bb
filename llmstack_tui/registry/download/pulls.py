"""What an engine needs to pull models, made when the first one is pulled."""

from __future__ import annotations

from contextlib import aclosing
from functools import cached_property
from typing import TYPE_CHECKING

from llmstack_tui.base.structs import replace
from llmstack_tui.registry.download.shared import Downloads

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from llmstack_tui.base.names import ModelName
    from llmstack_tui.library.library import Library
    from llmstack_tui.registry.client import Registry
    from llmstack_tui.registry.download.blob import Habits
    from llmstack_tui.registry.download.pull import Step


class Pulls:
    """Belongs to one event loop."""

    def __init__(self, library: Library, habits: Habits) -> None:
        self._library = library
        self._habits = habits

    async def close(self) -> None:
        """End all pulls; what came is kept."""
        if "_downloads" in vars(self):
            await self._downloads.close()
        if "_registry" in vars(self):
            await self._registry.aclose()

    async def pull(self, name: ModelName, *, insecure: bool) -> AsyncGenerator[Step, None]:
        """Have the model; without ``insecure`` with TLS, except from this machine.

        Raises:
            PullFailed: with one sentence.
        """
        from llmstack_tui.registry.download.pull import pull  # noqa: PLC0415 (brings the registry's client)

        if not insecure:
            name = replace(name, scheme="https")
        async with aclosing(pull(name, self._library, self._registry, self._downloads)) as steps:
            async for step in steps:
                yield step

    async def discard(self, digest: str) -> None:
        """Throw away what is there of a blob that is not whole. Raises `PullFailed`."""
        await self._downloads.discard(digest)

    @cached_property
    def _downloads(self) -> Downloads:
        return Downloads(self._library.own, self._habits)

    @cached_property
    def _registry(self) -> Registry:
        from llmstack_tui.registry.client import Registry  # noqa: PLC0415

        return Registry()
