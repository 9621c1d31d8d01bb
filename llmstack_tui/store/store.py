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

    from llmstack_tui.base.sentences import Sentence
    from llmstack_tui.store.database.connection import Database
    from llmstack_tui.store.errors import StoreError
    from llmstack_tui.store.tables.downloads import DownloadRecords

_MOST_NOTICES = 100


class Store:
    """The state file, open: ``async with await Store.open(path) as store``.

    Several programs may have the same file open, each with a store of its own. Writing never waits and never
    fails: it is done half a second later (`Database`), and at the latest when the store is closed. Where it
    cannot be done, `notices` says so. Reading raises `StoreError`, and sees all that this store wrote before.

    Attributes:
        database: the connection and its queue, which every table writes to. Its mode says whether that goes
            into the file, nowhere (the file is a newer version's, of which a notice tells) or into memory
            (the file cannot be used).
    """

    def __init__(self, database: Database, notices: deque[Sentence]) -> None:
        self.database = database
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
        path: Path | None,
        *,
        on_notice: Callable[[Sentence], None] = lambda _: None,
        now: datetime | None = None,
    ) -> Self:
        """Open the file, or make it. Never fails for what is on the disk: `notices` says what is amiss.

        Args:
            path: None for a store that lives in memory only.
            on_notice: is called with each notice, also with those of later.
            now: the time by which rows are old; the clock's if it is None.
        """
        # SQLite's module costs 6 ms, which a command that remembers nothing need not pay.
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
        return cls(database, notices)

    @property
    def is_read_only(self) -> bool:
        """Whether the file is a newer version's, and nothing that is written is kept."""
        return self.database.mode == "read only"  # `Mode` would bring SQLite's module.

    @property
    def notices(self) -> tuple[Sentence, ...]:
        """What the user should know about the file, of late, oldest first."""
        return tuple(self._notices)

    async def flush(self) -> None:
        """Return when all that was written is in the file.

        Raises:
            StoreError: when that is not possible now; it is tried again later.
        """
        await self.database.flush()

    async def close(self) -> None:
        """Write what waits, and end the connection. Raises nothing; what was lost is in `notices`."""
        await self.database.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
