"""What is asked about the models that somebody looks at, and remembered as long as it is so."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from llmstack_tui.hosts.errors import HostError
from llmstack_tui.tui.deferred import Later
from llmstack_tui.tui.details.pane import About

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.timer import Timer

    from llmstack_tui.core import Stack, StackState
    from llmstack_tui.hosts.types import ModelDetails
    from llmstack_tui.store.tables.activations import Uses
    from llmstack_tui.tui.app import Dashboard
    from llmstack_tui.tui.models.rows import Key
    from llmstack_tui.tui.screen import View

DETAILS, USES = "details", "uses"
_REST_S = 0.15
_USES_EVERY_S = 1.0
# One answer may hold a template of a megabyte.
_MOST_DETAILS = 64


class Looking:
    """What the list does not tell: details from the server, uses from the store."""

    def __init__(self, app: Dashboard) -> None:
        self._app = app
        self._details: dict[tuple[str, str, str], ModelDetails] = {}
        self._uses: dict[str, Mapping[str, Uses]] = {}
        self._looked_at: tuple[str, str, str, bool] | None = None
        self._resting: Timer | None = None
        self._read_until = 0
        self._is_reading = False

    def about(self, view: View, key: Key | None) -> About | None:
        """All that is known of a model now, without asking anybody; None if no server lists it."""
        status = view.model(key) if key else None
        if key is None or status is None:
            return None
        host, running = view.host(status.host), status.running
        machine = view.state.machine if view.state else None
        fallen, device, on_card = None, None, False
        if running is not None and host is not None:
            from llmstack_tui.lifecycle.placement import device_bytes, fallback, homes

            fallen = fallback(running, host.snapshot, machine)
            if machine is not None:
                device, on_card = device_bytes(running, machine), homes(machine)[0] is not machine.ram
        guard = view.state.guards.get(status.host) if view.state else None
        return About(
            status,
            self._details.get((*key, status.model.digest if status.model else "")),
            speed=host.speeds.get(status.name) if host else None,
            uses=self._uses.get(status.host, {}).get(status.name),
            update=host.updates.get(status.name) if host else None,
            fitted=host.fits.get(status.name) if host else None,
            fallback=fallen,
            device=device,
            on_card=on_card,
            now=view.moment.now.astimezone(),
            pinned=guard is not None and status.name in guard.pinned,
            overridden=guard is not None and running is not None and running.name in guard.overridden,
            renewed=guard is not None and running is not None and running.name in guard.renewed,
        )

    def look_at(self, about: About) -> None:
        """Ask for the details of a model, once the cursor has come to rest on it.

        May be called at any time: it asks again only when the model has another version, or its server has
        come back.
        """
        key = (about.status.host, about.status.name)
        host = self._app.view.host(about.status.host)
        digest = about.status.model.digest if about.status.model else ""
        looked_at = (*key, digest, host is not None and host.snapshot.reachable)
        if looked_at == self._looked_at:
            return
        self._looked_at = looked_at
        if self._resting is not None:
            self._resting.stop()
        if about.details is None:
            self._resting = self._app.set_timer(_REST_S, lambda: self._ask(key))

    async def ask(self, stack: Stack, key: Key) -> None:
        """Ask for the details of a model now.

        Raises:
            HostError: the server does not tell.
        """
        digest = self._digest(key)
        details = await stack.details(*key)
        while len(self._details) >= _MOST_DETAILS:
            del self._details[next(iter(self._details))]
        self._details[(*key, digest)] = details

    def follow(self, state: StackState) -> None:
        """Look up the uses again when something has happened."""
        if state.last_event_id > self._read_until and not self._is_reading:
            self._is_reading = True
            self._app.run_worker(Later(self._read_uses), group=USES, description="Uses", exit_on_error=False)

    def _ask(self, key: Key) -> None:
        if (stack := self._app.connection.stack) is not None:
            self._app.run_worker(
                Later(self._look_at, stack, key),
                group=DETAILS,
                exclusive=True,
                description="Details",
                exit_on_error=False,
            )

    async def _look_at(self, stack: Stack, key: Key) -> None:
        try:
            await self.ask(stack, key)
        except HostError:
            return  # The pane keeps what the list tells; a server that is away has its banner.
        self._app.models.show_details()

    async def _read_uses(self) -> None:
        from llmstack_tui.store.errors import StoreError

        try:
            while (stack := self._app.connection.stack) and stack.state.last_event_id > self._read_until:
                self._read_until = stack.state.last_event_id
                try:
                    for host in stack.state.hosts:
                        url = host.snapshot.url
                        uses = await stack.uses(url)
                        # Of models that are gone the history may know thousands.
                        listed = {model.name for model in host.models}
                        self._uses[url] = {name: uses[name] for name in listed & uses.keys()}
                except StoreError:
                    return  # What is wrong with the file is a notice of the stack's.
                self._app.models.show_details()
                await asyncio.sleep(_USES_EVERY_S)
        finally:
            self._is_reading = False

    def _digest(self, key: Key) -> str:
        status = self._app.view.model(key)
        return status.model.digest if status and status.model else ""
