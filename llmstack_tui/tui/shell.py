"""What a feature of the dashboard consists of, and what it may ask of the dashboard."""

from __future__ import annotations

from enum import StrEnum
from importlib import import_module
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar, cast

from msgspec import Struct

from llmstack_tui.base.languages import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence

    from textual.binding import Binding
    from textual.dom import DOMNode
    from textual.message_pump import MessagePump
    from textual.screen import Screen
    from textual.worker import Worker

    from llmstack_tui.base.commands import RootCommand
    from llmstack_tui.base.kinds import Capability
    from llmstack_tui.config.settings import Settings
    from llmstack_tui.core.state import StackState
    from llmstack_tui.lifecycle.states import ModelStatus
    from llmstack_tui.service.types import Server
    from llmstack_tui.tui.draw.marks import Marks
    from llmstack_tui.tui.stack import (
        DashboardDoctor,
        DashboardInstallation,
        DashboardKeys,
        DashboardService,
        DashboardSettings,
        DashboardStack,
        DashboardVariables,
    )
    from llmstack_tui.tui.view import Key, View

    Work = Callable[[], Coroutine[object, object, object]]
    """A coroutine function to be run in the background."""

T = TypeVar("T")
C = TypeVar("C", bound="Controller")


class AnswerChoice(Struct, frozen=True):
    """A possible answer to a question, which returns its ``value``. A dangerous one is shown as such."""

    value: str
    label: str
    dangerous: bool = False


class NoteKind(StrEnum):
    """The kinds of lines in the activity that only this dashboard shows; they are in no store."""

    DONE = "done"
    NOTE = "note"
    FAILED = "failed"


class Feature(Struct, frozen=True, kw_only=True):
    """One part of the dashboard: its keys, and the names of its classes, which are imported when needed.

    A class is named with its module in the feature's folder, ``screen.DiskScreen``; "" means none.

    Attributes:
        name: the name of its folder, and its name for `Shell.open` and `Shell.act`.
        label: its name in the tabs.
        keys: the bindings of its screens, by their titles in the help.
        opened_by: the key that opens its screen from everywhere.
        is_tab: its screen has a tab, and is kept while another one is shown.
        screen: the class of its screen, made with the arguments of `Shell.open`.
        controller: the class of its controller.
        pane: the class of its pane beside the list of models, on ``pane_side`` of the first screen.
        badge: makes the text behind its label in the tabs.
    """

    name: str
    label: str
    keys: Mapping[str, Sequence[Binding]] = {}
    opened_by: Binding | None = None
    is_tab: bool = False
    screen: str = ""
    controller: str = ""
    pane: str = ""
    pane_side: Literal["left", "right"] = "right"
    badge: Callable[[StackState], str] = lambda _: ""

    def find_class(self, name: str, kind: type[T]) -> type[T]:
        """Import one of the feature's classes.

        Raises:
            TypeError: the class is not a subclass of ``kind``.
        """
        module, _, own = name.rpartition(".")
        found: object = getattr(import_module(f"{__package__}.{self.name}.{module}"), own)
        if not isinstance(found, type) or not issubclass(found, kind):
            raise TypeError(f"{name} of the feature {self.name!r} is no {kind.__name__}.")
        return found


class Tab(Struct, frozen=True):
    """A tab: the feature that it shows, its label and key, and a badge such as a count of items."""

    name: str
    label: str
    key: str
    badge: str = ""

    @property
    def text(self) -> str:
        return f"{self.label} {self.badge}".rstrip()


