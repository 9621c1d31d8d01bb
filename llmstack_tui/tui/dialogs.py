"""Dialogs over the other screens: questions, waits, and forms that start work."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, TypeVar

from textual import on
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static
from textual.worker import Worker, WorkerState

from llmstack_tui.base.languages import later, tr
from llmstack_tui.base.names import InvalidName, ModelName, model_key
from llmstack_tui.base.text import brief
from llmstack_tui.base.units import bytes_text
from llmstack_tui.core.wording import words
from llmstack_tui.tui import keys
from llmstack_tui.tui.draw.text import bar, content_of
from llmstack_tui.tui.shell import close, shell_of, start
from llmstack_tui.tui.widgets.keybar import Hint
from llmstack_tui.tui.widgets.pane import Pane

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.content import Content
    from textual.message_pump import MessagePump
    from textual.widget import Widget

    from llmstack_tui.hosts.types import Progress
    from llmstack_tui.tui.shell import AnswerChoice, Work
    from llmstack_tui.tui.widgets.keybar import HintPart

T = TypeVar("T")
Tone = Literal["", "-right", "-warning", "-wrong"]

_BAR_CELLS = 40
_MOST_CHARACTERS = 2000
_WORK = "work"


class Dialog(ModalScreen[T]):
    """A frame over the other screens.

    Args:
        hint: what the keys do, shown in the last line; as `Hint` takes it.
    """

    CSS_PATH = Path(__file__).with_name("dialogs.tcss")
    # Nothing of the application's is bound while a dialog is open.
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+c", "app.help_quit", show=False)]

    def __init__(self, title: str, *hint: HintPart) -> None:
        super().__init__()
        self.heading = title
        self.hint = hint

    def compose(self) -> ComposeResult:
        with Pane(self.heading, id="dialog"):
            yield from self.compose_body()
            if self.hint:
                yield Hint(*self.hint)

    def compose_body(self) -> ComposeResult:
        """The content above the hint."""
        raise NotImplementedError

    async def action_dismiss(self, result: T | None = None) -> None:
        close(self, result)


class AskScreen(Dialog[str]):
    """Returns the value of the chosen answer. The first answer has the focus; Esc returns ``escape``."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.MODAL, *keys.ASK]
    AUTO_FOCUS = "Button"

    def __init__(self, title: str, text: str, answers: Sequence[AnswerChoice], *, escape: str) -> None:
        super().__init__(title)
        self._text = text
        self._answers = answers
        self._escape = escape

    def compose_body(self) -> ComposeResult:
        with VerticalScroll(can_focus=False):
            yield Static(content_of(self._text), markup=False)
        with Horizontal(id="answers"):
            for answer in self._answers:
                yield Button(
                    content_of(answer.label),
                    variant="error" if answer.dangerous else "default",
                    name=answer.value,
                    compact=True,
                )

    def on_button_pressed(self, event: Button.Pressed) -> None:
        close(self, event.button.name)

    def action_cancel(self) -> None:
        close(self, self._escape)

    def action_answer(self, value: str) -> None:
        close(self, value)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enable the key of an answer only if the question offers that answer."""
        return action != "answer" or parameters[0] in {answer.value for answer in self._answers}


class WaitScreen(Dialog[bool | Exception]):
    """Returns True when the work is done, its exception when it failed, False when the user gave up."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.MODAL]

    def __init__(self, title: str, text: str, work: Work, *, limit_s: float) -> None:
        super().__init__(title, ("dialog.cancel", later("give up")))
        self._text = text
        self._work = work
        self._limit_s = limit_s
        self._began_s = time.monotonic()

    def compose_body(self) -> ComposeResult:
        yield Static(content_of(self._text), markup=False)
        yield Static(self._progress(), id="progress")

    def on_mount(self) -> None:
        self.set_interval(0.5, self._tick)
        start(self, self.heading, self._work, group=_WORK)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        match event.state, event.worker.error:
            case WorkerState.SUCCESS, _:
                self.dismiss(True)
            case WorkerState.ERROR, Exception() as error:
                self.dismiss(error)
            case _:
                pass

    def action_cancel(self) -> None:
        self.workers.cancel_node(self)
        close(self, False)

    def _tick(self) -> None:
        self.query_one("#progress", Static).update(self._progress(), layout=False)

    def _progress(self) -> Content:
        elapsed = time.monotonic() - self._began_s
        return content_of(
            bar(elapsed / self._limit_s, _BAR_CELLS, shell_of(self).marks, tone="$text-primary"),
            (
                f"  {tr('{elapsed:.0f} of {limit:.0f} s', elapsed=elapsed, limit=self._limit_s)}",
                "$text-muted",
            ),
        )


