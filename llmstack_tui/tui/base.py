"""What any terminal app does: toasts, background work, marks, quitting."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, ClassVar, Literal, TypeVar

from textual.app import App
from textual.command import CommandPalette

from llmstack_tui.base.languages import tr
from llmstack_tui.base.text import clean, clean_lines
from llmstack_tui.tui import keys, themes
from llmstack_tui.tui.draw.marks import ASCII, UNICODE
from llmstack_tui.tui.draw.text import Net
from llmstack_tui.tui.shell import shell_of, start

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.binding import Binding
    from textual.command import Provider
    from textual.filter import LineFilter
    from textual.screen import Screen

    from llmstack_tui.base.commands import RootCommand
    from llmstack_tui.tui.shell import AnswerChoice

T = TypeVar("T")

_WARNING_S, _ERROR_S = 15, 10
_LONGEST_WARNING = 400
_MOST_UNDONE = 20


def _commands() -> type[Provider]:
    from llmstack_tui.tui.palette import Commands

    return Commands


class TerminalApp(App[None]):
    """Never treats text from outside as markup, and draws non-ASCII only where the terminal can show it.

    Args:
        unicode: the terminal shows more than ASCII.
        ascii_only: draw with ASCII even so.

    Attributes:
        marks: the characters to draw with.
    """

    COMMANDS: ClassVar = {_commands}

    def __init__(self, *, unicode: bool, ascii_only: bool) -> None:
        super().__init__()
        for theme in themes.THEMES.values():
            self.register_theme(theme)
        self._unicode = unicode
        self._net = Net()
        self._undoable: deque[Callable[[], bool]] = deque(maxlen=_MOST_UNDONE)
        self.use_ascii(ascii_only)

    def use_ascii(self, ascii_only: bool) -> None:
        """Draw with ASCII marks from now on, or with Unicode ones if the terminal can show them."""
        self.marks = ASCII if ascii_only or not self._unicode else UNICODE
        self.set_class(self.marks is ASCII, "-ascii")

    def get_theme_variable_defaults(self) -> dict[str, str]:
        # Textual's own themes, which the palette offers, lack this variable.
        return {**super().get_theme_variable_defaults(), "pane-border": "#67707c"}

    def get_key_display(self, binding: Binding) -> str:
        if binding.key == "enter":
            return self.marks.enter
        shown = super().get_key_display(binding)
        return binding.key if self.marks is ASCII and not shown.isascii() else shown

    async def run_as_root(self, command: RootCommand) -> None:
        """See `Shell.run_as_root`."""
        from textual.app import SuspendNotSupported

        from llmstack_tui.base.commands import CommandFailed, NeedsRoot, run_on_terminal

        failed: CommandFailed | None = None
        try:
            with self.suspend():
                # After an exception in here, Textual would leave the terminal as it is.
                try:
                    run_on_terminal(command)
                except CommandFailed as error:
                    failed = error
        except SuspendNotSupported:
            raise NeedsRoot(command) from None
        if failed is not None:
            raise failed

    # What is said

    def tell(self, text: str, *, title: str = "") -> None:
        self.notify(clean_lines(text), title=title, markup=False)

    def warn(self, text: str, *, title: str, severity: Literal["warning", "error"] = "warning") -> None:
        timeout = _WARNING_S if severity == "warning" else _ERROR_S
        text = clean(text, _LONGEST_WARNING)
        self.notify(text, title=title, severity=severity, timeout=timeout, markup=False)

    def copy(self, text: str, *, lines: bool = False) -> None:
        self.copy_to_clipboard(text if lines else clean(text))

    def copy_to_clipboard(self, text: str) -> None:
        # Also what Textual copies by itself. Pasted into a shell, a control character would be a key press.
        super().copy_to_clipboard(clean_lines(text, None))

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), self._net]

    async def show(self, dialog: Screen[T]) -> T | None:
        return await self.push_screen_wait(dialog)

    async def ask(self, title: str, text: str, answers: Sequence[AnswerChoice], *, escape: str) -> str:
        from llmstack_tui.tui.dialogs import AskScreen

        return await self.show(AskScreen(title, text, answers, escape=escape)) or escape

    # What can be taken back

    def offer_undo(self, said: str, take_back: Callable[[], bool]) -> None:
        if take_back in self._undoable:
            self._undoable.remove(take_back)
        self._undoable.append(take_back)
        undoes = tr("{key} undoes it.", key=shell_of(self).view.keys[keys.UNDO])
        self.tell(f"{said} {undoes}")

    def action_undo(self) -> None:
        """Take back the newest act of the user that can be taken back, and has not been."""
        if not self._undoable:
            self.tell(tr("There is nothing to undo."))
        elif self._undoable[-1]():
            self._undoable.pop()

    # What is under way

    start = start

    def cancel(self, group: str, name: str) -> None:
        for worker in self.workers:
            if (worker.group, worker.name) == (group, name):
                worker.cancel()

    # Keys

    def action_command_palette(self) -> None:
        if not isinstance(self.screen, CommandPalette):
            placeholder = tr("Search for commands and models")
            self.push_screen(CommandPalette(placeholder=placeholder, id="--command-palette"))

    def search_themes(self) -> None:
        from llmstack_tui.tui.palette import Themes

        self.push_screen(CommandPalette(providers=[Themes], placeholder=tr("Search for themes")))

    def action_help_quit(self) -> None:
        """Ctrl-C ends this program as any other. In a field, and where text is marked, it copies."""
        from textual.widgets import Input, TextArea

        if isinstance(self.focused, Input | TextArea):
            self.tell(tr("In a field, Ctrl-C copies what is marked. Ctrl-Q leaves."))
        else:
            self.call_later(self.action_quit)

    def end(self, return_code: int) -> None:
        """Leave; the terminal is restored on the way out."""
        self.exit(return_code=return_code)