class Shell(Protocol):
    """The dashboard, as its features see it.

    Attributes:
        settings: those at the start.
        marks: the characters to draw with.
    """

    settings: Settings
    marks: Marks

    @property
    def view(self) -> View:
        """The state and the time, as they are to be drawn now."""

    @property
    def stack(self) -> DashboardStack | None:
        """The core, while a server is followed."""

    @property
    def host_names(self) -> Mapping[str, str]:
        """The user's names for the hosts, by URL."""

    @property
    def own_engine(self) -> str | None:
        """The URL of the built-in engine that ends with the dashboard."""

    @property
    def selected_host(self) -> str | None:
        """The URL of the host under the cursor of the list of models, or of the host of the model there."""

    @property
    def read_only(self) -> bool:
        """Whether nothing may be changed."""

    def shown_keys(self) -> Mapping[str, str]:
        """All keys of each binding, by its id, as the settings have them."""

    def tabs(self) -> Sequence[Tab]:
        """The tabs of the screens."""

    def notes(self) -> tuple[str, ...]:
        """What features have to say in the header."""

    def trouble(self) -> str:
        """What is wrong with the connection to the servers, and what the guard asks; else ""."""

    # What is said

    def tell(self, text: str, *, title: str = "") -> None:
        """A toast."""

    def warn(self, text: str, *, title: str, severity: Literal["warning", "error"] = "warning") -> None:
        """A toast that stays longer."""

    def offer_undo(self, said: str, take_back: Callable[[], bool]) -> None:
        """A toast about an act of the user, and the key that takes it back.

        Args:
            said: the sentence about the act.
            take_back: begins to take it back, and says so; returns False if that is not possible now. Acts
                with the same one are taken back together.
        """

    def record(self, kind: NoteKind, *texts: str, **details: object) -> None:
        """Add lines to the activity that are in no store, because they concern only this dashboard."""

    def draw(self) -> None:
        """Have the screens draw the state and the activity."""

    async def show(self, dialog: Screen[T]) -> T | None:
        """Show a dialog, and return its result."""

    async def ask(self, title: str, text: str, answers: Sequence[AnswerChoice], *, escape: str) -> str:
        """Ask a question; returns the answer's value, on Esc ``escape``. The first answer has the focus."""

    def copy(self, text: str, *, lines: bool = False) -> None:
        """Copy to the clipboard, on one line unless ``lines`` are to be kept."""

    # What is done

    def start(
        self, description: str, work: Work, *, group: str, name: str = "", exclusive: bool = False
    ) -> Worker[object]:
        """Begin work that continues whichever screen is shown; a failure is shown as a toast.

        Args:
            description: the beginning of the sentence about a failure.
            exclusive: cancel other work in the same group.
        """

    def cancel(self, group: str, name: str) -> None:
        """Cancel the work with this name."""

    async def run_as_root(self, command: RootCommand) -> None:
        """Run a command that only root may run, with the dashboard suspended. The user has agreed.

        Raises:
            UserFacingError: it failed, or there is no terminal to ask for the password on.
        """

    async def installation(self) -> DashboardInstallation:
        """Installations on this machine."""

    async def service(self, server: Server) -> DashboardService:
        """A server of this machine as a service. Raises InvalidAddress."""

    async def check_up(self) -> DashboardDoctor:
        """The examination of this installation."""

    async def open_settings(self) -> DashboardSettings:
        """The file of settings, to be changed."""

    @property
    def given(self) -> frozenset[str]:
        """The names of the settings that the command line overrides."""

    def contexts(self) -> Mapping[str, Sequence[Binding]]:
        """The key bindings of each context, by its title in the help."""

    async def own_themes(self) -> Sequence[str]:
        """The names of the user's own themes, read now. What is wrong with them is said."""

    def preview_theme(self, name: str | None) -> None:
        """Show one of the settings' themes until the next call; None shows the usual one again."""

    async def api_keys(self) -> DashboardKeys:
        """The keys of providers and servers. Raises NoHome."""

    async def variables(self) -> DashboardVariables:
        """The variables of Ollama on this machine."""

    async def open(self, name: str, *about: object) -> None:
        """Show the screen of a feature."""

    def act(self, name: str, *about: object) -> None:
        """Call a method of a feature's controller: ``guard.pin`` is `pin` of the guard's."""

    def controller(self, kind: type[C]) -> C:
        """The one controller of this kind; for use by its own feature only."""

    def select(self, url: str, name: str) -> None:
        """Put the cursor on a model as soon as its server lists it."""

    def end(self, return_code: int) -> None:
        """Leave the dashboard."""


def shell_of(node: MessagePump) -> Shell:
    """The dashboard that a screen or a widget is part of."""
    return cast("Shell", node.app)


