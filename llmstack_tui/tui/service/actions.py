"""Looks at the services, and starts and stops them after a question."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from llmstack_tui.base.languages import later, tr
from llmstack_tui.base.sentences import UserFacingError
from llmstack_tui.service.types import SERVERS
from llmstack_tui.tui.draw.text import models_text
from llmstack_tui.tui.shell import Controller

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from llmstack_tui.service.types import Server, ServiceState
    from llmstack_tui.tui.shell import Shell
    from llmstack_tui.tui.stack import DashboardService

NAMES: dict[Server, str] = {"ollama": "Ollama", "engine": later("The built-in engine")}
_GROUP = "services"
_LOOK_EVERY_S = 0.5


class ServiceController(Controller):
    """Keeps what was seen last.

    Attributes:
        states: by server; none before the first look.
        doing: what is under way, in a few words.
        problems: why a service could not be looked at.
    """

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self.states: dict[Server, ServiceState] = {}
        self.doing: dict[Server, str] = {}
        self.problems: dict[Server, str] = {}
        self.is_looking = False
        self._waits: set[Server] = set()
        self._hurried: set[Server] = set()

    def look(self) -> None:
        """Look at all services now."""
        self._shell.start(tr("The services"), self._look, group=_GROUP, exclusive=True)

    async def _look(self) -> None:
        from llmstack_tui.core.wording import words

        self.is_looking = True
        try:
            for server in SERVERS:
                try:
                    self.states[server] = await (await self._shell.service(server)).state()
                    self.problems.pop(server, None)
                except UserFacingError as error:
                    self.problems[server] = words(error)
        finally:
            self.is_looking = False
        self._shell.draw()

    def start(self, server: Server) -> None:
        if self._may_act(server):
            act = partial(self._act, server, tr("It is being started"), lambda service: service.start())
            self._start(tr("The start"), act)

    def stop(self, server: Server) -> None:
        """Stop it after a question; while that waits for requests, at once after another one."""
        if server in self._waits:
            self._start(tr("The stop"), partial(self._hurry, server))
        elif self._may_act(server):
            self._start(tr("The stop"), partial(self._stop, server))

    def restart(self, server: Server) -> None:
        if self._may_act(server):
            self._start(tr("The restart"), partial(self._stop, server, again=True))

    def enable(self, server: Server) -> None:
        """Have it start by itself if it does not, and else no longer."""
        state = self.states.get(server)
        if state is not None and self._may_act(server):
            enabled = not state.is_enabled
            act = partial(self._act, server, tr("Working"), lambda service: service.enable(enabled), up=False)
            self._start(tr("The start at login"), act)

    def _may_act(self, server: Server) -> bool:
        if self._shell.read_only:
            self._shell.tell(tr("Nothing can be changed: llmstack is read-only."))
            return False
        if server in self.doing:
            self._shell.tell(tr("Something is under way there already."))
            return False
        return True

    async def _stop(self, server: Server, *, again: bool = False) -> None:
        name = tr(NAMES[server])
        said = tr("Its models leave the memory. Running requests are waited for.")
        if busy := self._busy(await self._url(server)):
            said = tr("{models} answers now. That is waited for.", models=models_text(busy))
        title = tr("Restart {name}?", name=name) if again else tr("Stop {name}?", name=name)
        if not await self._confirm(title, said, tr("Leave it"), tr("Restart it") if again else tr("Stop it")):
            return
        if again:
            await self._act(server, tr("It is being restarted"), lambda service: service.restart(), wait=True)
        else:
            doing = tr("It is being stopped")
            await self._act(server, doing, lambda service: service.stop(), up=False, wait=True)

    async def _hurry(self, server: Server) -> None:
        said = tr("The running requests are cut.")
        if await self._confirm(tr("Now?"), said, tr("Wait"), tr("Cut them"), dangerous=True):
            self._hurried.add(server)

    async def _act(
        self,
        server: Server,
        doing: str,
        act: Callable[[DashboardService], Awaitable[None]],
        *,
        up: bool = True,
        wait: bool = False,
    ) -> None:
        """Carry something out, as root if that is necessary; ``up``: it is to answer afterwards."""
        from llmstack_tui.base.commands import NeedsRoot

        service = await self._shell.service(server)
        try:
            if wait:
                await self._until_quiet(server, service.url)
            self._say(server, doing)
            try:
                await act(service)
            except NeedsRoot as error:
                said = f"{error.command.shown}\n\n{tr('sudo asks for your password on the terminal.')}"
                if not await self._confirm(tr("This needs root"), said, tr("Not now"), tr("Run it")):
                    return
                await self._shell.run_as_root(error.command)
                if up:
                    await service.until_up()
        finally:
            self._hurried.discard(server)
            self._waits.discard(server)
            self.doing.pop(server, None)
            await self._look()

    async def _until_quiet(self, server: Server, url: str | None) -> None:
        while (busy := self._busy(url)) and server not in self._hurried:
            self._waits.add(server)
            key = self._shell.view.keys["service.stop"]
            models = models_text(busy)
            self._say(server, tr("Waiting for the requests of {models}; {key}: now", models=models, key=key))
            await asyncio.sleep(_LOOK_EVERY_S)
        self._waits.discard(server)

    def _say(self, server: Server, doing: str) -> None:
        if self.doing.get(server) != doing:
            self.doing[server] = doing
            self._shell.draw()

    async def _url(self, server: Server) -> str | None:
        return (await self._shell.service(server)).url

    def _busy(self, url: str | None) -> tuple[str, ...]:
        """The models there that show a sign of a running request."""
        from llmstack_tui.base.address import server_id

        if url is None:
            return ()
        models = self._shell.view.models()
        return tuple(each.name for each in models if each.busy and server_id(each.host) == server_id(url))
