"""What is on record: events, loads, memory, and what the screen remembers."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from llmstack_tui.hosts.types import Model
from llmstack_tui.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from llmstack_tui.hosts.types import Snapshot
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

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever remembered: to read would only make the file."""
        return self._session.is_empty

    async def open(self) -> None:
        """From now on what is done is on record at once, for other programs to see."""
        with suppress(StoreError):  # A notice tells of it.
            await self._session.store()

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

    async def loaded(self, host_url: str) -> tuple[Activation, ...]:
        """The loads of the models that are in memory, as far as they are on record."""
        return await (await self._session.store()).activations.active(host_url)

    async def pins(self, host_url: str) -> frozenset[str]:
        """The keys of the names of models that are pinned."""
        preferences = await (await self._session.store()).preferences.of(host_url)
        return frozenset(key for key, each in preferences.items() if each.pinned)

    async def uses(self, host_url: str) -> Mapping[str, Uses]:
        """How often each model of a host was loaded, and when last."""
        return await (await self._session.store()).activations.uses(host_url)

    async def measured(self, host_url: str, digest: str, limit: int = 100) -> tuple[Measured, ...]:
        """What memory a version of a model took at each load, the newest first."""
        return await (await self._session.store()).measured.history(host_url, digest, limit)

    async def versions(self, host_url: str, model: str | None = None) -> tuple[SeenModel, ...]:
        """The versions of a model that were seen installed, the newest seen first; else of all models."""
        return await (await self._session.store()).models.versions(host_url, model)

    async def installed(self, host_url: str) -> tuple[Model, ...]:
        """What a host listed last, in whichever session."""
        listed = await (await self._session.store()).installed.load(host_url, Model)
        return () if listed is None else tuple(listed.models)

    async def save(self, snapshots: Iterable[Snapshot]) -> None:
        """Put on record which versions hosts have installed now; `follow` does so by itself."""
        from llmstack_tui.lifecycle.recall import save  # noqa: PLC0415

        with suppress(StoreError):  # A notice tells of it.
            store = await self._session.store()
            for snapshot in snapshots:
                await save(store, snapshot)

    def remember(self, key: str, value: object) -> None:
        """Keep a value that JSON can say, for another session."""
        self._session.write(lambda store: store.screen.remember(key, value))

    async def recall(self, key: str, default: T, kind: type[T]) -> T:
        """What was remembered last; ``default`` where there is nothing, or nothing of this kind."""
        store = await self._session.store()
        return await store.screen.recall(key, default, kind)
