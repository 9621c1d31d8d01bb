"""The dashboard: one Textual app on top of the core, painted before anything heavy is imported."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual.worker import Worker, WorkerState

from llmstack_tui.base.languages import tr
from llmstack_tui.base.text import clean_lines
from llmstack_tui.tui import features, keys, themes
from llmstack_tui.tui.activity.feed import ActivityFeed
from llmstack_tui.tui.base import TerminalApp
from llmstack_tui.tui.draw import servers
from llmstack_tui.tui.models.screen import ModelsScreen
from llmstack_tui.tui.preferences import Preferences
from llmstack_tui.tui.screens import Screens
from llmstack_tui.tui.servers.connection import CONNECTION, Connection, DashboardCore
from llmstack_tui.tui.shell import ACTIONS, Controller
from llmstack_tui.tui.view import Moment, View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import PurePath

    from textual.app import SystemCommand
    from textual.binding import Binding, BindingType
    from textual.screen import Screen

    from llmstack_tui.config.settings import LoadedSettings, Settings
    from llmstack_tui.core.state import StackState
    from llmstack_tui.service.types import Server
    from llmstack_tui.tui.shell import NoteKind, Tab
    from llmstack_tui.tui.stack import (
        DashboardDoctor,
        DashboardInstallation,
        DashboardKeys,
        DashboardService,
        DashboardSettings,
        DashboardStack,
        DashboardVariables,
    )

C = TypeVar("C", bound=Controller)

# A signal or `q` ends the program within a second or two, whatever does not answer.
_CLOSE_S = 1.5
_SETTINGS_AFTER_S = 1.0


class Dashboard(TerminalApp):
    """The `Shell` around the features. Owns the connection, the state, the controllers and the screens.

    Args:
        unicode: the terminal shows more than ASCII.
        clock: returns the current time, with a time zone.
        loaded: as for `run_dashboard`.
        painted: called after the first paint.
    """

    TITLE = "llmstack"
    # The first screen's styles are here, because a screen with styles of its own has Textual parse all again.
    CSS_PATH: ClassVar[str | PurePath | list[str | PurePath] | None] = ["app.tcss", "models/screen.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [*features.OPENING, *keys.APP]

    def __init__(
        self,
        settings: Settings,
        services: DashboardCore,
        *,
        unicode: bool = True,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        loaded: LoadedSettings | None = None,
        painted: Callable[[], object] = lambda: None,
    ) -> None:
        super().__init__(unicode=unicode, ascii_only=settings.ui.ascii)
        self.settings = settings
        self.services = services
        self._clock = clock
        self._painted = painted
        self.connection = Connection(self, services)
        self.controllers = features.Controllers(self, self.connection)
        self.preferences = Preferences(
            self, services, loaded, on_change=self.use_settings, on_language=self.show_language
        )
        themes.set_first_theme(self, self.preferences.theme)
        self.models = ModelsScreen(*features.panes())
        self.models.pane.active_first = settings.ui.active_first
        self.screens = Screens(self, "models", self.models, self.follow_state)
        self.state: StackState | None = None
        self._followed: StackState | None = None
        self.farewell = ""

    # Start and end

    def get_default_screen(self) -> Screen[None]:
        return self.models

    def on_mount(self) -> None:
        self.preferences.begin()
        self.screens.begin()
        # After Ctrl-Z and fg the terminal is empty, but Textual believes that everything is still shown.
        self.app_resume_signal.subscribe(self, lambda _: self.refresh(layout=True))
        # Paint first: the connection's imports take longer than drawing the screen.
        self.call_after_refresh(self.connect_first)

    def connect_first(self) -> None:
        if not self.is_running:
            return  # Textual also calls back after the app has ended, when nobody waits for new work.
        self._painted()
        self.start(
            tr("The features"), partial(asyncio.to_thread, features.import_controllers), group="features"
        )
        self.connection.connect()
        # Later, so as not to delay the first list: nobody edits the settings that soon.
        self.set_timer(_SETTINGS_AFTER_S, self.start_background_work)

    def start_background_work(self) -> None:
        if self.is_running:
            self.start(tr("The styles"), lambda: themes.read_styles_ahead(self), group="styles")
            self.preferences.start_following()

    async def on_unmount(self) -> None:
        """Let running work close its connections, then release the engine that we started."""
        self.workers.cancel_all()
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await asyncio.gather(*(worker.wait() for worker in [*self.workers]), return_exceptions=True)
        self.connection.release()

    async def action_quit(self) -> None:
        self.act("downloads.leave")

    def end(self, return_code: int) -> None:
        self.farewell = clean_lines("".join(each.farewell() for each in self.controllers), None)
        super().end(return_code)

    # The state

    @property
    def view(self) -> View:
        moment = Moment(self._clock().astimezone(), time.monotonic())
        return View(self.state, moment, self.preferences.first_keys)

    @property
    def stack(self) -> DashboardStack | None:
        return self.connection.stack

    @property
    def own_engine(self) -> str | None:
        return self.connection.own_engine

    @property
    def selected_host(self) -> str | None:
        return self.models.selected_host

    @property
    def host_names(self) -> dict[str, str]:
        return {host.url: host.name for host in self.settings.hosts}

    @property
    def read_only(self) -> bool:
        return self.preferences.read_only

    def connected(self, stack: DashboardStack) -> None:
        """Take note that a server is followed from now on."""
        self.preferences.connected(stack)
        self.models.connected(stack)

    def show_state(self, state: StackState | None) -> None:
        """Draw the state; None while there is no server."""
        self.state = state
        if state is not None:
            self.screens.draw()

    def follow_state(self) -> None:
        """Have the features take note of the state, once for each."""
        # A remembered state, shown until the servers are found, is drawn but not acted on.
        if self.stack is None or self.state is None or self.state is self._followed:
            return
        self._followed = self.state
        for controller in self.controllers:
            controller.follow(self.state)

    def say(self, text: str, *, waiting: bool = False) -> None:
        """Show what is going on while there is no server yet; ``waiting`` adds the seconds waited."""
        self.screens.say(text.replace("…", self.marks.dots), waiting=waiting)

    def notes(self) -> tuple[str, ...]:
        if self.stack is None:
            return ()
        return tuple(note for each in self.controllers for note in each.notes())

    def trouble(self) -> str:
        view = self.view
        away = servers.banner(view, restart=self.connection.engine_is_away, names=self.host_names)
        asked = [each.asks(view) for each in self.controllers] if self.stack is not None else []
        return " ".join(filter(None, [away, *asked]))

    def select(self, url: str, name: str) -> None:
        self.models.select(url, name)

    def use_settings(self, settings: Settings) -> None:
        """Apply the settings, as they are in the file now."""
        self.use_ascii(settings.ui.ascii)
        self.models.pane.active_first = settings.ui.active_first
        self.screens.redraw()

    def show_language(self) -> None:
        """Show everything in the language of now."""
        self.call_next(self.screens.follow_language)

    def action_use_language(self, code: str) -> None:
        self.preferences.use_language(code)

    # The features

    def tabs(self) -> Sequence[Tab]:
        return features.tabs(self.state, self.preferences.first_keys)

    async def installation(self) -> DashboardInstallation:
        return await self.services.installation()

    async def service(self, server: Server) -> DashboardService:
        return await self.services.service(server)

    async def check_up(self) -> DashboardDoctor:
        return await self.services.check_up()

    async def open_settings(self) -> DashboardSettings:
        return await self.services.open_settings()

    @property
    def given(self) -> frozenset[str]:
        return self.preferences.given

    def contexts(self) -> Mapping[str, Sequence[Binding]]:
        return features.CONTEXTS

    async def own_themes(self) -> Sequence[str]:
        return await self.preferences.own_themes()

    def search_themes(self) -> None:
        self.start(tr("The themes"), self._search_themes, group="themes")

    async def _search_themes(self) -> None:
        await self.own_themes()
        super().search_themes()

    def preview_theme(self, name: str | None) -> None:
        self.preferences.preview_theme(name)

    async def api_keys(self) -> DashboardKeys:
        return await self.services.keys()

    async def variables(self) -> DashboardVariables:
        return await self.services.server_variables()

    async def open(self, name: str, *about: object) -> None:
        await self.screens.open(name, *about)

    async def action_open(self, name: str) -> None:
        await self.open(name)

    def act(self, name: str, *about: object) -> None:
        self.controllers.act(name, *about)

    def controller(self, kind: type[C]) -> C:
        return self.controllers.get(kind)

    def record(self, kind: NoteKind, *texts: str, **details: object) -> None:
        self.controller(ActivityFeed).record(kind, *texts, **details)

    def draw(self) -> None:
        self.screens.draw()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """The one place where an error in the background becomes a sentence on the screen."""
        worker = event.worker
        if event.state is not WorkerState.ERROR or worker.error is None:
            return
        is_recorded = worker.group == ACTIONS
        self.controller(ActivityFeed).failed(worker.description, worker.error, is_recorded=is_recorded)
        if worker.group == CONNECTION:
            key = self.view.keys["models.refresh"]
            self.say(tr("The connection to the server ended. Press {key} to try again.", key=key))

    # Keys

    def shown_keys(self) -> dict[str, str]:
        return self.preferences.shown_keys()

    def action_help(self) -> None:
        from llmstack_tui.tui.help import HelpScreen

        machine = servers.machine_text(self.state, self.settings)
        places = (*(((tr("Profile"), machine),) if machine else ()), *self.services.places())
        self.push_screen(HelpScreen(features.CONTEXTS, places), self._after_help)

    async def _after_help(self, feature: str | None) -> None:
        if feature:
            await self.open(feature)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        from llmstack_tui.tui.palette import key_commands

        return key_commands(self, screen, self.shown_keys())

    def on_app_focus(self) -> None:
        self._set_visible(True)

    def on_app_blur(self) -> None:
        self._set_visible(False)

    def _set_visible(self, visible: bool) -> None:
        if self.stack is not None:
            self.stack.set_visible(visible)
