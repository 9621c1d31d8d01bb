"""The dashboard: one Textual app over the core, painted before anything heavy is imported."""

from __future__ import annotations

import asyncio
import importlib
import time
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from textual.app import App
from textual.command import CommandPalette
from textual.worker import Worker, WorkerState

from llmstack_tui.base.names import same_model
from llmstack_tui.base.text import clean_lines
from llmstack_tui.tui import garbage, keys, styles, themes
from llmstack_tui.tui.activity.feed import Telling
from llmstack_tui.tui.controller import ACTS
from llmstack_tui.tui.deferred import Later
from llmstack_tui.tui.details.cache import Looking
from llmstack_tui.tui.draw import servers as status
from llmstack_tui.tui.draw.glyphs import ASCII, UNICODE, Marked
from llmstack_tui.tui.guard.actions import GuardActs
from llmstack_tui.tui.memory.fallback import Falling
from llmstack_tui.tui.models.actions import Acts
from llmstack_tui.tui.models.rows import Moment
from llmstack_tui.tui.models.screen import ModelsScreen
from llmstack_tui.tui.preferences import SETTINGS, Preferences
from llmstack_tui.tui.screen import LiveScreen, View
from llmstack_tui.tui.servers.connection import Connection
from llmstack_tui.tui.switcher import Switching
from llmstack_tui.tui.updates.actions import UpdateActs
from llmstack_tui.tui.updates.notifier import News
from llmstack_tui.tui.widgets.header import profile_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import PurePath

    from textual.app import SystemCommand
    from textual.binding import Binding, BindingType
    from textual.command import Provider
    from textual.screen import Screen

    from llmstack_tui.config import Settings
    from llmstack_tui.config.loading import LoadedSettings
    from llmstack_tui.core import StackState
    from llmstack_tui.core.services import Services
    from llmstack_tui.tui.activity.list import ActivityList
    from llmstack_tui.tui.downloads.actions import Downloading
    from llmstack_tui.tui.draw.glyphs import Marks
    from llmstack_tui.tui.models.rows import Key
    from llmstack_tui.tui.widgets.tabs import Tabs

_CONNECTION = "connection"
_TICK_S = 1.0
_TWICE_S = 2.0
_CLOSE_S = 5.0
_SETTINGS_AFTER_S = 1.0


def _model_commands() -> type[Provider]:
    from llmstack_tui.tui.palette import ModelCommands

    return ModelCommands


def _now() -> datetime:
    return datetime.now(UTC)


