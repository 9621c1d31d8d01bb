"""The list of models, drawn line by line: one changed figure repaints one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from llmstack_tui.tui import keys
from llmstack_tui.tui.draw.text import fit
from llmstack_tui.tui.models.groups import HostLine
from llmstack_tui.tui.models.headings import Columns
from llmstack_tui.tui.models.rows import ModelRow
from llmstack_tui.tui.models.strips import Pen, host_strip, model_strip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.style import Style
    from textual import events
    from textual.binding import BindingType

    from llmstack_tui.tui.draw.glyphs import Marks
    from llmstack_tui.tui.models.groups import Line
    from llmstack_tui.tui.models.rows import Key


class ModelList(ScrollView, can_focus=True):
    """Lines of models with a cursor that stays on its model when the list changes around it."""

    DEFAULT_CSS = """
    ModelList {
        background: $surface;
        color: $foreground;
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        scrollbar-gutter: stable;
        & .model-list--plain { color: $foreground; }
        & .model-list--cursor { background: $primary 14%; }
        &:focus .model-list--cursor { background: $primary 26%; }
        & .model-list--pointer { color: $primary; text-style: bold; }
        & .model-list--muted { color: $foreground 62%; }
        & .model-list--active { color: $text-success; }
        & .model-list--away { color: $text-error; }
        & .model-list--changing { color: $text-warning; }
        & .model-list--cloud { color: $text-primary; }
        & .model-list--newer { color: $text-primary; }
        & .model-list--name { text-style: bold; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "model-list--plain",
        "model-list--cursor",
        "model-list--pointer",
        "model-list--muted",
        "model-list--active",
        "model-list--away",
        "model-list--changing",
        "model-list--cloud",
        "model-list--newer",
        "model-list--name",
    }
    BINDINGS: ClassVar[list[BindingType]] = [*keys.LIST]
    ALLOW_SELECT = False

    cursor: reactive[int] = reactive(0, repaint=False)

    class Moved(Message):
        """The cursor is on another model, or on none."""

        def __init__(self, model_list: ModelList, row: ModelRow | None) -> None:
            super().__init__()
            self.model_list = model_list
            self.row = row

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, ModelList.Moved)

        @property
        def control(self) -> ModelList:
            return self.model_list

    class Opened(Message):
        """A model was double-clicked."""

    class Folded(Message):
        """The models of a host are to be folded away, or shown again."""

        def __init__(self, url: str, *, fold: bool) -> None:
            super().__init__()
            self.url = url
            self.fold = fold

    def __init__(self, marks: Marks, *, id: str | None = None) -> None:  # noqa: A002  # Textual's own name
        super().__init__(id=id)
        self._marks = marks
        self._lines: tuple[Line, ...] = ()
        self._had_rows = False
        self._message: tuple[str, ...] = ()
        self._ticked: frozenset[Key] = frozenset()
        self._speeds = self._updates = False
        self._strips: LRUCache[object, Strip] = LRUCache(256)
        self._styles: dict[tuple[str, bool], Style] = {}

    @property
    def line(self) -> Line | None:
        """What is under the cursor: a model, or a host."""
        return self._lines[self.cursor] if self.cursor < len(self._lines) else None

    @property
    def row(self) -> ModelRow | None:
        """The model under the cursor."""
        line = self.line
        return line if isinstance(line, ModelRow) else None

    @property
    def rows(self) -> tuple[ModelRow, ...]:
        """The models that are listed."""
        return tuple(line for line in self._lines if isinstance(line, ModelRow))

    def use_marks(self, marks: Marks) -> None:
        self._marks = marks
        self._strips.clear()
        self.refresh()

    def show(self, lines: tuple[Line, ...], *, speeds: bool = False, updates: bool = False) -> None:
        """Draw ``lines``; only those that are different are painted.

        Args:
            speeds, updates: whether there is a column of them.
        """
        old, self._lines = self._lines, lines
        if (speeds, updates) != (self._speeds, self._updates):
            self._speeds, self._updates = speeds, updates
            self._strips.clear()
            self.refresh()
        if [line.key for line in old] == [line.key for line in lines]:
            for number, (one, other) in enumerate(zip(old, lines, strict=True)):
                if one is not other and one != other:
                    self._repaint(number)
            return
        self._keep_cursor(old)
        self.virtual_size = Size(self.scrollable_content_region.width, len(lines))
        self.refresh()

    def show_ticked(self, keys: frozenset[Key]) -> None:
        """Draw a tick at these models, and at no others."""
        changed, self._ticked = self._ticked ^ keys, keys
        for line, each in enumerate(self._lines) if changed else ():
            if each.key in changed:
                self._repaint(line)

    def show_message(self, lines: Sequence[str]) -> None:
        """What stands in the place of models while there are none: a first line, and what to do."""
        if tuple(lines) != self._message:
            self._message = tuple(lines)
            if not self._lines:
                self.refresh()

    def move_to(self, key: Key) -> bool:
        """Put the cursor on a model; False if it is not listed."""
        for index, line in enumerate(self._lines):
            if line.key == key:
                self.cursor = index
                return True
        return False

    def _keep_cursor(self, old: tuple[Line, ...]) -> None:
        key = old[self.cursor].key if self.cursor < len(old) else None
        if not self._had_rows and (row := next((line for line in self._lines if _is_row(line)), None)):
            # It begins on a model, although the line of its host stands first and may have come before.
            key, self._had_rows = row.key, True
        before, moved = self.cursor, key is None or self.cursor >= len(old) or key != old[self.cursor].key
        index = next((i for i, line in enumerate(self._lines) if line.key == key), None)
        self.set_reactive(ModelList.cursor, self.validate_cursor(before) if index is None else index)
        if index is None or moved:
            self.post_message(self.Moved(self, self.row))
        if self.cursor != before or index is None:
            self.call_after_refresh(self._scroll_to_cursor)

    def validate_cursor(self, cursor: int) -> int:
        return max(0, min(cursor, len(self._lines) - 1))

    def watch_cursor(self, old: int, new: int) -> None:
        if old != new:
            self._repaint(old)
            self._repaint(new)
            self._scroll_to_cursor()
            self.post_message(self.Moved(self, self.row))

    def _repaint(self, line: int) -> None:
        y = line - self.scroll_offset.y
        if 0 <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def _scroll_to_cursor(self) -> None:
        self.scroll_to_region(Region(0, self.cursor, 1, 1), animate=False, force=True, immediate=True)

    def on_resize(self, _event: events.Resize) -> None:
        self.virtual_size = Size(self.scrollable_content_region.width, len(self._lines))
        self._scroll_to_cursor()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips.clear()
        self._styles.clear()

    def action_cursor_up(self) -> None:
        self.cursor -= 1

    def action_cursor_down(self) -> None:
        self.cursor += 1

    def action_page_up(self) -> None:
        self.cursor -= max(1, self.size.height - 1)

    def action_page_down(self) -> None:
        self.cursor += max(1, self.size.height - 1)

    def action_first(self) -> None:
        self.cursor = 0

    def action_last(self) -> None:
        self.cursor = len(self._lines) - 1

    def action_fold(self) -> None:
        """To the line of the host; from there, fold its models away."""
        line = self.line
        if isinstance(line, HostLine):
            self.post_message(self.Folded(line.url, fold=True))
        elif line is not None:
            host = (line.key[0], "")
            self.cursor = next((i for i, each in enumerate(self._lines) if each.key == host), self.cursor)

    def action_unfold(self) -> None:
        """Show the models of the host; from its line, where they are shown, to the first of them."""
        line = self.line
        if isinstance(line, HostLine):
            if line.folded:
                self.post_message(self.Folded(line.url, fold=False))
            elif self.cursor + 1 < len(self._lines) and _is_row(self._lines[self.cursor + 1]):
                self.cursor += 1

    def toggle_fold(self) -> bool:
        """Fold the host under the cursor or unfold it; False if there is none."""
        line = self.line
        if isinstance(line, HostLine):
            self.post_message(self.Folded(line.url, fold=not line.folded))
        return isinstance(line, HostLine)

    def on_click(self, event: events.Click) -> None:
        line = event.y + self.scroll_offset.y
        if line < len(self._lines):
            self.cursor = line
            if event.chain == 1:
                self.toggle_fold()
            elif event.chain == 2 and self.row is not None:
                self.post_message(self.Opened())

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        if not self._lines:
            return self._message_line(y, width)
        line = y + self.scroll_offset.y
        if line >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        shown, at_cursor = self._lines[line], line == self.cursor
        ticked = shown.key in self._ticked
        cached = (shown, width, at_cursor, ticked, self.has_focus)
        strip = self._strips.get(cached)
        if strip is None:
            pen = self._pen(at_cursor=at_cursor)
            if isinstance(shown, HostLine):
                strip = host_strip(shown, width, pen)
            else:
                columns = Columns.of(width, speeds=self._speeds, updates=self._updates)
                strip = model_strip(shown, columns, pen, ticked=ticked)
            self._strips[cached] = strip = strip.adjust_cell_length(width, pen.style("plain"))
        return strip

    def _pen(self, *, at_cursor: bool) -> Pen:
        under = ("model-list--cursor",) if at_cursor else ()

        def style(name: str) -> Style:
            # To work one out takes longer than to draw the rest of the line.
            found = self._styles.get((name, at_cursor))
            if found is None:
                found = self.get_visual_style(*under, f"model-list--{name}").rich_style
                self._styles[(name, at_cursor)] = found
            return found

        return Pen(self._marks, style, at_cursor=at_cursor)

    def _message_line(self, y: int, width: int) -> Strip:
        line = y - max(0, (self.size.height - len(self._message)) // 3)
        if not 0 <= line < len(self._message):
            return Strip.blank(width, self.rich_style)
        style = self.get_visual_style("model-list--name" if line == 0 else "model-list--muted").rich_style
        text = fit("   " + self._message[line], width, ellipsis=self._marks.ellipsis)
        return Strip([Segment(text, style)], width)


def _is_row(line: Line) -> bool:
    return isinstance(line, ModelRow)
