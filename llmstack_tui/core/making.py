"""Acts that change what is installed, and those that do several things in a row."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from llmstack_tui.base.durations import ENDLESS, FOREVER
from llmstack_tui.base.kinds import Capability
from llmstack_tui.base.names import model_key, same_model
from llmstack_tui.base.sentences import Sentence
from llmstack_tui.base.text import excerpt
from llmstack_tui.core.records import Past
from llmstack_tui.hosts.errors import HostError, Refused
from llmstack_tui.lifecycle.actions import Departure, because
from llmstack_tui.lifecycle.changes import EventKind
from llmstack_tui.lifecycle.removing import remove
from llmstack_tui.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping
    from pathlib import Path

    from llmstack_tui.core.watched import WatchedHost
    from llmstack_tui.hosts.host import Host
    from llmstack_tui.hosts.types import Progress
    from llmstack_tui.lifecycle.journal import Journal
    from llmstack_tui.lifecycle.states import ModelStatus
    from llmstack_tui.lifecycle.worker import Lifecycle


class Making(Past):
    """The part of a stack that changes what is installed, restarts, and stops all. Raises as `Stack` says."""

    read_only: bool
    look_only: frozenset[str]
    _watched: dict[str, WatchedHost]
    _journal: Journal
    _lifecycle: Lifecycle

    async def delete(self, host_url: str, model: str) -> None:
        """Remove a model; one that is active is stopped first, for it could not be stopped afterwards."""
        with self._journal.act(EventKind.REMOVE, host_url, model):
            host = self._allowed(host_url, Capability.DELETE, act=True)
            await remove(self._lifecycle, host, model)
            self._history.write(lambda store: store.preferences.forget(host_url, model_key(model)))
        await self._settle(host)

    async def import_gguf(self, host_url: str, path: Path, name: str) -> AsyncGenerator[Progress, None]:
        """Make a model from a GGUF file of this machine."""
        with self._journal.act(EventKind.IMPORT, host_url, name):
            host = self._allowed(host_url, Capability.IMPORT, act=True)
            async with aclosing(host.import_gguf(path, name)) as steps:
                async for step in steps:
                    yield step
        await self._settle(host)

    async def copy(self, host_url: str, model: str, name: str, *, replace: bool = False) -> None:
        """Have a model under a second name, too; one that has it already is only replaced if asked to."""
        with self._journal.act(EventKind.COPY, host_url, model, ends_well=False):
            host = self._allowed(host_url, Capability.COPY, act=True)
            if not replace:
                await self._check_free(host, name)
            await host.copy(model, name)
        self._done(EventKind.COPY, "copy.done", host_url, model, name)
        await self._settle(host)

    async def rename(self, host_url: str, model: str, name: str) -> None:
        """Copy a model and remove its old name. One in memory stays there, and goes by the new name.

        If the old name cannot be removed, the copy is taken back.
        """
        with self._journal.act(EventKind.RENAME, host_url, model, ends_well=False):
            host = self._allowed(host_url, Capability.COPY, act=True)
            self._allowed(host_url, Capability.DELETE, act=True)
            await self._check_free(host, name)
            status = self._status(host_url, model)
            await host.copy(model, name)
            try:
                await host.delete(model)
            except (HostError, asyncio.CancelledError):
                await asyncio.shield(_take_back(host, model, name))
                raise
        keys = model_key(model), model_key(name)
        self._history.write(lambda store: store.preferences.renamed(host_url, *keys, name))
        is_loaded = status is not None and status.running is not None
        said = "rename.done_loaded" if is_loaded else "rename.done"
        self._done(EventKind.RENAME, said, host_url, model, name)
        await self._settle(host)

    async def create(
        self,
        host_url: str,
        name: str,
        *,
        base: str,
        system: str | None = None,
        parameters: Mapping[str, object] | None = None,
        replace: bool = False,
    ) -> AsyncGenerator[Progress, None]:
        """Make a model from an installed one; what is not given stays as it is there."""
        with self._journal.act(EventKind.CREATE, host_url, name):
            host = self._allowed(host_url, Capability.CREATE, act=True)
            if not replace:
                await self._check_free(host, name)
            steps = host.create(name, base=base, system=system, parameters=parameters)
            async with aclosing(steps):
                async for step in steps:
                    yield step
        await self._settle(host)

    async def restart(self, host_url: str, model: str) -> None:
        """Stop a model and load it again with the same context and keep-alive. No running request is cut."""
        status = self._status(host_url, model)
        if status is None or status.running is None:
            raise Refused(f"{excerpt(model)} is not in memory.", host=host_url, hint="Activate it.")
        host = self._allowed(host_url, Capability.UNLOAD, act=True)
        context_length, keep_alive = status.running.context_length, await self._keep_alive(status)
        departure = await self._lifecycle.deactivate(host, model, reason=because("restart"))
        if departure is Departure.LEAVING:
            raise Refused(
                f"{excerpt(model)} still answers a request and was not restarted.",
                host=host_url,
                hint="It leaves when the request has ended: activate it then.",
            )
        if departure is Departure.KEPT:
            text = f"{excerpt(model)} was not restarted: another client has asked for it meanwhile."
            raise Refused(text, host=host_url)
        await self._lifecycle.activate(
            host, model, keep_alive=keep_alive, context_length=context_length, reason=because("restart")
        )

    async def stop_all(self, host_url: str | None = None) -> tuple[tuple[str, str, Departure], ...]:
        """Ask all models of a host, or of all hosts, to leave; no running request is cut.

        Returns:
            Host, name and what came of it, of each. One that fails keeps none of the others.
        """
        urls = [host_url] if host_url is not None else [*self._watched]
        if host_url is None and not self.read_only:
            urls = [url for url in urls if url not in self.look_only]
        loaded = [
            (self._allowed(url, Capability.UNLOAD, act=True), running.name)
            for url in urls
            for running in self._watched[url].state.snapshot.running
        ]
        ends = await asyncio.gather(
            *(self._lifecycle.deactivate(host, name) for host, name in loaded), return_exceptions=True
        )
        for end in ends:
            if isinstance(end, BaseException):
                raise end
        return tuple(
            (host.url, name, end)
            for (host, name), end in zip(loaded, ends, strict=True)
            if isinstance(end, Departure)
        )

    # --- parts of these ---

    def _allowed(self, host_url: str, capability: Capability, *, act: bool = False) -> Host:
        """The host, if it can do this and we may."""
        if act and self.read_only:
            raise Refused("Nothing can be changed: llmstack was started read-only.", host=host_url)
        if act and host_url in self.look_only:
            raise Refused(
                f"{host_url} is only looked at.",
                host=host_url,
                hint='To change something there, give it allow = "act" in the settings.',
            )
        watched = self._watched.get(host_url)
        if watched is None:
            raise Refused(f"{excerpt(host_url)} is no host of this dashboard.", host=host_url)
        if capability not in watched.host.capabilities:
            word = (capability.name or "this").lower()
            raise Refused(f"{host_url} cannot do this: it has no way to {word}.", host=host_url)
        return watched.host

    def _status(self, host_url: str, model: str) -> ModelStatus | None:
        return self._watched[host_url].status(model)

    async def _settle(self, host: Host) -> None:
        await self._watched[host.url].poller.refreshed()

    async def _check_free(self, host: Host, name: str) -> None:
        if any(same_model(each.name, name) for each in await host.installed()):
            raise Refused(
                f"There is a model called {excerpt(name)} already.",
                host=host.url,
                hint="Choose another name.",
            )

    async def _keep_alive(self, status: ModelStatus) -> timedelta | None:
        """How long the model was to stay when it was loaded, as far as anybody knows."""
        expires_at = status.running.expires_at if status.running else None
        if expires_at is not None and expires_at - datetime.now(UTC) > ENDLESS:
            return FOREVER
        with suppress(StoreError):
            for load in await self.activations(status.host, status.name, 1):
                return load.keep_alive
        return None

    def _done(self, kind: EventKind, said: str, host_url: str, model: str, name: str) -> None:
        details: dict[str, object] = {"act": kind.value, "asked_by": "user", "end": "done"}
        sentence = Sentence(said, {"model": model, "name": name})
        self._journal.event(kind, sentence, host=host_url, model=name, details=details)


async def _take_back(host: Host, model: str, name: str) -> None:
    """Remove the copy, unless it is all that is left."""
    with suppress(HostError):
        if any(same_model(each.name, model) for each in await host.installed()):
            await host.delete(name)