class Dashboard(App[None]):
    """Owns the way to the servers, the acts under way, and the screens that show them.

    Args:
        problems: what was wrong in the settings, one sentence each.
        unicode: whether the terminal shows more than ASCII.
        clock: the time now, with a zone.
        loaded: as of `run_dashboard`.
    """

    TITLE = "llmstack"
    # The first screen's own: a screen that brings its styles has Textual parse all of them a second time.
    CSS_PATH: ClassVar[str | PurePath | list[str | PurePath] | None] = [
        "tab.tcss",
        "models/screen.tcss",
    ]
    CSS = """
    .-ascii Pane, .-ascii #dialog { border: ascii $pane-border; }
    .-ascii Pane:focus-within { border: ascii $primary; }
    .-ascii Toast { border-left: ascii $foreground; }
    .-ascii ScrollableContainer { scrollbar-size-vertical: 0 !important; }
    .-ascii Headings { padding: 0; }
    .-ascii CommandPalette #--input, .-ascii CommandPalette CommandList,
    .-ascii CommandPalette #--input.--list-visible { border: ascii $pane-border; }
    .-ascii CommandPalette SearchIcon, .-ascii CommandPalette LoadingIndicator { display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*keys.APP]
    COMMANDS = App.COMMANDS | {_model_commands}

    def __init__(
        self,
        settings: Settings,
        problems: Sequence[str],
        services: Services,
        *,
        unicode: bool = True,
        clock: Callable[[], datetime] = _now,
        loaded: LoadedSettings | None = None,
    ) -> None:
        super().__init__()
        self._clock = clock
        for theme in themes.THEMES.values():
            self.register_theme(theme)
        self._unicode = unicode
        self.marks = self._fitting_marks(ascii_only=settings.ui.ascii)
        self.settings = settings
        self.connection = Connection(self, services)
        self.acts = Acts(self)
        self.updating = UpdateActs(self)
        self.guarding = GuardActs(self)
        self.looking = Looking(self)
        self.telling = Telling(self)
        self.news = News(self)
        self.falling = Falling(self)
        self.activity = self.telling.activity
        self.services = services
        self.preferences = Preferences(self, settings, problems, loaded)
        themes.begin_with(self, self.preferences.theme)
        notes = ("read-only",) if settings.read_only else ()
        self.set_class(self.marks is ASCII, "-ascii")
        self.models = ModelsScreen(self.marks, notes=notes)
        self.switching = Switching(self)
        self.farewell = ""
        self._state: StackState | None = None
        self._saying = status.Saying("Starting")
        self._wanted: Key | None = None
        self._drawn_s = self._interrupted_s = float("-inf")

    # The screens

    def _fitting_marks(self, *, ascii_only: bool) -> Marks:
        return ASCII if ascii_only or not self._unicode else UNICODE

    def use_ascii(self, ascii_only: bool) -> None:
        """Draw with other marks from now on, if the terminal can; a dialog that is open keeps its own."""
        self.marks = self._fitting_marks(ascii_only=ascii_only)
        self.set_class(self.marks is ASCII, "-ascii")
        for screen in self.screen_stack:
            for node in (screen, *screen.walk_children()):
                if isinstance(node, Marked):
                    node.use_marks(self.marks)
                node.refresh()
        self._draw()

    def get_default_screen(self) -> Screen[None]:
        return self.models

    def get_theme_variable_defaults(self) -> dict[str, str]:
        # Textual's own themes, which the palette offers, do not have it.
        return {**super().get_theme_variable_defaults(), "pane-border": "#67707c"}

    def on_mount(self) -> None:
        self.preferences.begin()
        self.set_interval(_TICK_S, self._tick)
        # After Ctrl-Z and fg the terminal is empty, and Textual believes that it still shows everything.
        self.app_resume_signal.subscribe(self, lambda _: self.refresh(layout=True))
        # Paint first: what is behind the connection takes longer to import than the screen to draw.
        self.call_after_refresh(self._connect_first)

    async def on_unmount(self) -> None:
        """Let what was under way close its connections, then let go of the engine that we started."""
        self.workers.cancel_all()
        async with asyncio.timeout(_CLOSE_S):
            await asyncio.gather(*(worker.wait() for worker in [*self.workers]), return_exceptions=True)
        self.connection.release()

    @property
    def view(self) -> View:
        moment = Moment(self._clock(), time.monotonic())
        return View(self._state, moment, self.preferences.first_keys)

    def _connect_first(self) -> None:
        if not self.is_running:
            return  # Textual calls back also after the end: nobody would wait for what begins now.
        garbage.painted()
        self.connect()
        # Not beside the connection: the first list comes sooner than anybody edits the settings.
        self.set_timer(_SETTINGS_AFTER_S, self._begin_the_rest)

    def _begin_the_rest(self) -> None:
        if not self.is_running:
            return  # See above.
        self.run_worker(Later(styles.read_ahead, self), description="The styles", exit_on_error=False)
        self.run_worker(
            Later(self.preferences.follow), group=SETTINGS, description="The settings", exit_on_error=False
        )

    def connect(self) -> None:
        """Find a server and follow it; one that was followed before is let go."""
        self._state = None
        self.run_worker(
            Later(self.connection.run),
            group=_CONNECTION,
            exclusive=True,
            description="The connection to the server",
            exit_on_error=False,
        )

    def show_state(self, state: StackState) -> None:
        self._state = state
        self.telling.follow(self.connection.stack, state)
        self.news.follow(self.connection.stack, state)
        self.falling.follow(state)
        self.guarding.follow(state)
        self.downloading.follow(state)
        self._draw()
        self.looking.follow(state)
        self._select_wanted(state)

    def say(self, text: str, *, waiting: bool = False) -> None:
        """What is going on while there is no server yet; a wait is shown with its seconds."""
        text = text.replace("…", "...") if self.marks is ASCII else text
        self._saying = status.Saying(text, time.monotonic() if waiting else None)
        self._draw()

    def select_when_listed(self, url: str, name: str) -> None:
        """Put the cursor on a model as soon as the server lists it."""
        self._wanted = (url, name)
        if self._state is not None:
            self._select_wanted(self._state)

    def _select_wanted(self, state: StackState) -> None:
        if self._wanted is None:
            return
        url, name = self._wanted
        for model in (model for host in state.hosts for model in host.models):
            if model.host == url and same_model(model.name, name):
                self._wanted = None
                # It may lie under another screen, and not list it yet.
                self.models.show(self.view)
                self.models.pane.move_to((url, model.name))
                return

    def _tick(self) -> None:
        """Let what is counted in seconds go on; a state that came meanwhile has drawn it already.

        The machine is read as often as this ticks: where one of both has drawn, the other need not.
        """
        if time.monotonic() - self._drawn_s > _TICK_S * 0.9:
            self._draw()

    def _draw(self) -> None:
        self._drawn_s = time.monotonic()
        view = self.view
        if not self.models.is_mounted:
            return
        self.models.pane.show_message(status.message(view, self._saying), status.no_match(view))
        for screen in self._drawn():
            screen.show(view)

    def _drawn(self) -> Iterator[LiveScreen]:
        """The screens that can be seen: what lies under more than a dialog is drawn when it comes up again.

        Textual paints all of the uppermost one when something below it has changed.
        """
        is_seen = True
        for screen in reversed(self.screen_stack):
            if isinstance(screen, LiveScreen) and screen.is_mounted:
                if is_seen:
                    yield screen
                screen.is_behind = not is_seen
            is_seen = is_seen and screen.is_modal

    # What is said

    @property
    def host_names(self) -> dict[str, str]:
        """What the user calls the hosts, by their URLs."""
        return {host.url: host.name for host in self.settings.hosts}

    def trouble(self, view: View) -> str:
        """The banner's text."""
        return status.banner(view, restart=self.connection.engine_is_away, names=self.host_names)

    def now(self) -> datetime:
        return self._clock().astimezone()

    def draw_activity(self) -> None:
        for screen in self._drawn():
            screen.show_activity(self.activity)

    def tell(self, text: str, *, title: str = "") -> None:
        self.notify(clean_lines(text), title=title, markup=False)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """The one place where what went wrong in an act becomes a sentence on the screen."""
        worker = event.worker
        if event.state is WorkerState.ERROR and worker.error is not None:
            self.telling.failed(worker.description, worker.error, is_recorded=worker.group == ACTS)
        if worker.group == _CONNECTION and event.state is WorkerState.ERROR:
            key = self.preferences.first_keys["models.refresh"]
            self.say(f"The connection to the server ended. Press {key} to try again.")

    # Keys

    @cached_property
    def downloading(self) -> Downloading:
        """What keys do to pulls: of no use before another screen is opened."""
        from llmstack_tui.tui.downloads.actions import Downloading

        return Downloading(self)

    def action_go(self, name: str) -> None:
        self.switching.go(name)

    async def action_disk(self) -> None:
        await asyncio.to_thread(importlib.import_module, "llmstack_tui.tui.disk.screen")
        from llmstack_tui.tui.disk.screen import DiskScreen

        if not isinstance(self.screen, DiskScreen):
            self.push_screen(DiskScreen(self.marks))

    def on_tabs_chosen(self, message: Tabs.Chosen) -> None:
        self.switching.go(message.name)

    def open_details(self, key: Key) -> None:
        from llmstack_tui.tui.details.screen import DetailsScreen

        self.push_screen(DetailsScreen(key, self.marks))

    def open_activity(self) -> None:
        from llmstack_tui.tui.activity.screen import ActivityScreen

        self.push_screen(ActivityScreen(self.marks))

    def open_updates(self) -> None:
        from llmstack_tui.tui.updates.screen import UpdatesScreen

        self.push_screen(UpdatesScreen(self.marks))

    def on_activity_list_event_opened(self, message: ActivityList.EventOpened) -> None:
        from llmstack_tui.tui.activity.line import LineScreen

        self.push_screen(LineScreen(message.event))

    def action_help(self) -> None:
        from llmstack_tui.tui.help.screen import HelpScreen

        profile = self._state.profile if self._state else None
        limit = status.limit(self._state, self.settings)
        machine = (("Profile", profile_text(profile, limit)),) if profile else ()
        places = (*machine, *self.services.places())
        self.push_screen(HelpScreen(self.marks, self.preferences.shown_keys(), places))

    def refresh_state(self) -> None:
        """Look again now; where the built-in engine has gone, start it again."""
        if self.connection.stack is None or self.connection.engine_is_away:
            self.connect()
        else:
            self.connection.stack.refresh()

    def get_key_display(self, binding: Binding) -> str:
        if binding.key == "enter":
            return self.marks.enter
        shown = super().get_key_display(binding)
        return binding.key if self.marks is ASCII and not shown.isascii() else shown

    def action_command_palette(self) -> None:
        if not isinstance(self.screen, CommandPalette):
            self.push_screen(
                CommandPalette(placeholder="Search for commands and models", id="--command-palette")
            )

    async def action_quit(self) -> None:
        self.downloading.leave()

    def end(self, return_code: int) -> None:
        """Leave; the terminal is restored on the way out."""
        self.farewell = self.downloading.left_behind
        if self.connection.engine is not None and not self.settings.engine.keep:
            self.farewell += status.farewell(self._state, self.connection.engine.process.url)
        self.exit(return_code=return_code)

    def action_help_quit(self) -> None:
        """Ctrl-C: what ends other programs should not end this one by accident, and should be no riddle."""
        now = time.monotonic()
        if now - self._interrupted_s <= _TWICE_S:
            self.end(0)
        self._interrupted_s = now
        self.tell(f"Press Ctrl-C again, or {self.preferences.first_keys[keys.QUIT]}, to leave.")

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        from llmstack_tui.tui.palette import key_commands

        return key_commands(self, screen)

    def on_app_focus(self) -> None:
        self._set_visible(True)

    def on_app_blur(self) -> None:
        self._set_visible(False)

    def _set_visible(self, visible: bool) -> None:
        if self.connection.stack is not None:
            self.connection.stack.set_visible(visible)
