"""Admission of one more model: whether it may be loaded, what is unloaded for it, and who is asked."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.base.structs import replace
from llmstack_tui.guard.rules.policy import refusal
from llmstack_tui.guard.types import Ask, LimitChoice, Wanted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
    from datetime import timedelta

    from llmstack_tui.base.sentences import Sentences
    from llmstack_tui.config.settings import GuardSettings
    from llmstack_tui.fit.service import FitService
    from llmstack_tui.guard.types import Admission, Confirm, Stop
    from llmstack_tui.guard.worker import Guard


class NotAdmitted(Exception):
    """A model may not be loaded now; ``reason`` says why."""

    def __init__(self, reason: Sentences) -> None:
        super().__init__(reason)
        self.reason = reason


class Declined(Exception):
    """The user was asked and does not want the model loaded. This is no failure, and is not recorded."""


class AdmissionControl:
    """Decides on every load that llmstack is asked for.

    Args:
        guards: by the URLs of their hosts.
        insisted: called with the URL of a host and the names of the models there that the user has just kept
            or loaded over a limit.

    Attributes:
        is_on: the limits are known and are enforced.
        settings: in force now.
    """

    def __init__(
        self,
        guards: Mapping[str, Guard],
        fit: FitService,
        settings: GuardSettings | None,
        insisted: Callable[[str, Sequence[str]], Awaitable[None]],
    ) -> None:
        self.is_on = False
        self.settings = settings
        self._guards = guards
        self._fit = fit
        self._insisted = insisted
        self._questions = asyncio.Lock()
        self._coming: set[tuple[str, str]] = set()

    @asynccontextmanager
    async def admitted(
        self, host_url: str, model: str, confirm: Confirm | None = None, *, in_place: bool = False
    ) -> AsyncIterator[timedelta | None]:
        """Make room for one more model, which is loaded within; yields the keep-alive to load it with.

        Args:
            confirm: asks the user when the load exceeds a limit and the setting is "ask". Where nobody can be
                asked, that means "refuse".
            in_place: the model is loaded, and is loaded again within: the limits stay as they are.

        Raises:
            NotAdmitted: the machine is too hot, or the limit may not be exceeded.
            Declined: the user does not want it.
            HostError: a model could not be unloaded.
        """
        guard = self._guarding(host_url, model, in_place=in_place)
        if guard is not None and (refused := refusal(guard.situation)):
            raise NotAdmitted(refused)
        key = (host_url, model)
        # One question at a time: the answer to the first changes the next.
        async with self._questions:
            if not in_place:
                await self._decide(host_url, model, confirm)
            self._coming.add(key)
        try:
            yield self._guards[host_url].keep_alive(model)
        finally:
            self._coming.discard(key)

    async def admit(self, host_url: str, model: str) -> Admission | None:
        """Whether the model may be loaded, and what would be unloaded; None where nothing is guarded."""
        guard = self._guarding(host_url, model)
        if guard is None:
            return None
        size, limits = None, guard.rules.limits
        status = guard.monitor.status(model)
        if limits.memory_budget is not None and status is not None and status.model is not None:
            on_card = limits.memory_word == "VRAM"
            size = await self._fit.expected(host_url, status.model, on_card=on_card)
        coming = [name for url, name in self._coming if url == host_url]
        return guard.admit(Wanted(model, size, host_url), coming)

    async def make_room(self, host_url: str, stops: Sequence[Stop]) -> None:
        """Unload the models that were agreed on, also on other hosts here. Raises `HostError`."""
        hosts = {stop.host or host_url for stop in stops}
        guards = [guard for url, guard in self._guards.items() if url in hosts]
        await asyncio.gather(*(guard.make_room(stops) for guard in guards))

    async def _insist(self, host_url: str, model: str, stops: Sequence[Stop] = ()) -> None:
        """Protect the model, which the user loads over the limits, and those that need not go for it."""
        kept = {host_url: [model]}
        for stop in stops:
            kept.setdefault(stop.host or host_url, []).append(stop.model)
        for url, models in kept.items():
            await self._insisted(url, models)

    def _guarding(self, host_url: str, model: str, *, in_place: bool = False) -> Guard | None:
        """The guard that decides on a load; None if nothing is guarded or the model is loaded already."""
        guard = self._guards[host_url]
        if not self.is_on or guard.off:
            return None
        status = guard.monitor.status(model)
        return guard if in_place or status is None or status.running is None else None

    async def _decide(self, host_url: str, model: str, confirm: Confirm | None) -> None:
        answer = await self.admit(host_url, model)
        # `Refuse`, for heat, was handled by the caller.
        if not isinstance(answer, Ask) or self.settings is None:
            return
        rule = self.settings.over_limit
        if rule == "refuse":
            raise NotAdmitted((*answer.reason, Sentence("guard.refuses_more")))
        # Without asking, only as far as that is enough, and other programs' models only if that was allowed.
        if rule == "ask" or not answer.enough or any(stop.asks for stop in answer.stops):
            if confirm is None:
                raise NotAdmitted((*answer.reason, Sentence("guard.nobody_to_ask")))
            choice = await confirm(answer)
            if choice is LimitChoice.LEAVE:
                raise Declined
            if choice is LimitChoice.ANYWAY:
                await self._insist(host_url, model, answer.stops)
                return
            if not answer.enough:
                await self._insist(host_url, model)
            # The user may have taken minutes to answer: unload only what is still in the way.
            now = await self.admit(host_url, model)
            needed = {(stop.host, stop.model) for stop in getattr(now, "stops", ())}
            answer = replace(
                answer, stops=tuple(stop for stop in answer.stops if (stop.host, stop.model) in needed)
            )
        await self.make_room(host_url, answer.stops)
