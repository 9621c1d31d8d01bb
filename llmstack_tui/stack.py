"""The headless core: opens and closes the parts below in order, and says what is so and what is under way."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from llmstack_tui.hosts.errors import Refused
from llmstack_tui.hosts.poller import Poller
from llmstack_tui.hosts.text import printable
from llmstack_tui.hosts.types import Capability
from llmstack_tui.lifecycle.acts import Departure
from llmstack_tui.lifecycle.states import ModelState, statuses
from llmstack_tui.lifecycle.worker import Lifecycle
from llmstack_tui.ollama.names import same_model

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
    from datetime import timedelta
    from pathlib import Path
    from types import TracebackType

    from llmstack_tui.hardware.memory import Memory
    from llmstack_tui.hosts.host import Host
    from llmstack_tui.hosts.types import Chunk, Message, ModelDetails, Progress, Snapshot
    from llmstack_tui.lifecycle.acts import Act
    from llmstack_tui.lifecycle.states import ModelStatus

_HIDDEN_FACTOR = 5


@dataclass(frozen=True, slots=True)
class HostState:
    """One host: what it told last, and the state of each of its models."""

    snapshot: Snapshot
    models: tuple[ModelStatus, ...]


@dataclass(frozen=True, slots=True)
class StackState:
    """All that a screen shows, at one moment. ``memory`` is None until it was first read."""

    hosts: tuple[HostState, ...]
    memory: Memory | None = None
    acts: tuple[Act, ...] = ()


class Stack:
    """Watches hosts and acts on them, within ``async with``. It closes the hosts that it is given.

    Every act raises `HostError`, and `Refused` where the stack is read-only or the host cannot do it.
    Close the iterators that acts are (`contextlib.aclosing`) when they are not read to their end.

    Args:
        running_every_s: seconds between looks at what is loaded; ``installed_every_s`` at what is installed.
        memory_every_s: seconds between two readings of the machine's memory.
    """

    def __init__(
        self,
        hosts: Sequence[Host],
        *,
        read_only: bool = False,
        running_every_s: float = 2.0,
        installed_every_s: float = 30.0,
        memory_every_s: float = 1.0,
    ) -> None:
        self.read_only = read_only
        self._pollers = {
            host.url: Poller(
                host,
                on_change=self._host_changed,
                running_every_s=running_every_s,
                installed_every_s=installed_every_s,
            )
            for host in hosts
        }
        self._lifecycle = Lifecycle(on_change=self._acts_changed, settle=self._settle)
        self._memory_every_s = memory_every_s
        self._visible = True
        self._tasks: tuple[asyncio.Task[None], ...] = ()
        self._changed = asyncio.Event()
        self._closed = False
        self._defect: BaseException | None = None
        self._state = StackState(tuple(self._host_state(poller) for poller in self._pollers.values()))

    async def __aenter__(self) -> Self:
        works = {f"poll {url}": poller.run() for url, poller in self._pollers.items()}
        works["sample memory"] = self._sample_memory()
        self._tasks = tuple(asyncio.create_task(work, name=name) for name, work in works.items())
        for task in self._tasks:
            task.add_done_callback(self._ended)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._lifecycle.aclose()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for poller in self._pollers.values():
            await poller.host.aclose()
        self._closed = True
        self._announce()
        if self._defect is not None and error is None:
            raise self._defect

    def _ended(self, task: asyncio.Task[None]) -> None:
        """What ends a task other than our cancelling is a defect, and must not pass in silence."""
        if not task.cancelled() and (defect := task.exception()) is not None:
            self._defect = self._defect or defect
            self._announce()

    # --- what is so ---

    @property
    def state(self) -> StackState:
        return self._state

    async def watch(self) -> AsyncGenerator[StackState, None]:
        """The state now, and then each new one until the stack closes. A slow reader gets only the newest.

        Raises:
            BaseException: the defect that has ended the watching of something, if one has.
        """
        seen: StackState | None = None
        while not self._closed:
            changed = self._changed
            if self._defect is not None:
                raise self._defect
            if self._state is not seen:
                seen = self._state
                yield seen
            else:
                await changed.wait()

    def refresh(self) -> None:
        """Look at every host again, now."""
        for poller in self._pollers.values():
            poller.refresh()

    def set_visible(self, visible: bool) -> None:
        """Nobody looks: look less often; somebody looks again: look at once."""
        self._visible = visible
        for poller in self._pollers.values():
            poller.visible = visible

    # --- acts ---

    async def activate(
        self,
        host_url: str,
        model: str,
        *,
        keep_alive: timedelta | None = None,
        context_length: int | None = None,
    ) -> None:
        """Load a model, and return when it can answer and the state says so."""
        host = self._allowed(host_url, Capability.LOAD, act=True)
        status = self._status(host_url, model)
        if status is not None and status.state is ModelState.CLOUD:
            raise Refused(f"{printable(model)} runs elsewhere: there is nothing to load here.", host=host_url)
        await self._lifecycle.activate(host, model, keep_alive=keep_alive, context_length=context_length)

    async def deactivate(self, host_url: str, model: str) -> Departure:
        """Ask a model to leave; the answer says whether it has."""
        host = self._allowed(host_url, Capability.UNLOAD, act=True)
        return await self._lifecycle.deactivate(host, model)

    async def details(self, host_url: str, model: str) -> ModelDetails:
        return await self._allowed(host_url, Capability.SHOW).show(model)

    async def delete(self, host_url: str, model: str) -> None:
        """Remove a model; one that is active is stopped first, for it could not be stopped afterwards."""
        host = self._allowed(host_url, Capability.DELETE, act=True)
        await self._settle(host)
        status = self._status(host_url, model)
        if status is not None and status.running is not None and self._is_alone(status):
            departure = await self._lifecycle.deactivate(host, model)
            if departure is not Departure.GONE:
                raise Refused(
                    f"{printable(model)} still answers a request and was not removed.",
                    host=host_url,
                    hint="Remove it when the request has ended.",
                )
        await host.delete(model)
        await self._settle(host)

    async def import_gguf(self, host_url: str, path: Path, name: str) -> AsyncGenerator[Progress, None]:
        """Make a model from a GGUF file of this machine."""
        host = self._allowed(host_url, Capability.IMPORT, act=True)
        async with aclosing(host.import_gguf(path, name)) as steps:
            async for step in steps:
                yield step
        await self._settle(host)

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
        async with aclosing(host.chat(model, messages, options=options, keep_alive=keep_alive)) as chunks:
            async for chunk in chunks:
                yield chunk

    # --- parts of these ---

    def _allowed(self, host_url: str, capability: Capability, *, act: bool = False) -> Host:
        """The host, if it can do this and we may."""
        if act and self.read_only:
            raise Refused("Nothing can be changed: llmstack was started read-only.", host=host_url)
        poller = self._pollers.get(host_url)
        if poller is None:
            raise Refused(f"{printable(host_url)} is no host of this dashboard.", host=host_url)
        if capability not in poller.host.capabilities:
            word = (capability.name or "this").lower()
            raise Refused(f"{host_url} cannot do this: it has no way to {word}.", host=host_url)
        return poller.host

    def _status(self, host_url: str, model: str) -> ModelStatus | None:
        hosts = (host for host in self._state.hosts if host.snapshot.url == host_url)
        return next((each for host in hosts for each in host.models if same_model(each.name, model)), None)

    def _is_alone(self, status: ModelStatus) -> bool:
        """Whether no other installed name stands for what is loaded: that one could still stop it."""
        models = next(host.models for host in self._state.hosts if host.snapshot.url == status.host)
        return sum(each.running is status.running and each.model is not None for each in models) <= 1

    async def _settle(self, host: Host) -> None:
        await self._pollers[host.url].refreshed()

    async def _sample_memory(self) -> None:
        # Not at the top: it needs a library that takes a while to import, and the command line does without.
        from llmstack_tui.hardware.memory import read_memory  # noqa: PLC0415

        while True:
            memory = await asyncio.to_thread(_known, read_memory)
            if memory != self._state.memory:
                self._publish(replace(self._state, memory=memory))
            await asyncio.sleep(self._memory_every_s * (1 if self._visible else _HIDDEN_FACTOR))

    # --- changes ---

    def _host_changed(self) -> None:
        for poller in self._pollers.values():
            self._lifecycle.observe(poller.snapshot)
        self._publish(self._read_state())

    def _acts_changed(self) -> None:
        self._publish(self._read_state())

    def _read_state(self) -> StackState:
        acts = self._lifecycle.acts
        same_acts = acts == self._state.acts
        before = {host.snapshot.url: host for host in self._state.hosts}
        hosts = tuple(
            old
            if same_acts and (old := before[url]).snapshot is poller.snapshot
            else self._host_state(poller, acts)
            for url, poller in self._pollers.items()
        )
        return replace(self._state, hosts=hosts, acts=acts)

    def _host_state(self, poller: Poller, acts: tuple[Act, ...] = ()) -> HostState:
        return HostState(poller.snapshot, statuses(poller.snapshot, acts))

    def _publish(self, state: StackState) -> None:
        self._state = state
        self._announce()

    def _announce(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


def _known(read: Callable[[], Memory]) -> Memory | None:
    """A reading, or None where the system does not let us."""
    try:
        return read()
    except OSError:
        return None
