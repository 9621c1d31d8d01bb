"""The stored records: events, loads, memory, versions, and the screen's own values."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from llmstack_tui.base.address import is_loopback
from llmstack_tui.base.names import model_key
from llmstack_tui.hosts.types import Model
from llmstack_tui.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from llmstack_tui.hosts.types import Snapshot
    from llmstack_tui.store.session import StoreSession
    from llmstack_tui.store.tables.activations import Activation, Uses
    from llmstack_tui.store.tables.events import Event
    from llmstack_tui.store.tables.figures import Measured
    from llmstack_tui.store.tables.models import SeenModel

T = TypeVar("T")


class Records:
    """Reading raises `StoreError` if the state file cannot be read; only `recall` does not."""

    def __init__(self, session: StoreSession) -> None:
        self._session = session

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever stored. Reading would only create the file."""
        return self._session.is_empty

    async def open(self) -> None:
        """Open the store, so that records are written at once and other programs see them."""
        with suppress(StoreError):  # A notice reports it.
            await self._session.store()

    async def kept(self) -> None:
        """Return when all that was recorded before is in the state file; else raise why it is not."""
        await self._session.kept()

    async def readable(self) -> None:
        """Return if what earlier sessions recorded can be read; else raise why it cannot."""
        if (unread := (await self._session.store()).database.unread) is not None:
            raise unread

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
        """Events, the newest first.

        Args:
            before: the id of the last event of the previous page.
            after: the id of the newest event that is known.
        """
        store = await self._session.store()
        return await store.events.newest(
            limit, before=before, after=after, kinds=kinds, host=host, model=model
        )

    async def activations(
        self, host_url: str, model: str, limit: int = 100, *, before: int | None = None
    ) -> tuple[Activation, ...]:
        """The loads of a model, the newest first."""
        store = await self._session.store()
        return await store.activations.history(host_url, model, limit, before=before)

    async def loaded(self, host_url: str) -> tuple[Activation, ...]:
        """The recorded loads of the models that are in memory."""
        return await (await self._session.store()).activations.active(host_url)

    async def pins(self, host_url: str) -> frozenset[str]:
        """The keys (`model_key`) of the pinned models."""
        preferences = await (await self._session.store()).preferences.of(host_url)
        return frozenset(key for key, each in preferences.items() if each.pinned)

    async def uses(self, host_url: str) -> Mapping[str, Uses]:
        """How often each model of a host was loaded, and when it was last loaded."""
        return await (await self._session.store()).activations.uses(host_url)

    async def last_used(self) -> Mapping[str, datetime]:
        """When each model was loaded last on a server of this machine, by its key (`model_key`)."""
        if self.is_empty:
            return {}
        found: dict[str, datetime] = {}
        for each in await (await self._session.store()).activations.last_loads():
            if is_loopback(each.host):
                key = model_key(each.model)
                found[key] = max(each.at, found.get(key, each.at))
        return found

    async def measured(self, host_url: str, digest: str, limit: int = 100) -> tuple[Measured, ...]:
        """The memory that a version of a model took at each load, the newest first."""
        return await (await self._session.store()).measured.history(host_url, digest, limit)

    async def versions(self, host_url: str, model: str | None = None) -> tuple[SeenModel, ...]:
        """The versions that were seen installed, last seen first; without ``model``, of all models."""
        return await (await self._session.store()).models.versions(host_url, model)

    async def installed(self, host_url: str) -> tuple[Model, ...]:
        """The models that a host listed last, in this or an earlier session."""
        listed = await (await self._session.store()).installed.load(host_url, Model)
        return () if listed is None else tuple(listed.models)

    async def save(self, snapshots: Iterable[Snapshot]) -> None:
        """Record which versions hosts have installed now; `Stack.follow` does so by itself."""
        from llmstack_tui.lifecycle.recall import save  # noqa: PLC0415

        with suppress(StoreError):  # A notice reports it.
            store = await self._session.store()
            for snapshot in snapshots:
                await save(store, snapshot)

    def remember(self, key: str, value: object) -> None:
        """Store a value that JSON can represent, for later sessions."""
        self._session.write(lambda store: store.screen.remember(key, value))

    async def recall(self, key: str, default: T, kind: type[T]) -> T:
        """The value stored last; ``default`` if there is none of type ``kind``, or none can be read."""
        with suppress(StoreError):  # A notice reports it.
            store = await self._session.store()
            return await store.screen.recall(key, default, kind)
        return default
