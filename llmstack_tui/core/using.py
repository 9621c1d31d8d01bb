"""Acts on a model as it is: load it, stop it, look into it, ask it something."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from llmstack_tui.base.kinds import Capability
from llmstack_tui.base.text import excerpt
from llmstack_tui.core.making import Making
from llmstack_tui.core.wording import text
from llmstack_tui.hosts.errors import Refused
from llmstack_tui.lifecycle.changes import EventKind
from llmstack_tui.lifecycle.states import ModelState
from llmstack_tui.lifecycle.timing import Timing

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence
    from datetime import timedelta

    from llmstack_tui.core.guarding import Guarding
    from llmstack_tui.core.weighing import Weighing
    from llmstack_tui.hosts.types import Chunk, Message, ModelDetails
    from llmstack_tui.lifecycle.actions import Departure


class Using(Making):
    """The part of a stack that uses models. Raises as `Stack` says."""

    guarding: Guarding
    weighing: Weighing

    async def activate(
        self,
        host_url: str,
        model: str,
        *,
        keep_alive: timedelta | None = None,
        context_length: int | None = None,
    ) -> None:
        """Load a model, and return when it can answer and the state says so.

        On a guarded host it stays for as long as it may be idle, unless ``keep_alive`` says otherwise.
        """
        with self._journal.act(EventKind.ACTIVATE, host_url, model, ends_well=False):
            host = self._allowed(host_url, Capability.LOAD, act=True)
            status = self._status(host_url, model)
            if status is not None and status.state is ModelState.CLOUD:
                raise Refused(
                    f"{excerpt(model)} runs elsewhere: there is nothing to load here.", host=host_url
                )
            if refusal := self.guarding.refusal(host_url, model):
                raise Refused(text(*refusal), host=host_url)
        if keep_alive is None:
            keep_alive = self.guarding.keep_alive(host_url, model)
        await self._lifecycle.activate(host, model, keep_alive=keep_alive, context_length=context_length)

    async def deactivate(self, host_url: str, model: str) -> Departure:
        """Ask a model to leave; the answer says whether it has."""
        with self._journal.act(EventKind.DEACTIVATE, host_url, model, ends_well=False):
            host = self._allowed(host_url, Capability.UNLOAD, act=True)
        return await self._lifecycle.deactivate(host, model)

    async def details(self, host_url: str, model: str) -> ModelDetails:
        details = await self._allowed(host_url, Capability.SHOW).show(model)
        self.weighing.told(host_url, model, details)
        return details

    async def chat(
        self,
        host_url: str,
        model: str,
        messages: Sequence[Message],
        *,
        options: Mapping[str, object] | None = None,
        keep_alive: timedelta | None = None,
    ) -> AsyncGenerator[Chunk, None]:
        """An answer in pieces. It may load the model, which read-only does not forbid."""
        host = self._allowed(host_url, Capability.CHAT)
        watched, timing = self._watched[host_url], Timing()
        with watched.using(model):
            async with aclosing(host.chat(model, messages, options=options, keep_alive=keep_alive)) as chunks:
                async for chunk in chunks:
                    timing.heard(chunk)
                    yield chunk
        status = watched.status(model)
        digest = status.model.digest if status is not None and status.model is not None else ""
        if (speed := timing.speed(host_url, status.name if status else model, digest)) is not None:
            self._history.write(lambda store: store.speeds.add(speed))
            watched.timed(speed)