def start(
    node: DOMNode, description: str, work: Work, *, group: str = "", name: str = "", exclusive: bool = False
) -> Worker[object]:
    """Run ``work`` in a worker that ends with ``node``.

    An exception does not end the program: the dashboard shows it, in a sentence that begins with
    ``description``. Exclusive work cancels other work in its group.
    """

    async def run() -> object:
        # Textual does not recognize every callable as one that it can await.
        return await work()

    return node.run_worker(
        run,
        name=name,
        group=group,
        description=description,
        exclusive=exclusive,
        exit_on_error=False,
    )


def close(screen: Screen[T], result: T | None = None) -> None:
    """Dismiss a screen for a key or a button, unless another one was opened over it.

    Textual takes the screen on top away, whichever is dismissed.
    """
    if screen.is_active:
        screen.dismiss(result)


ACTIONS = "actions"
"""The group of work that the user asked for."""


class Controller:
    """The part of a feature that does not draw: it carries out the user's actions, and follows the state.

    There is one of each kind, made when it is first needed. Keys and other features call its public methods
    through `Shell.act`.
    """

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    def follow(self, state: StackState) -> None:
        """Take note of a new state. What the screen is about is drawn before, the rest after."""

    def asks(self, view: View) -> str:
        """A question for the banner, which a key answers; "" if there is none."""
        return ""

    def notes(self) -> tuple[str, ...]:
        """What to say in the header: a few words each."""
        return ()

    def farewell(self) -> str:
        """The text to print on the terminal when the dashboard has ended."""
        return ""

    async def _confirm(self, title: str, text: str, keep: str, act: str, *, dangerous: bool = False) -> bool:
        """Ask for a confirmation; ``keep`` and ``act`` are the labels. Esc, and Enter by default, mean no."""
        answers = (AnswerChoice("keep", keep), AnswerChoice("act", act, dangerous))
        return await self._shell.ask(title, text, answers, escape="keep") == "act"

    def _start(self, description: str, work: Work, key: Key | None = None) -> None:
        """Begin an action of the user; with the ``key`` of a model, it can be cancelled by that."""
        self._shell.start(description, work, group=ACTIONS, name=work_name(key) if key else "")

    def _stack(self) -> DashboardStack | None:
        """The stack; None, with a toast, if there is none."""
        if self._shell.stack is None:
            self._shell.tell(tr("There is no server yet."))
        return self._shell.stack

    def _changeable(self) -> DashboardStack | None:
        """The stack; None, with a toast, if there is none or nothing may be changed."""
        stack = self._stack()
        if stack is not None and stack.read_only:
            self._shell.tell(tr("Nothing can be changed: llmstack is read-only."))
            return None
        return stack

    def _models(self, keys: Iterable[Key]) -> list[ModelStatus]:
        """Those of these models that are listed, on hosts that answer (see `_answering`)."""
        keys = tuple(keys)
        urls = self._answering(url for url, _ in keys)
        models = (self._shell.view.model(key) for key in keys if key[0] in urls)
        return [status for status in models if status is not None]

    def _able(self, keys: Iterable[Key], act: Capability) -> tuple[Key, ...]:
        """Those of these models whose host can do this. A toast says why the others cannot."""
        keys = tuple(keys)
        unable = {url: self._shell.view.unable(url, act) for url, _ in keys}
        if reasons := [why for why in unable.values() if why]:
            self._shell.tell("\n".join(reasons))
        return tuple(key for key in keys if not unable[key[0]])

    def _undoing(self, keys: Iterable[Key]) -> DashboardStack | None:
        """The stack, to take back an act on these models; None, with a toast, if that is not possible now."""
        urls, stack = frozenset(url for url, _ in keys), self._changeable()
        return stack if stack is not None and self._answering(urls) == urls else None

    def _answering(self, urls: Iterable[str]) -> frozenset[str]:
        """Those of these hosts that answer. A toast says why the others do not, before anything is asked."""
        from llmstack_tui.core.wording import words

        asked = dict.fromkeys(urls)
        errors = {url: host.snapshot.error for url in asked if (host := self._shell.view.host(url))}
        away = {url: error for url, error in errors.items() if error is not None}
        if away:
            self._shell.tell("\n".join(words(error) for error in away.values()))
        return frozenset(asked) - frozenset(away)


def work_name(key: Key) -> str:
    """The name of the work on a model."""
    return "\n".join(key)
