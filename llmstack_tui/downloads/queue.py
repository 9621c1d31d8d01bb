"""The queue of pulls.

It is kept in the store, so that it survives the program and several programs share it. Any of them may add a
pull, or request that one is paused, resumed or cancelled; the one that holds the lock of a host does the
pulls there and writes how far they are. It releases the lock when there is nothing to do.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from llmstack_tui.base.names import InvalidName, ModelName
from llmstack_tui.base.text import excerpt
from llmstack_tui.downloads.runner import DownloadRunner
from llmstack_tui.downloads.types import Why
from llmstack_tui.hosts.errors import Refused
from llmstack_tui.hosts.service import Service
from llmstack_tui.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from llmstack_tui.downloads.types import Download
    from llmstack_tui.hosts.host import Host
    from llmstack_tui.lifecycle.journal import Journal
    from llmstack_tui.lifecycle.worker import Lifecycle
    from llmstack_tui.store.session import StoreSession


class DownloadQueue(Service):
    """The queue. Within `run` it does what is its to do; what is asked of it stands in the store at once.

    Args:
        hosts: those that are watched, by URL.
        allowed: the host of a URL if something may be pulled there; raises `Refused`.
        parallel, lock, folders, patient, only_own, on_change: as of `DownloadRunner`.
    """

    def __init__(
        self,
        hosts: Mapping[str, Host],
        session: StoreSession,
        lifecycle: Lifecycle,
        journal: Journal,
        *,
        allowed: Callable[[str], Host],
        settle: Callable[[Host], Awaitable[None]],
        on_change: Callable[[], None],
        parallel: int = 1,
        lock: Path | None = None,
        folders: Callable[[], Sequence[Path]] = tuple,
        patient: bool = True,
        only_own: bool = False,
    ) -> None:
        self._hosts = hosts
        self._session = session
        self._allowed = allowed
        self._runner = DownloadRunner(
            hosts,
            session,
            lifecycle,
            journal,
            may=self._may,
            settle=settle,
            on_change=on_change,
            parallel=parallel,
            lock=lock,
            folders=folders,
            patient=patient,
            only_own=only_own,
        )

    async def run(self) -> None:
        """Do what is to be done until cancelled, or until the state cannot be read."""
        await self._runner.run()

    @property
    def downloads(self) -> tuple[Download, ...]:
        """The pulls that are not over in their order, then the others, newest first."""
        return self._runner.downloads

    # --- leaving ---

    @property
    def under_way(self) -> tuple[Download, ...]:
        """What this program pulls, or has waiting for its turn: it goes on with the next one."""
        return self._runner.under_way

    @property
    def stopped(self) -> tuple[Download, ...]:
        """Those of them for which a model was stopped that is not started again yet."""
        return self._runner.stopped

    async def start_again(self) -> tuple[Download, ...]:
        """Begin nothing more, and return when the old versions of what is `stopped` are active again.

        For a program that is about to end. What came is kept, and the pulls wait for the next one, which also
        starts what could not be started now: that is returned.
        """
        return await self._runner.start_again()

    # --- what is asked ---

    async def ask(self, host_url: str, name: str, why: Why) -> tuple[int, bool]:
        """Ask for a model; the id of the pull, and whether it is new. One that was paused goes on.

        Raises:
            Refused: the name is none, or nothing may be changed there.
        """
        self._allowed(host_url)
        try:
            parsed = ModelName.parse(name)
        except InvalidName as error:
            raise Refused(str(error), host=host_url) from None
        try:
            store = await self._session.store()
            number, is_new = await store.downloads.add(
                host=host_url,
                model=parsed.short,
                key=parsed.full.lower(),
                # Only what it says itself makes a registry one without TLS.
                asked=f"http://{parsed.full}" if parsed.scheme == "http" else parsed.short,
                why=why.value,
                asked_at=datetime.now(UTC),
            )
        except StoreError as error:
            raise Refused(f"{excerpt(name)} cannot be put into the queue: {error}", host=host_url) from None
        self._runner.own.add(number)
        if not is_new:
            self.resume(number)
        self._runner.stir()
        return number, is_new

    async def pull(self, host_url: str, name: str) -> int:
        """Ask for a model by its name; the id of the pull.

        Raises:
            Refused: as `ask`, and when it is being pulled already.
        """
        number, is_new = await self.ask(host_url, name, Why.PULL)
        if not is_new:
            raise Refused(f"{excerpt(name)} is being pulled already.", host=host_url)
        return number

    async def update(self, host_url: str, models: Collection[str]) -> tuple[int, ...]:
        """Ask for the newest versions of these; the ids of the pulls, also of one that was asked for before.

        Raises:
            Refused: as `ask`.
        """
        return tuple([(await self.ask(host_url, model, Why.UPDATE))[0] for model in models])

    def pause(self, number: int) -> None:
        """What came is kept; what was stopped for it is started again."""
        self._request(number, "pause")

    def resume(self, number: int) -> None:
        self._request(number, "run")

    async def cancel(self, number: int, *, keep: bool) -> None:
        """End it. With ``keep`` a later pull goes on where this one was.

        Without, the built-in engine throws away what came; Ollama has no way to, and does so when it starts.
        """
        self._request(number, "cancel" if keep else "discard")

    async def retry(self, number: int) -> int:
        """Ask again for what is over; the id of the new pull, which takes the place of the old one."""
        row = next((row for row in self._runner.rows if row.id == number), None)
        if row is None:
            raise Refused("This pull is not remembered any more.", host="", hint="Ask for the model again.")
        if row.ended_at is None:
            return number
        new, _ = await self.ask(row.host, row.asked, Why(row.why))
        self._session.write(lambda store: store.downloads.forget(number))
        return new

    def forget_over(self) -> None:
        """Forget those that are over."""
        self._session.write(lambda store: store.downloads.forget_over([*self._hosts]))
        self._runner.stir()

    # --- parts of these ---

    def _request(self, number: int, requested: str) -> None:
        self._session.write(lambda store: store.downloads.request(number, requested))
        self._runner.stir()

    def _may(self, host_url: str) -> bool:
        try:
            self._allowed(host_url)
        except Refused:
            return False
        return True
