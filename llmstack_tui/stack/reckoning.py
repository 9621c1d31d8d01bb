"""What a model will take of the memory that is limited, before it is loaded."""

from __future__ import annotations

import asyncio
import importlib
from typing import TYPE_CHECKING

from llmstack_tui.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from llmstack_tui.hardware.profile import Profile
    from llmstack_tui.hosts.types import Model
    from llmstack_tui.stack.fitting import Subjects
    from llmstack_tui.stack.history import History
    from llmstack_tui.stack.watched import WatchedHost

# Nobody who wants to load a model waits longer to be told what it will take.
_PATIENCE_S = 1.0
# What servers load a model with unless somebody says otherwise.
_CONTEXT = 4096


class Reckoning:
    """Args:
    folders: finds those of models on this machine. Blocking.
    """

    def __init__(
        self,
        watched: Mapping[str, WatchedHost],
        history: History,
        folders: Callable[[], Sequence[Path]],
    ) -> None:
        self._watched = watched
        self._history = history
        self._folders = folders
        self._subjects: Subjects | None = None

    async def size(
        self, host_url: str, model: Model, profile: Profile | None, *, on_card: bool
    ) -> int | None:
        """Bytes that it took when it was loaded last; else what it is reckoned to take, or its file's size.

        Args:
            on_card: what it takes of a card's own memory is meant.
        """
        try:
            store = await self._history.store()
            measured = await store.measured.history(host_url, model.digest, 1) if model.digest else ()
        except StoreError:
            measured = ()
        for each in measured:
            if (took := each.server_gpu_bytes if on_card else each.server_bytes) is not None:
                return took
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return await self._reckoned(host_url, model, profile) or model.size
        except TimeoutError:
            return model.size

    async def _reckoned(self, host_url: str, model: Model, profile: Profile | None) -> int | None:
        for name in ("stack.fitting", "fit.memory", "fit.room"):
            await asyncio.to_thread(importlib.import_module, f"llmstack_tui.{name}")
        from llmstack_tui.fit.memory import Request, estimate  # noqa: PLC0415
        from llmstack_tui.fit.room import repacked_on  # noqa: PLC0415
        from llmstack_tui.stack.fitting import Subjects  # noqa: PLC0415

        if self._subjects is None:
            repacked = repacked_on(profile) if profile else frozenset[str]()
            folders = await asyncio.to_thread(self._folders)
            self._subjects = Subjects(folders, repacked)
        subject = await self._subjects.look(host_url, model, self._watched[host_url].host.show)
        request = subject.request(Request(context_length=_CONTEXT))
        found = estimate(subject.weights, subject.shape, request)
        return found.total if found is not None else None
