"""What a feature of the dashboard is, and what it may ask of the dashboard around it."""

from __future__ import annotations

from enum import StrEnum
from importlib import import_module
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar, cast

from msgspec import Struct

from llmstack_tui.base.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
    from datetime import datetime

    from textual.binding import Binding
    from textual.dom import DOMNode
    from textual.message_pump import MessagePump
    from textual.screen import Screen
    from textual.worker import Worker

    from llmstack_tui.config.settings import Settings
    from llmstack_tui.core.state import HostState, StackState
    from llmstack_tui.lifecycle.states import ModelStatus
    from llmstack_tui.tui.draw.marks import Marks
    from llmstack_tui.tui.stack import DashboardStack

    Work = Callable[[], Coroutine[object, object, object]]
    """Something that goes on in the background."""

T = TypeVar("T")
C = TypeVar("C", bound="Controller")

Key = tuple[str, str]
"""A model on the screen: the URL of its host, and its name there; no name is the host itself."""


class Moment(Struct, frozen=True):
    """When something is drawn: the wall clock for what the server says, monotonic seconds for what we did."""

    now: datetime
    monotonic_s: float


class View(Struct, frozen=True):
    """What there is to draw: the state, None before a server was found, and the moment of drawing.

    ``keys`` has the key of each binding by its id, one of them where there are several.
    """

    state: StackState | None
    moment: Moment
    keys: Mapping[str, str]

    def models(self) -> Iterator[ModelStatus]:
        for host in self.state.hosts if self.state else ():
            yield from host.models

    def host(self, url: str) -> HostState | None:
        hosts = self.state.hosts if self.state else ()
        return next((host for host in hosts if host.snapshot.url == url), None)

    def model(self, key: Key) -> ModelStatus | None:
        return next((model for model in self.models() if (model.host, model.name) == key), None)


class Answer(Struct, frozen=True):
    """One of a question: ``value`` is what the question returns. A dangerous answer is shown as one."""

    value: str
    label: str
    dangerous: bool = False


class NoteKind(StrEnum):
    """What a line of the activity is that this dashboard alone has to say: it is in no store."""

    DONE = "done"
    NOTE = "note"
    FAILED = "failed"


