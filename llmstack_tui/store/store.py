"""The store: everything that is remembered, by subject."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Self

from llmstack_tui.store.tables.activations import Activations
from llmstack_tui.store.tables.events import Events
from llmstack_tui.store.tables.figures import MeasuredLoads, Speeds
from llmstack_tui.store.tables.models import InstalledLists, Models
from llmstack_tui.store.tables.preferences import ModelPreferences, Screen
from llmstack_tui.store.tables.updates import Updates

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from llmstack_tui.base.sentences import Failure, Sentence
    from llmstack_tui.store.database.connection import Database
    from llmstack_tui.store.errors import StoreError
    from llmstack_tui.store.tables.downloads import DownloadRecords

_MOST_NOTICES = 100


class Store:
    """The open state file: ``async with await Store.open(path) as store``.

    Several programs may have the same file open, each with a store of its own. A write never waits and never
    fails: it happens half a second later (`Database`), at the latest when the store is closed. If it cannot
    be written, `notices` says so. A read sees all earlier writes of this store, and may raise `StoreError`.

    Attributes:
        database: the connection and the queue of writes that all tables share. Its mode says where writes go:
            to the file, nowhere (a newer version wrote the file) or to memory (the file cannot be used).
        tell: give the user a notice.
    """

    def __init__(
        self, database: Database, notices: deque[Sentence], tell: Callable[[Sentence], None]
    ) -> None:
        self.database = database
        self.tell = tell
        self._notices = notices
        self.models = Models(database)
        self.installed = InstalledLists(database)
        self.activations = Activations(database)
        self.measured = MeasuredLoads(database)
        self.speeds = Speeds(database)
        self.events = Events(database)
        self.updates = Updates(database)
        self.preferences = ModelPreferences(database)
        self.screen = Screen(database)

    @cached_property  # Few commands need it.
    def downloads(self) -> DownloadRecords:
        from llmstack_tui.store.tables.downloads import DownloadRecords  # noqa: PLC0415

        return DownloadRecords(self.database)

    @classmethod
    async def open(
        cls,
        path: Path | Failure | None,
        *,
        on_notice: Callable[[Sentence], None] = lambda _: None,
        now: datetime | None = None,
    ) -> Self:
        """Open or create the file. Whatever is wrong with it becomes a notice, not an exception.

        Args:
            path: why there can be no file, or None, for a store in memory.
            on_notice: called with each notice, now and later.
            now: the time from which the age of rows is reckoned; None for the clock's.
        """
        # Importing SQLite takes 6 ms, and commands without a state do not need it.
        from llmstack_tui.store.database.connection import Database  # noqa: PLC0415

        notices: deque[Sentence] = deque(maxlen=_MOST_NOTICES)

        def tell(notice: Sentence) -> None:
            notices.append(notice)
            on_notice(notice)

        def trouble(error: StoreError) -> None:
            tell(error.sentence)

        database = await Database.open(path, now or datetime.now(UTC), trouble)
        if database.notice:
            tell(database.notice)
        return cls(database, notices, tell)

    @property
    def is_read_only(self) -> bool:
        """Whether a newer version wrote the file, so that all writes are dropped."""
        return self.database.mode == "read only"  # Importing `Mode` would import SQLite.

    @property
    def is_shared(self) -> bool:
        """Whether other programs see what is written here, and this one sees what they write."""
        return self.database.mode == "file"

    @property
    def notices(self) -> tuple[Sentence, ...]:
        """The latest notices about the file, oldest first."""
        return tuple(self._notices)

    async def flush(self) -> None:
        """Return when all writes are done: in the file, or in what stands for it.

        Raises:
            StoreError: when that is not possible now; it is tried again later.
        """
        await self.database.flush()

    async def kept(self) -> None:
        """Return when all writes are in the file.

        Raises:
            StoreError: why they are not; maybe they never will be.
        """
        if self.database.unkept is not None:
            raise self.database.unkept
        await self.database.flush()

    async def close(self) -> None:
        """Write what is pending and close the connection. Raises nothing; a loss is in `notices`."""
        await self.database.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