class TypedValue(Dialog[str]):
    """Returns what ``read`` makes of the text; a text that it refuses is told why, and not returned.

    Args:
        about: what is asked for.
        read: raises ValueError with a sentence.
    """

    DEFAULT_CSS = """
    TypedValue Input { border: none; height: 1; padding: 0 1; margin: 1 0; background: $panel; }
    TypedValue Input:focus { border: none; }
    TypedValue #said { height: auto; min-height: 2; color: $text-error; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*keys.MODAL]
    AUTO_FOCUS = "Input"

    def __init__(self, title: str, about: str, value: str, read: Callable[[str], str]) -> None:
        super().__init__(title, ("Enter", later("write it")), ("dialog.cancel", later("back")))
        self._about = about
        self._value = value
        self._read = read

    def compose_body(self) -> ComposeResult:
        yield Static(content_of(self._about), markup=False)
        yield Input(self._value, max_length=_MOST_CHARACTERS)
        yield Static("", id="said", markup=False)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._check(event.value)

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        if (value := self._check(event.value)) is not None:
            close(self, value)

    def _check(self, typed: str) -> str | None:
        try:
            value, fault = self._read(typed), ""
        except ValueError as error:
            value, fault = None, words(error)
        self.query_one("#said", Static).update(content_of(fault))
        return value

    def action_cancel(self) -> None:
        close(self)


class FormScreen(Dialog[str]):
    """Fields, and the work that they start. Returns the name of the model that was made, or None.

    A subclass composes its fields with `labelled`; one of them has the id ``name``.

    Args:
        hint: what the keys do while the user types; how to close the form is added at the end.
        names: the names that are taken.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*keys.MODAL]

    def __init__(self, title: str, hint: Sequence[HintPart], names: Collection[str]) -> None:
        super().__init__(title, *hint, ("dialog.cancel", later("back")))
        self._taken = {model_key(name) for name in names}
        self.is_under_way = False

    def is_taken(self, name: str) -> bool:
        return model_key(name.strip()) in self._taken

    def say(self, field: str, text: str | Content, tone: Tone = "") -> None:
        """Show a text below the field with this id."""
        said = self.query_one(f"#{field}-said", Static)
        said.update(content_of(text))
        said.set_classes(f"said {tone}")

    def begin(self, name: str, work: Work) -> None:
        """Close with ``name`` once the work is done; if it fails, the user can edit the fields again."""
        self._set_under_way(True)
        self.say("name", tr("Starting"))
        start(self, self.heading, work, name=name, group=_WORK)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.worker.group != _WORK:
            return
        match event.state, event.worker.error:
            case WorkerState.SUCCESS, _:
                self.dismiss(event.worker.name)
            case WorkerState.ERROR, error:
                self._set_under_way(False)
                self.say("name", words(error), "-wrong")
            case WorkerState.CANCELLED, _:
                self._set_under_way(False)
                self.say("name", tr("Cancelled; nothing was changed."), "-warning")
            case _:
                pass

    def action_cancel(self) -> None:
        """Cancel the running work, else close the dialog."""
        if self.is_under_way:
            self.workers.cancel_group(self, _WORK)
        else:
            close(self)

    def _set_under_way(self, is_under_way: bool) -> None:
        self.is_under_way = is_under_way
        for each in self.query("Input, TextArea"):
            each.disabled = is_under_way
        self.query_one(Hint).say(*([("dialog.cancel", later("cancel"))] if is_under_way else self.hint))
        if not is_under_way:
            self.query_one("#name").focus()


def labelled(text: str, field: Widget) -> Iterator[Widget]:
    """A field with its label above, and below it a line for `FormScreen.say`."""
    yield Static(text, classes="label", markup=False)
    yield field
    yield Static("", id=f"{field.id}-said", classes="said", markup=False)


def progress_content(progress: Progress, node: MessagePump) -> Content:
    """A step of work on a server: its name, after a bar and the bytes if they are known."""
    status = brief(tr(progress.status), 60)
    if not progress.total or progress.completed is None:
        return content_of(status)
    done = tr("{size} of {all}", size=bytes_text(progress.completed), all=bytes_text(progress.total))
    drawn = bar(progress.completed / progress.total, _BAR_CELLS, shell_of(node).marks, tone="$text-primary")
    return content_of(drawn, f"  {done}  {status}")


def check_name(text: str) -> str | None:
    """Why this is no model name, as a sentence; None if it is one."""
    try:
        ModelName.parse(text.strip())
    except InvalidName as error:
        return words(error)
    return None
