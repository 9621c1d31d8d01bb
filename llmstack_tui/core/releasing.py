"""When it is asked whether there is a newer Ollama or llmstack: once a day, and remembered."""

from __future__ import annotations

import asyncio
import importlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import to_builtins

from llmstack_tui.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from llmstack_tui.core.session import History
    from llmstack_tui.updates.programs import Program, Release

_KEY = "releases"
_EVERY = timedelta(days=1)
# Long after the first list and the first check, so that neither is slowed.
_START_S = 5.0
_LOOK_S = 1800.0


class Releasing:
    """Asks within `run`.

    Args:
        addresses: of the answers, by program; None never asks.
        wanted: the programs that are in use here.
        on_news: is told what is known, at first what earlier sessions learnt.
    """

    def __init__(
        self,
        history: History,
        *,
        addresses: Mapping[Program, str] | None,
        wanted: Callable[[], Collection[Program]],
        on_news: Callable[[tuple[Release, ...]], None],
    ) -> None:
        self._history = history
        self._addresses = addresses
        self._wanted = wanted
        self._on_news = on_news

    async def run(self) -> None:
        """Until cancelled; or until the state cannot be read, of which a notice tells."""
        if self._addresses is None:
            return
        try:
            store = await self._history.store()
            await asyncio.to_thread(importlib.import_module, "llmstack_tui.updates.releases")
            from llmstack_tui.updates.programs import Release  # noqa: PLC0415

            known = await store.screen.recall(_KEY, (), tuple[Release, ...])
        except StoreError:
            return
        self._on_news(known)
        await asyncio.sleep(_START_S)
        while True:
            known = await self._renewed(self._addresses, known)
            await asyncio.sleep(_LOOK_S)

    async def _renewed(
        self, addresses: Mapping[Program, str], known: tuple[Release, ...]
    ) -> tuple[Release, ...]:
        """With an answer of today for each program that is in use."""
        from llmstack_tui.updates.programs import Release  # noqa: PLC0415
        from llmstack_tui.updates.releases import ask  # noqa: PLC0415

        found = {each.program: each for each in known}
        due = [program for program in addresses if program in self._wanted() and _is_due(found.get(program))]
        if not due:
            return known
        for program in due:
            found[program] = await ask(addresses[program], found.get(program) or Release(program=program))
        new = tuple(found.values())
        self._history.write(lambda store: store.screen.remember(_KEY, [to_builtins(each) for each in new]))
        self._on_news(new)
        return new


def _is_due(release: Release | None) -> bool:
    """Also where the clock was set back meanwhile."""
    if release is None or release.asked_at is None:
        return True
    return abs(datetime.now(UTC) - release.asked_at) >= _EVERY
