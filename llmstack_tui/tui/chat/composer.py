"""The field in which a question is typed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.message import Message
from textual.widgets import TextArea

from llmstack_tui.base.languages import tr
from llmstack_tui.base.text import clean, clean_lines
from llmstack_tui.base.units import bytes_text
from llmstack_tui.chat.attachments import completions
from llmstack_tui.tui.chat import INPUT_KEYS
from llmstack_tui.tui.shell import shell_of

if TYPE_CHECKING:
    from textual import events
    from textual.binding import BindingType

MOST_PASTED = 1_000_000
"""Characters that may be pasted at once. Few models read more."""


_LONG_PASTE, _LONG_LINES = 4_000, 60
# What is typed of a path, up to the cursor.
_MENTION = re.compile(r"(?<!\S)@([^\s\"',;]+)$")


class Composer(TextArea):
    """Several lines, which grow with the text. Enter sends."""

    DEFAULT_CSS = """
    Composer {
        border: round $pane-border;
        height: auto;
        min-height: 3;
        max-height: 10;
        padding: 0 1;
        background: $surface;
        scrollbar-size-vertical: 1;
        &:focus { border: round $primary; background: $surface; }
        & .text-area--placeholder { color: $text-muted; }
        & .text-area--cursor-line { background: $surface; }
    }
    .-low Composer { max-height: 4; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*INPUT_KEYS]

    class Sent(Message):
        """Enter was pressed on this text."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Pasted(Message):
        """A text was pasted that is too long for the field."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class WantsEarlier(Message):
        """Up was pressed in the empty field."""

    def __init__(self) -> None:
        super().__init__(id="composer", soft_wrap=True, tab_behavior="focus", show_line_numbers=False)

    def put(self, text: str) -> None:
        """Replace the text, with the cursor at its end."""
        self.text = text
        self.move_cursor(self.document.end)

    def update_suggestion(self) -> None:
        """Complete the path after an ``@``; Right takes it."""
        row, column = self.cursor_location
        line = self.document.get_line(row)
        typed = _MENTION.search(line) if column == len(line) else None
        self.suggestion = ""
        if typed is not None:
            found = completions(typed[1], Path.cwd(), 1)
            self.suggestion = clean(found[0], None)[len(typed[1]) :] if found else ""

    def action_send(self) -> None:
        self.post_message(self.Sent(self.text))

    def action_new_line(self) -> None:
        self.insert("\n")

    def action_cursor_up(self, select: bool = False) -> None:  # Textual's
        if self.text:
            super().action_cursor_up(select)
        else:
            self.post_message(self.WantsEarlier())

    def on_key(self, event: events.Key) -> None:
        if event.key == "enter":
            # It is what it is bound to. With priority, it would overtake the letters typed before it.
            event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        if len(event.text) > MOST_PASTED:
            event.prevent_default()
            event.stop()
            said = tr(
                "{size} cannot be pasted here: {most} is the most. Write a shorter text, or quote its file.",
                size=bytes_text(len(event.text)),
                most=bytes_text(MOST_PASTED),
            )
            shell_of(self).warn(said, title=tr("Too long"))
        elif len(event.text) > _LONG_PASTE or event.text.count("\n") > _LONG_LINES:
            event.prevent_default()
            event.stop()
            self.post_message(self.Pasted(clean_lines(event.text, None)))
        elif (text := clean_lines(event.text, None)) != event.text:
            event.prevent_default()
            event.stop()
            self.insert(text)
