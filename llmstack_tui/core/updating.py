"""When registries are asked for newer versions: at the start, again and again, and when somebody wants it."""

from __future__ import annotations

import asyncio
import importlib
import random
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from llmstack_tui.base.names import model_key
from llmstack_tui.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
    from datetime import timedelta
    from pathlib import Path

    from llmstack_tui.core.session import History
    from llmstack_tui.core.watched import WatchedHost
    from llmstack_tui.hosts.types import Snapshot
    from llmstack_tui.updates.checker import Checker

# After the first list, so that what is seen first is not slowed; and not all dashboards in the same second.
_START_S = (0.3, 1.5)
_JITTER = 0.1
# What is imported for this would hold up the drawing of the first list.
DRAWN_AFTER_S = 0.15
# A list that changes is judged when it has stood still for this long: removing ten models is one change.
_STILL_S = 0.3


class Updating:
    """Has each host's models judged within `run`; nothing is imported or asked before the first list.

    Args:
        every: None asks only by `check`.
        folders: of models on this machine, in Ollama's layout.
        on_checking: is told whether registries are being asked.
        on_checked: is awaited after each check that was due by itself.
    """

    def __init__(
        self,
        watched: Mapping[str, WatchedHost],
        history: History,
        *,
        every: timedelta | None,
        folders: Callable[[], Sequence[Path]],
        on_checking: Callable[[bool], None],
        on_checked: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._watched = watched
        self._history = history
        self._every = every
        self._folders = folders
        self._on_checking = on_checking
        self._on_checked = on_checked
        self._checker: Checker | None = None
        self._ready = asyncio.Event()
        self._stir = asyncio.Event()

    def looked(self, snapshot: Snapshot) -> None:
        """To be told each new snapshot. Costs nothing where the list is the same."""
        if self._checker is None:
            if snapshot.read_at is not None or snapshot.error is not None or snapshot.recalled_at is not None:
                self._stir.set()
        elif _look(self._checker, snapshot):
            self._stir.set()

    async def leave_alone(self, host_url: str, model: str, *, for_good: bool = False) -> None:
        """Do not offer the registry's present version of this model; ``for_good``: no version."""
        (await self._opened()).leave_alone(host_url, model, for_good=for_good)

    async def want(self, host_url: str, model: str) -> None:
        """Take back what `leave_alone` said."""
        (await self._opened()).want(host_url, model)

    async def check(self, models: Collection[str] | None = None) -> None:
        """Ask the registries for all models, or those of these names on whatever host, now.

        Nothing is downloaded. What failed stands in the state, beside what was learnt.
        """
        keys = None if models is None else frozenset(map(model_key, models))
        await (await self._opened()).check(keys)

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while not all(_is_known(each.snapshot) for each in self._watched.values()):
                self._stir.clear()
                await self._stir.wait()
            await asyncio.sleep(DRAWN_AFTER_S)
            self._checker = await self._open()
            try:
                await self._go_on(self._checker)
            finally:
                checker, self._checker = self._checker, None
                await checker.aclose()
        finally:
            self._ready.set()

    async def _opened(self) -> Checker:
        """The checker, as soon as there is one. Raises `StoreError` when the program is ending."""
        await self._ready.wait()
        if self._checker is None:
            raise StoreError("Nothing can be checked any more: the program is ending.")
        return self._checker

    async def _open(self) -> Checker:
        await asyncio.to_thread(importlib.import_module, "llmstack_tui.updates.checker")
        from llmstack_tui.updates.checker import Checker  # noqa: PLC0415

        folders = await asyncio.to_thread(self._folders)
        checker = Checker(
            show=lambda host, model: self._watched[host].host.show(model),
            folders=folders,
            on_change=self._changed,
            keep=self._history.write,
        )
        with suppress(StoreError):  # Of what is wrong with the state a notice tells.
            await checker.recall(await self._history.store())
        return checker

    async def _go_on(self, checker: Checker) -> None:
        self._look_again(checker)
        await checker.renew()
        self._ready.set()
        due_s = time.monotonic() + random.uniform(*_START_S)  # noqa: S311
        while True:
            self._stir.clear()
            now_s = time.monotonic()
            if self._every is not None and now_s >= due_s:
                await checker.check()
                if self._on_checked is not None:
                    await self._on_checked()
                every_s = self._every.total_seconds()
                due_s = time.monotonic() + every_s * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311
            with suppress(TimeoutError):
                async with asyncio.timeout(None if self._every is None else max(due_s - time.monotonic(), 0)):
                    await self._stir.wait()
                    await asyncio.sleep(_STILL_S)
            if self._stir.is_set():
                await checker.renew()
                if self._every is not None and (new := checker.unasked()) and now_s < due_s:
                    await checker.check(new)

    def _look_again(self, checker: Checker) -> None:
        for each in self._watched.values():
            _look(checker, each.snapshot)

    def _changed(self) -> None:
        if self._checker is None:
            return
        for url, each in self._watched.items():
            each.judged(self._checker.updates(url))
        self._on_checking(self._checker.is_checking)


def _look(checker: Checker, snapshot: Snapshot) -> bool:
    kind = snapshot.server.kind if snapshot.server else None
    return checker.look(snapshot.url, snapshot.installed, kind)


def _is_known(snapshot: Snapshot) -> bool:
    """Whether the host has answered, or failed to."""
    return snapshot.read_at is not None or snapshot.error is not None
