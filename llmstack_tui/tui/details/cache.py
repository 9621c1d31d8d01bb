"""The details of models that the user looks at: asked of their servers, and kept while current."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.languages import tr
from llmstack_tui.hosts.errors import HostError
from llmstack_tui.tui.shell import Controller

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from textual.worker import Worker

    from llmstack_tui.core.state import StackState
    from llmstack_tui.core.types import Speed, Uses
    from llmstack_tui.fit.verdict import Fitted
    from llmstack_tui.hosts.types import ModelDetails
    from llmstack_tui.lifecycle.placement import Fallback
    from llmstack_tui.lifecycle.states import ModelStatus
    from llmstack_tui.tui.shell import Shell
    from llmstack_tui.tui.stack import DashboardStack
    from llmstack_tui.tui.view import Key, View
    from llmstack_tui.updates.rules import Update

DETAILS, USES = "details", "uses"
_REST_S = 0.15
_USES_EVERY_S = 1.0
# Few, because one answer may hold a template of a megabyte.
_MOST_DETAILS = 64


class CachedFacts(Struct, frozen=True):
    """What is known of one model.

    Attributes:
        details: None until the server has been asked; the list already has most facts.
        speed: that of the last answer of ours that was timed.
        uses: how often it was loaded, as far as llmstack saw.
        update: whether it is up to date; None until that is known.
        fitted: the memory that it would take here.
        fallback: why it runs on the CPU although it could run on a card; None if it does not.
        device: bytes that it takes as measured by the devices; ``on_card``: these are cards.
        now: the time in the viewer's time zone, for writing other times.
        pinned: the guard never stops it. ``overridden``: another client has set a time at which it leaves all
            the same. ``renewed``: the guard extends its stay before that time.
    """

    status: ModelStatus
    details: ModelDetails | None = None
    speed: Speed | None = None
    uses: Uses | None = None
    update: Update | None = None
    fitted: Fitted | None = None
    fallback: Fallback | None = None
    device: int | None = None
    on_card: bool = False
    now: datetime | None = None
    pinned: bool = False
    overridden: bool = False
    renewed: bool = False


def digest_of(status: ModelStatus | None) -> str:
    """The digest of the installed version; "" if there is none."""
    return status.model.digest if status and status.model else ""


class DetailsCache(Controller):
    """Fetches what the list does not have: details from the server, uses from the store."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self._details: dict[tuple[str, str, str], ModelDetails] = {}
        self._uses: dict[str, Mapping[str, Uses]] = {}
        self._looked_at: tuple[str, str, str, bool] | None = None
        self._asking: Worker[object] | None = None
        self._read_until = 0
        self._is_reading = False

    def about(self, view: View, key: Key | None) -> CachedFacts | None:
        """All that is known of a model now, without a request; None if no server lists it."""
        status = view.model(key) if key else None
        if key is None or status is None:
            return None
        host, running = view.host(status.host), status.running
        machine = view.state.machine if view.state else None
        fallen, device, on_card = None, None, False
        if running is not None and host is not None:
            from llmstack_tui.lifecycle.placement import device_bytes, fallback, model_devices

            fallen = fallback(running, host.snapshot, machine)
            if machine is not None:
                device, on_card = device_bytes(running, machine), model_devices(machine)[0] is not machine.ram
        guard = view.state.guards.get(status.host) if view.state else None
        return CachedFacts(
            status,
            self._details.get((*key, digest_of(status))),
            speed=host.speeds.get(status.name) if host else None,
            uses=self._uses.get(status.host, {}).get(status.name),
            update=host.updates.get(status.name) if host else None,
            fitted=host.fits.get(status.name) if host else None,
            fallback=fallen,
            device=device,
            on_card=on_card,
            now=view.moment.now,
            pinned=guard is not None and status.name in guard.pinned,
            overridden=guard is not None and running is not None and running.name in guard.overridden,
            renewed=guard is not None and running is not None and running.name in guard.renewed,
        )

    def look_at(self, about: CachedFacts) -> None:
        """Ask for the details of a model once the cursor rests on it.

        May be called often: asks again only when the model's version has changed or its server has come back.
        """
        key = (about.status.host, about.status.name)
        host = self._shell.view.host(about.status.host)
        looked_at = (*key, digest_of(about.status), host is not None and host.snapshot.reachable)
        if looked_at == self._looked_at:
            return
        self._looked_at = looked_at
        if self._asking is not None:
            self._asking.cancel()
        if about.details is None:
            self._asking = self._shell.start(tr("Details"), partial(self._ask_at_rest, key), group=DETAILS)

    async def ask(self, stack: DashboardStack, key: Key) -> None:
        """Ask for the details of a model now.

        Raises:
            HostError: the server gives no details.
        """
        digest = digest_of(self._shell.view.model(key))
        details = await stack.actions.details(*key)
        while len(self._details) >= _MOST_DETAILS:
            del self._details[next(iter(self._details))]
        self._details[(*key, digest)] = details

    def follow(self, state: StackState) -> None:
        """Read the uses again when there are new events."""
        if state.last_event_id > self._read_until and not self._is_reading:
            self._is_reading = True
            self._shell.start(tr("Uses"), self._read_uses, group=USES)

    async def _ask_at_rest(self, key: Key) -> None:
        await asyncio.sleep(_REST_S)
        if (stack := self._shell.stack) is None:
            return
        with suppress(HostError):  # The pane keeps the list's facts; a server that is away has a banner.
            await self.ask(stack, key)
            self._shell.draw()

    async def _read_uses(self) -> None:
        from llmstack_tui.core.types import StoreError

        try:
            while (stack := self._shell.stack) and stack.state.last_event_id > self._read_until:
                self._read_until = stack.state.last_event_id
                try:
                    for host in stack.state.hosts:
                        url = host.snapshot.url
                        uses = await stack.records.uses(url)
                        # The history may know thousands of models that are gone.
                        listed = {model.name for model in host.models}
                        self._uses[url] = {name: uses[name] for name in listed & uses.keys()}
                except StoreError:
                    return  # A notice says already what is wrong with the store.
                self._shell.draw()
                await asyncio.sleep(_USES_EVERY_S)
        finally:
            self._is_reading = False
