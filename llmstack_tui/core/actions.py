"""The actions on models: load, unload, create, copy, rename, remove."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, aclosing, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from llmstack_tui.base.address import is_loopback
from llmstack_tui.base.durations import FOREVER
from llmstack_tui.base.kinds import Capability, EventKind
from llmstack_tui.base.names import listed_name, model_key, same_model
from llmstack_tui.base.sentences import Sentence
from llmstack_tui.core.removal import plan_removal
from llmstack_tui.core.transfer import transfer
from llmstack_tui.hosts.errors import HostError, Refused
from llmstack_tui.lifecycle.actions import Departure, because
from llmstack_tui.lifecycle.load_request import OURS, LoadRequest, load_request
from llmstack_tui.lifecycle.states import ModelState
from llmstack_tui.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from datetime import timedelta
    from pathlib import Path

    from llmstack_tui.base.sentences import Sentences
    from llmstack_tui.core.options import StackParts
    from llmstack_tui.core.removal import Removal
    from llmstack_tui.fit.service import FitService
    from llmstack_tui.guard.service import GuardService
    from llmstack_tui.guard.types import Confirm, PinEffect
    from llmstack_tui.hosts.host import Host
    from llmstack_tui.hosts.types import ModelDetails, Progress
    from llmstack_tui.library.disk import DiskService
    from llmstack_tui.lifecycle.states import ModelStatus
    from llmstack_tui.store.tables.activations import Activation


class ModelActions:
    """Every action raises `HostError`, and `Refused` if the stack is read-only or the host lacks the ability.

    An iterator that is not read to its end must be closed (`contextlib.aclosing`).
    """

    def __init__(
        self,
        parts: StackParts,
        *,
        admitted: Callable[..., AbstractAsyncContextManager[timedelta | None]],
        guard: Callable[[], GuardService],
        fit: Callable[[], FitService],
        disk: Callable[[], DiskService],
    ) -> None:
        self._parts = parts
        self._monitors = parts.monitors
        self._allowed = parts.permissions.allowed
        self._may_act = parts.permissions.may_act
        self._acting_urls = parts.permissions.acting_urls
        self._session = parts.session
        self._lifecycle = parts.lifecycle
        self._journal = parts.journal
        self._settle = parts.settle
        self._admitted = admitted
        self._guard = guard
        self._fit = fit
        self._disk = disk

    # --- memory ---

    async def activate(
        self,
        host_url: str,
        model: str,
        *,
        keep_alive: timedelta | None = None,
        context_length: int | None = None,
        confirm: Confirm | None = None,
        reason: Sentences = (),
    ) -> bool:
        """Load a model; return when it can answer and the state shows it as loaded.

        On a guarded host, ``keep_alive`` defaults to the model's idle limit.

        Args:
            confirm: asks the user before other models are unloaded, if the settings require that.
            reason: for the record, if the load is part of another action.

        Returns:
            False if the user declined; then nothing was done.
        """
        from llmstack_tui.guard.admission import Declined  # noqa: PLC0415

        async with AsyncExitStack() as room:
            try:
                with self._journal.act(EventKind.ACTIVATE, host_url, model, ends_well=False):
                    host = self._allowed(host_url, Capability.LOAD, act=True)
                    status = self._monitors[host_url].status(model)
                    if status is not None and status.state is ModelState.CLOUD:
                        raise Refused("core.in_cloud", model=model, host=host_url)
                    usual = await room.enter_async_context(self._admitted(host_url, model, confirm))
            except Declined:
                return False
            await self._lifecycle.activate(
                host,
                model,
                keep_alive=usual if keep_alive is None else keep_alive,
                context_length=context_length,
                reason=reason,
            )
        return True

    async def activate_again(self, host_url: str, model: str, *, confirm: Confirm | None = None) -> bool:
        """Load a model again with the context length of its last load by llmstack; raises as `activate`."""
        context_length = None
        with suppress(StoreError):  # Then with the default context; a notice reports the broken state file.
            loads = await self._loads(host_url, model, 1)
            # A context length that another client asked for is not repeated.
            context_length = next((each.context_length for each in loads if each.asked_by in OURS), None)
        return await self.activate(host_url, model, context_length=context_length, confirm=confirm)

    async def pin(self, host_url: str, model: str, *, confirm: Confirm | None = None) -> PinEffect:
        """Pin a model, and load it if it is not loaded; raises as `activate`.

        What is not loaded in the end, because the user declined or cancelled it or it failed, is not pinned
        either, unless it was before.
        """
        from llmstack_tui.guard.types import PinEffect  # noqa: PLC0415

        guard = self._guard()
        was_pinned = guard.is_pinned(host_url, model)
        effect = await guard.pin(host_url, model)
        if effect is not PinEffect.NOT_LOADED:
            return effect
        try:
            if await self.activate(host_url, model, confirm=confirm, reason=because("pinned")):
                effect = PinEffect.KEPT
        finally:
            if effect is PinEffect.NOT_LOADED and not was_pinned:
                await asyncio.shield(guard.pin(host_url, model, pinned=False))
        return effect

    async def keep(self, host_url: str, model: str, *, confirm: Confirm | None = None) -> bool:
        """Load a pinned model that another program loaded again, so that it stays; raises as `activate`.

        It is loaded with the server's defaults: what its program had asked for is lost.
        """
        status = self._monitors[host_url].status(model)
        if status is None or status.running is None:
            return await self.activate(host_url, model, confirm=confirm, reason=because("pinned"))
        host = self._allowed(host_url, Capability.LOAD, act=True)
        pinned = because("pinned")
        await self._lifecycle.activate(host, model, keep_alive=FOREVER, reason=pinned, again=True)
        return True

    async def deactivate(self, host_url: str, model: str) -> Departure:
        """Ask a model to leave; the result says whether it has left."""
        with self._journal.act(EventKind.DEACTIVATE, host_url, model, ends_well=False):
            host = self._allowed(host_url, Capability.UNLOAD, act=True)
        return await self._lifecycle.deactivate(host, model)

    async def restart(self, host_url: str, model: str) -> None:
        """Unload a model and load it again with the same parameters. No running request is cut."""
        status = self._monitors[host_url].status(model)
        if status is None or status.running is None:
            raise Refused("core.not_loaded", model=model, host=host_url)
        host = self._allowed(host_url, Capability.UNLOAD, act=True)
        request = await self._load_request(status)
        async with self._admitted(host_url, model, in_place=True):
            departure = await self._lifecycle.deactivate(host, model, reason=because("restart"))
            if departure is Departure.LEAVING:
                raise Refused("core.answers", model=model, host=host_url)
            if departure is Departure.KEPT:
                raise Refused("core.kept", model=model, host=host_url)
            await self._lifecycle.activate(
                host,
                model,
                keep_alive=request.keep_alive,
                context_length=request.context_length,
                reason=because("restart"),
            )

    async def stop_all(self, host_url: str | None = None) -> tuple[tuple[str, str, Departure], ...]:
        """Ask all models of a host, or of all hosts, to leave; no running request is cut.

        Returns:
            For each model, the URL of its host, its name and the result.

        Raises:
            HostError: the first failure, once all have been asked.
        """
        urls = [host_url] if host_url is not None else self._acting_urls
        loaded = [
            (self._allowed(url, Capability.UNLOAD, act=True), running.name)
            for url in urls
            for running in self._monitors[url].snapshot.running
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

    # --- installed models ---

    async def delete(self, host_url: str, model: str) -> None:
        """Remove a model. A loaded model is unloaded first: afterwards it would have no name to do so by."""
        with self._journal.act(EventKind.REMOVE, host_url, model):
            host = self._allowed(host_url, Capability.DELETE, act=True)
            await self._lifecycle.remove(host, model)
            self._session.write(lambda store: store.preferences.forget(host_url, model_key(model)))
        await self._settle(host)

    async def plan_removal(self, keys: Iterable[tuple[str, str]]) -> tuple[Removal, ...]:
        """What removing these models, pairs of host URL and name, would do; raises as `delete`."""
        statuses = []
        for url, name in keys:
            host = self._allowed(url, Capability.DELETE, act=True)
            if (status := self._monitors[url].status(name)) is not None:
                statuses.append((host, status))
        installed = {url: each.snapshot.installed for url, each in self._monitors.items()}
        is_here = any(is_loopback(host.url) for host, _ in statuses)
        folders = await self._disk().look_everywhere() if is_here else ()
        return await plan_removal(statuses, installed, folders)

    async def import_gguf(self, host_url: str, path: Path, name: str) -> AsyncGenerator[Progress, None]:
        """Create a model from a GGUF file on this machine."""
        name = listed_name(name)
        with self._journal.act(EventKind.IMPORT, host_url, name):
            host = self._allowed(host_url, Capability.IMPORT, act=True)
            async with aclosing(host.import_gguf(path, name)) as steps:
                async for step in steps:
                    yield step
        await self._settle(host)

    async def copy(self, host_url: str, model: str, name: str, *, replace: bool = False) -> None:
        """Give a model a second name. A model that has this name already is replaced only if ``replace``."""
        name = listed_name(name)
        with self._journal.act(EventKind.COPY, host_url, model, ends_well=False):
            host = self._allowed(host_url, Capability.COPY, act=True)
            if not replace:
                await _check_free(host, name)
            await host.copy(model, name)
        self._done(EventKind.COPY, "copy.done", host_url, model, name)
        await self._settle(host)

    def copy_to(
        self, host_url: str, model: str, to_url: str, name: str = "", *, replace: bool = False
    ) -> AsyncGenerator[Progress, None]:
        """Copy a model to another host, there with its own name or ``name``; see `core.transfer`."""
        return transfer(self._parts, host_url, model, to_url, name, replace=replace)

    async def rename(self, host_url: str, model: str, name: str) -> None:
        """Copy a model and remove its old name. A loaded model stays loaded, under the new name.

        If the old name cannot be removed, the copy is removed again.
        """
        name = listed_name(name)
        with self._journal.act(EventKind.RENAME, host_url, model, ends_well=False):
            host = self._allowed(host_url, Capability.COPY, act=True)
            self._allowed(host_url, Capability.DELETE, act=True)
            await _check_free(host, name)
            status = self._monitors[host_url].status(model)
            await host.copy(model, name)
            try:
                await host.delete(model)
            except (HostError, asyncio.CancelledError):
                await asyncio.shield(_take_back(host, model, name))
                raise
        keys = model_key(model), model_key(name)
        self._session.write(lambda store: store.preferences.renamed(host_url, *keys, name))
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
        """Create a model from an installed one; arguments that are None are inherited from ``base``."""
        name = listed_name(name)
        with self._journal.act(EventKind.CREATE, host_url, name):
            host = self._allowed(host_url, Capability.CREATE, act=True)
            if not replace:
                await _check_free(host, name)
            steps = host.create(name, base=base, system=system, parameters=parameters)
            async with aclosing(steps):
                async for step in steps:
                    yield step
        await self._settle(host)

    # --- questions ---

    async def details(self, host_url: str, model: str) -> ModelDetails:
        details = await self._allowed(host_url, Capability.SHOW).show(model)
        self._fit().on_details(host_url, model, details)
        return details

    async def capabilities(self, host_url: str, model: str) -> frozenset[str] | None:
        """What a model can do; None if nobody tells. A server of Ollama tells it of one model at a time."""
        status = self._monitors[host_url].status(model)
        if status is not None and status.model is not None and status.model.capabilities is not None:
            return status.model.capabilities
        with suppress(HostError):
            return (await self.details(host_url, model)).capabilities
        return None

    # --- helpers ---

    async def _loads(self, host_url: str, model: str, limit: int) -> Sequence[Activation]:
        return await (await self._session.store()).activations.history(host_url, model, limit)

    async def _load_request(self, status: ModelStatus) -> LoadRequest:
        if status.running is None:
            return LoadRequest()
        with suppress(StoreError):
            loads = await self._loads(status.host, status.name, 1)
            return load_request(status.running, loads, datetime.now(UTC))
        return load_request(status.running, (), datetime.now(UTC))

    def _done(self, kind: EventKind, said: str, host_url: str, model: str, name: str) -> None:
        asked_by = self._journal.asked_by.value
        details: dict[str, object] = {"act": kind.value, "asked_by": asked_by, "end": "done"}
        sentence = Sentence(said, {"model": model, "name": name})
        self._journal.event(kind, sentence, host=host_url, model=name, details=details)


async def _check_free(host: Host, name: str) -> None:
    if any(same_model(each.name, name) for each in await host.installed()):
        raise Refused("core.name_taken", model=name, host=host.url)


async def _take_back(host: Host, model: str, name: str) -> None:
    """Remove the copy, unless the original is gone."""
    with suppress(HostError):
        if any(same_model(each.name, model) for each in await host.installed()):
            await host.delete(name)
