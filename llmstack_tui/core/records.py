"""What is on record: events, loads, memory, and what the screen remembers."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from llmstack_tui.store.session import StoreSession
    from llmstack_tui.store.tables.activations import Activation, Uses
    from llmstack_tui.store.tables.events import Event
    from llmstack_tui.store.tables.figures import Measured
    from llmstack_tui.store.tables.models import SeenModel

T = TypeVar("T")


class Records:
    """Reading raises `StoreError` when the state cannot be read."""

    def __init__(self, session: StoreSession) -> None:
        self._session = session

    async def events(
        self,
        limit: int = 100,
        *,
        before: int | None = None,
        after: int = 0,
        kinds: Collection[str] | None = None,
        host: str | None = None,
        model: str | None = None,
    ) -> tuple[Event, ...]:
        """What happened, the newest first.

        ``before`` is the id of the last one of the page before, ``after`` that of the newest one known.
        """
        store = await self._session.store()
        return await store.events.newest(
            limit, before=before, after=after, kinds=kinds, host=host, model=model
        )

    async def activations(
        self, host_url: str, model: str, limit: int = 100, *, before: int | None = None
    ) -> tuple[Activation, ...]:
        """Each time that a model was loaded, the newest first."""
        store = await self._session.store()
        return await store.activations.history(host_url, model, limit, before=before)

    async def uses(self, host_url: str) -> Mapping[str, Uses]:
        """How often each model of a host was loaded, and when last."""
        return await (await self._session.store()).activations.uses(host_url)

    async def measured(self, host_url: str, digest: str, limit: int = 100) -> tuple[Measured, ...]:
        """What memory a version of a model took at each load, the newest first."""
        return await (await self._session.store()).measured.history(host_url, digest, limit)

    async def versions(self, host_url: str, model: str) -> tuple[SeenModel, ...]:
        """The versions of a model that were seen installed, the newest seen first."""
        return await (await self._session.store()).models.versions(host_url, model)

    def remember(self, key: str, value: object) -> None:
        """Keep a value that JSON can say, for another session."""
        self._session.write(lambda store: store.screen.remember(key, value))

    async def recall(self, key: str, default: T, kind: type[T]) -> T:
        """What was remembered last; ``default`` where there is nothing, or nothing of this kind."""
        store = await self._session.store()
        return await store.screen.recall(key, default, kind)
