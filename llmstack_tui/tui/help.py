"""The help, written for somebody who sees the dashboard for the first time; its text is ``help.txt``."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from llmstack_tui.base.languages import ENGLISH, current, later, tr
from llmstack_tui.tui import keys
from llmstack_tui.tui.dialogs import Dialog
from llmstack_tui.tui.draw.text import segment
from llmstack_tui.tui.shell import close, shell_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from textual.app import ComposeResult
    from textual.binding import Binding, BindingType

    from llmstack_tui.base.languages import Language
    from llmstack_tui.tui.draw.marks import Marks

    Lines = Sequence[tuple[str, str]]
    """Names, which may be empty, each with its explanation."""


def help_file(language: Language) -> Path:
    """The text of the help: ``help.txt``, or its translation ``help.es.txt``."""
    return Path(__file__).with_suffix(".txt" if language is ENGLISH else f".{language.code}.txt")


class HelpScreen(Dialog[str]):
    """Shows the help, and returns the name of the feature to open next, if any.

    Args:
        bindings: the keys under each title.
        places: a path for each label.
    """

    AUTO_FOCUS = "HelpText"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.READING]

    def __init__(self, bindings: Mapping[str, Sequence[Binding]], places: Lines) -> None:
        super().__init__(
            tr("Help"),
            (later("arrows"), later("scroll")),
            ("help.guide", later("the guide")),
            ("help.close", later("back")),
        )
        self._all_bindings = bindings
        self._places = places

    def compose_body(self) -> ComposeResult:
        shell = shell_of(self)
        yield HelpText([*help_sections(shell.marks, self._all_bindings, shell.shown_keys(), self._places)])

    def action_guide(self) -> None:
        close(self, "guide")


class HelpText(ScrollView, can_focus=True):
    """Two columns, the second one wrapped to the width; only visible lines are drawn."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"help--title", "help--name"}

    def __init__(self, sections: Sequence[tuple[str, Lines]]) -> None:
        super().__init__()
        self._sections = sections
        self._lines: list[tuple[str, str, str]] = []

    def on_resize(self) -> None:
        width = self.scrollable_content_region.width
        self._lines = [line for title, lines in self._sections for line in _wrapped(title, lines, width)]
        self.virtual_size = Size(width, len(self._lines))

    def render_line(self, y: int) -> Strip:
        line = y + self.scroll_offset.y
        plain = self.rich_style
        if line >= len(self._lines):
            return Strip.blank(self.size.width, plain)
        style, head, text = self._lines[line]
        segments = [segment(head, self.get_visual_style(style).rich_style), segment(text, plain)]
        return Strip(segments).adjust_cell_length(self.size.width, plain)


def help_sections(
    marks: Marks, bindings: Mapping[str, Sequence[Binding]], shown_keys: Mapping[str, str], places: Lines
) -> Iterator[tuple[str, Lines]]:
    """Each title with the lines under it."""

    def filled(text: str) -> str:
        return text.strip().format(mark=marks, key=shown_keys)

    for section in help_file(current()).read_text(encoding="utf-8").replace("\n  ", " ").split("\n\n"):
        title, *lines = section.splitlines()
        if title == "{keys}":
            for heading, pressed in bindings.items():
                yield tr(heading), [(shown_keys[each.id or ""], f"{tr(each.tooltip)}.") for each in pressed]
        elif title != "{machine}":
            parted = [line.partition("- ") for line in lines]
            yield title, [(filled(name), filled(text)) for name, _, text in parted]
        elif places:
            yield tr("This machine"), places


def _wrapped(title: str, lines: Lines, width: int) -> Iterator[tuple[str, str, str]]:
    """Lines, each as the style and text of the first column, and the text of the second."""
    yield "help--name", "", ""
    yield "help--title", title, ""
    indent = max((len(name) + 2 for name, _ in lines if name), default=0)
    for name, text in lines:
        head = name
        for line in textwrap.wrap(text, max(20, width - 1 - indent)):
            yield "help--name", head.ljust(indent), line
            head = ""