class Feature(Struct, frozen=True, kw_only=True):
    """One part of the dashboard: its keys, and its classes by name, which are imported when they are needed.

    A class is named with its module in the folder of the feature, ``screen.DiskScreen``; "" is none.

    Attributes:
        name: of its folder; `Shell.open` and `Shell.act` know it by that.
        label: what the line of the screens and the palette call it.
        keys: the bindings of its screens, by the title that they have in the help.
        opened_by: the key that opens its screen from everywhere.
        is_tab: its screen stands in the line of the screens, and is kept when another one is shown.
        screen: the class of its screen, which is made with the marks and what else is given to `Shell.open`.
        controller: the class of what it does beside drawing.
        pane: the class of what it shows beside the list of models, on ``pane_side`` of the first screen.
        badge: what stands behind its label in the line of the screens.
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
        """Import one of its classes.

        Raises:
            TypeError: it is not of this kind.
        """
        module, _, own = name.rpartition(".")
        found: object = getattr(import_module(f"{__package__}.{self.name}.{module}"), own)
        if not isinstance(found, type) or not issubclass(found, kind):
            raise TypeError(f"{name} of the feature {self.name!r} is no {kind.__name__}.")
        return found


class Tab(Struct, frozen=True):
    """A screen that a key leads to: the name of its feature, what it is called, and how many wait there."""

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
        settings: as they were at the start.
        marks: what is drawn with.
    """

    settings: Settings
    marks: Marks

    @property
    def view(self) -> View:
        """What there is to draw now."""

    @property
    def stack(self) -> DashboardStack | None:
        """The core, while a server is followed."""

    @property
    def host_names(self) -> Mapping[str, str]:
        """What the user calls the hosts, by their URLs."""

    @property
    def own_engine(self) -> str | None:
        """The URL of the built-in engine that ends with the dashboard."""

    @property
    def selected_host(self) -> str | None:
        """The URL of the host that the cursor of the list of models is on, or on a model of."""

    @property
    def read_only(self) -> bool:
        """Whether nothing may be changed."""

    def now(self) -> datetime:
        """The time on the user's clock."""

    def key_for(self, binding_id: str) -> str:
        """The key of a binding, one of them where there are several."""

    def shown_keys(self) -> Mapping[str, str]:
        """All keys of each binding by its id, as they are on this user's keyboard."""

    def tabs(self) -> Sequence[Tab]:
        """The line of the screens."""

    def trouble(self) -> str:
        """What is wrong with the connection to the servers; else ""."""

    # What is said

    def tell(self, text: str, *, title: str = "") -> None:
        """A toast."""

    def warn(self, text: str, *, title: str, severity: Literal["warning", "error"] = "warning") -> None:
        """A toast that stays longer."""

    def record(self, kind: NoteKind, *texts: str, **details: object) -> None:
        """Lines in the activity that are in no store, for they concern this dashboard alone."""

    def draw_activity(self) -> None:
        """Have the screens draw what happened."""

    async def show(self, dialog: Screen[T]) -> T | None:
        """Show a dialog, and return what it is dismissed with."""

    async def ask(self, title: str, text: str, answers: Sequence[Answer], *, escape: str) -> str:
        """Ask a question; the value of the answer. The first one has the focus; Esc gives ``escape``."""

    def copy(self, text: str) -> None:
        """To the clipboard."""

    # What is done

    def start(
        self, description: str, work: Work, *, group: str, name: str = "", exclusive: bool = False
    ) -> Worker[object]:
        """Begin work that goes on whichever screen is shown; what goes wrong in it is told.

        Args:
            description: begins the sentence that tells of a failure.
            exclusive: cancel what is under way in the same group.
        """

    def cancel(self, group: str, name: str) -> None:
        """Give up the work of this name."""

    async def open(self, name: str, *about: object) -> None:
        """Show the screen of a feature."""

    def act(self, name: str, *about: object) -> None:
        """Have a feature do something: ``guard.pin`` is the method `pin` of the guard's controller."""

    def controller(self, kind: type[C]) -> C:
        """The one controller of this kind; only for the feature that it belongs to."""

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
    """Run ``work``, which is called only when its turn comes, as long as ``node`` is there.

    What it raises does not end the program: the dashboard tells of it, in a sentence that ``description``
    begins. An exclusive one cancels what is under way in its group.
    """

    async def run() -> object:
        # Textual takes not every callable for one that it may await.
        return await work()

    return node.run_worker(
        run,
        name=name,
        group=group,
        description=clean(description, limit=200),
        exclusive=exclusive,
        exit_on_error=False,
    )


ACTIONS = "actions"
"""The group of the work that a person asked for."""


class Controller:
    """What a feature does beside drawing: it carries out what a person asks for, and follows the state.

    There is one of each kind, made when it is first needed. A public method may be called by a key and by
    other features, through `Shell.act`.
    """

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    def follow(self, state: StackState) -> None:
        """Take note of a new state, before it is drawn."""

    def farewell(self) -> str:
        """What to say on the terminal when the dashboard has ended."""
        return ""

    async def _confirm(self, title: str, text: str, keep: str, act: str, *, dangerous: bool = False) -> bool:
        """Ask whether to ``act``; Esc and a hasty Enter ``keep`` all as it is."""
        answers = (Answer("keep", keep), Answer("act", act, dangerous))
        return await self._shell.ask(title, text, answers, escape="keep") == "act"

    def _start(self, description: str, work: Work, key: Key | None = None) -> None:
        """Begin what a person asked for; ``key`` is the model that it is about, by which it can be found."""
        self._shell.start(description, work, group=ACTIONS, name=work_name(key) if key else "")

    def _stack(self) -> DashboardStack | None:
        """The stack, else a toast that says why there is none."""
        if self._shell.stack is None:
            self._shell.tell("There is no server yet.")
        return self._shell.stack

    def _changeable(self) -> DashboardStack | None:
        """The stack, if it may change something; else a toast says why not."""
        stack = self._stack()
        if stack is not None and stack.read_only:
            self._shell.tell("Nothing can be changed: llmstack is read-only.")
            return None
        return stack


def work_name(key: Key) -> str:
    """What the work on a model is called."""
    return "\n".join(key)
