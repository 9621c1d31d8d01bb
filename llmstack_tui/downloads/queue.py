"""The queue of pulls.

It is kept in the store, so that it survives the program and several programs share it. Any of them may add a
pull, or request that one is paused, resumed or cancelled. The program that holds the lock of a host does the
pulls there and records their progress; it releases the lock when there is nothing to do.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from llmstack_tui.base.names import InvalidName, ModelName
from llmstack_tui.base.sentences import QUOTED, said
from llmstack_tui.base.structs import replace
from llmstack_tui.downloads.runner import DownloadRunner
from llmstack_tui.downloads.types import Why
from llmstack_tui.hosts.errors import Refused
from llmstack_tui.store.errors import StoreError
from llmstack_tui.store.tables.downloads import DownloadRecord

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from llmstack_tui.store.store import Store


class DownloadQueue(DownloadRunner):
    """The requests to the queue. Each is written to the store at once.

    A pull that cannot be recorded is done all the same, and forgotten with the program.
    """

    async def ask(self, host_url: str, name: str, why: Why) -> tuple[int, bool]:
        """Queue a pull, or resume the one that is queued for this model.

        Returns:
            The id of the pull, and whether it is new.

        Raises:
            Refused: the name is not valid, or nothing may be changed there.
        """
        self._allowed(host_url)
        try:
            parsed = ModelName.parse(name)
        except InvalidName as error:
            raise Refused(QUOTED, text=said(error), host=host_url) from None
        # A registry is asked without TLS only if the name says ``http``.
        asked = f"http://{parsed.full}" if parsed.scheme == "http" else parsed.short
        now = datetime.now(UTC)
        try:
            store = await self._session.store()
            number, is_new = await store.downloads.add(
                host=host_url,
                model=parsed.short,
                key=parsed.full.lower(),
                asked=asked,
                why=why.value,
                asked_at=now,
            )
        except StoreError as error:
            number, is_new = self._ask_unkept(host_url, parsed.short, asked, why, now)
            with suppress(StoreError):  # The program is ending.
                await self._session.report(error)
        self.own.add(number)
        if not is_new:
            self.resume(number)
        self._wake.set()
        return number, is_new

    async def pull(self, host_url: str, name: str) -> int:
        """Queue a pull of a model by its name; returns the id of the pull.

        Raises:
            Refused: as `ask`, or it is being pulled already.
        """
        number, is_new = await self.ask(host_url, name, Why.PULL)
        if not is_new:
            raise Refused("download.pulled_already", model=name, host=host_url)
        return number

    async def update(self, host_url: str, models: Collection[str]) -> tuple[int, ...]:
        """Queue pulls of the newest versions; returns the ids of the pulls, new or not.

        Raises:
            Refused: as `ask`.
        """
        return tuple([(await self.ask(host_url, model, Why.UPDATE))[0] for model in models])

    def pause(self, number: int) -> None:
        """Pause a pull. Downloaded data is kept; a model that was unloaded for it is loaded again."""
        self._request(number, "pause")

    def resume(self, number: int) -> None:
        self._request(number, "run")

    async def cancel(self, number: int, *, keep: bool) -> None:
        """End a pull. With ``keep``, a later pull continues from here.

        Without it, the built-in engine deletes the downloaded data; Ollama can do so only when it starts.
        """
        self._request(number, "cancel" if keep else "discard")

    async def retry(self, number: int) -> int:
        """Queue a pull again that is over; returns the id of the new pull, which replaces the old one."""
        row = next((row for row in self.rows if row.id == number), None)
        if row is None:
            raise Refused("download.forgotten", host="")
        if row.ended_at is None:
            return number
        new, _ = await self.ask(row.host, row.asked, Why(row.why))
        if self.unkept.pop(number, None) is None:
            self._session.write(lambda store: store.downloads.forget(number))
        return new

    def forget_over(self) -> tuple[DownloadRecord, ...]:
        """Forget the pulls that are over; returns them."""
        over = tuple(row for row in self.rows if row.ended_at is not None)
        self.rows = tuple(row for row in self.rows if row.ended_at is None)
        self.unkept = {number: row for number, row in self.unkept.items() if row.ended_at is None}

        def forget(store: Store) -> None:
            for row in over:
                store.downloads.forget(row.id)

        self._session.write(forget)
        self._wake.set()
        return over

    def put_back(self, rows: Iterable[DownloadRecord]) -> None:
        """List pulls again that `forget_over` has returned."""
        kept = [row for row in rows if row.id > 0]
        for row in rows:
            if row not in kept:
                self._add_unkept(row)

        def put_back(store: Store) -> None:
            for row in kept:
                store.downloads.put_back(row, ModelName.parse(row.asked).full.lower())

        self._session.write(put_back)
        self._wake.set()

    # --- helpers ---

    def _ask_unkept(self, host_url: str, model: str, asked: str, why: Why, now: datetime) -> tuple[int, bool]:
        # Those of a moment ago are not among the rows yet.
        for row in (*self.rows, *self.unkept.values()):
            if row.host == host_url and row.asked == asked and row.ended_at is None:
                return row.id, False
        row = DownloadRecord(id=0, host=host_url, model=model, asked=asked, why=why.value, asked_at=now)
        return self._add_unkept(row), True

    def _add_unkept(self, row: DownloadRecord) -> int:
        number = min(self.unkept, default=0) - 1
        self.unkept[number] = replace(row, id=number)
        return number

    def _request(self, number: int, requested: str) -> None:
        if number not in self.unkept:
            self._session.write(lambda store: store.downloads.request(number, requested))
        elif self.unkept[number].ended_at is None:
            self.unkept[number] = replace(self.unkept[number], requested=requested)
        self._wake.set()
