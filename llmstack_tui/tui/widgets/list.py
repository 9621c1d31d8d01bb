"""The list widget, drawn line by line: rows that are not visible, or have not changed, cost nothing."""

from __future__ import annotations

import operator
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, ClassVar, Generic, Protocol, TypeVar

from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from llmstack_tui.tui import keys
from llmstack_tui.tui.draw.text import Pen
from llmstack_tui.tui.shell import shell_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from rich.segment import Segment
    from rich.style import Style
    from textual import events
    from textual.binding import BindingType
    from textual.widget import Widget


# The styles by which rows name their colours; "cursor" is the background of the cursor's row.
_STYLES = ("plain", "muted", "name", "heading", "pointer", "good", "warning", "bad", "accent", "cursor")


class Row(Protocol):
    """A row of a list. Hashable; rows that look the same are equal.

    ``key`` identifies the thing that a row is about.
    """

    @property
    def key(self) -> Hashable: ...


R = TypeVar("R", bound=Row)


class RowList(ScrollView, Generic[R], can_focus=True):
    """A list with a cursor, which stays on its row when others come and go.

    A subclass implements `draw` and, where needed, `height_of`, `is_heading` and `is_folded`.
    """

    DEFAULT_CSS = """
    RowList {
        background: $surface;
        color: $foreground;
        overflow-x: hidden;
        height: 1fr;
        scrollbar-size-vertical: 1;
        scrollbar-gutter: stable;
        & .row-list--plain { color: $foreground; }
        & .row-list--muted { color: $text-muted; }
        & .row-list--name { text-style: bold; }
        & .row-list--heading { color: $text-primary; text-style: bold; }
        & .row-list--pointer { color: $primary; text-style: bold; }
        & .row-list--good { color: $text-success; }
        & .row-list--warning { color: $text-warning; }
        & .row-list--bad { color: $text-error; }
        & .row-list--accent { color: $text-primary; }
        & .row-list--cursor { background: $primary 10%; }
        &:focus .row-list--cursor { background: $primary 20%; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"row-list--{style}" for style in _STYLES}
    BINDINGS: ClassVar[list[BindingType]] = [*keys.LIST]
    ALLOW_SELECT = False

    cursor: reactive[int] = reactive(0, repaint=False)

    class Moved(Message):
        """The cursor is on another row, or on none."""

        def __init__(self, control: Widget) -> None:
            super().__init__()
            self._control = control

        @property
        def control(self) -> Widget:
            return self._control

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, RowList.Moved) and message.control is self.control

    class Opened(Message):
        """A row was double-clicked."""

    class HeadingClicked(Message):
        """The cell ``x`` of a heading was clicked."""

        def __init__(self, x: int) -> None:
            super().__init__()
            self.x = x

    class Folded(Message):
        """The rows under the one with this key are to be folded or unfolded."""

        def __init__(self, key: Hashable, *, fold: bool) -> None:
            super().__init__()
            self.key = key
            self.fold = fold

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's own name
        super().__init__(id=id)
        self._rows: tuple[R, ...] = ()
        self._starts: list[int] = [0]
        self._width = 0
        self._had_rows = False
        self._marked: frozenset[Hashable] = frozenset()
        self._message: tuple[str, ...] = ()
        self._strips: LRUCache[object, Strip] = LRUCache(256)
        self._styles: dict[tuple[str, bool], Style] = {}

    # To be overridden

    def draw(self, row: R, line: int, width: int, pen: Pen) -> Iterable[Segment]:
        """Draw a ``line`` (from 0) of a row in about ``width`` cells; the excess is cut."""
        raise NotImplementedError

    def height_of(self, row: R, width: int) -> int:
        """The number of lines of a row."""
        return 1

    def is_heading(self, row: R) -> bool:
        """Whether a row is a heading, which the cursor skips."""
        return False

    def is_folded(self, row: R) -> bool | None:
        """Whether the rows under this one are folded; None if it has none."""
        return None

    def starts_on(self, row: R) -> bool:
        """Whether the cursor may be on this row at first."""
        return self._is_plain(row)

    @property
    def keeps_row(self) -> bool:
        """Whether the cursor moves with its row; otherwise it keeps its position."""
        return True

    @property
    def rows(self) -> tuple[R, ...]:
        return self._rows

    @property
    def row(self) -> R | None:
        """The row under the cursor."""
        row = self._rows[self.cursor] if self.cursor < len(self._rows) else None
        return None if row is None or self.is_heading(row) else row

    def redraw(self) -> None:
        """Draw everything again, because the marks, the styles or the columns have changed."""
        self._strips.clear()
        self._lay_out()
        self.refresh()

    def show(self, rows: Sequence[R]) -> None:
        """Show these rows; only changed ones are painted."""
        old, self._rows = self._rows, tuple(rows)
        # Mostly a few of hundreds have changed since a second ago.
        changed = [index for index, same in enumerate(map(operator.is_, old, self._rows)) if not same]
        if len(old) == len(self._rows) and all(self._stays(old[at], self._rows[at]) for at in changed):
            for index in changed:
                if old[index] != self._rows[index]:
                    self._repaint(index)
            return
        self._lay_out()
        self._keep_cursor(old)
        self.refresh()

    def show_marked(self, keys: frozenset[Hashable]) -> None:
        """Mark exactly the rows with these keys."""
        changed, self._marked = self._marked ^ keys, keys
        for index, row in enumerate(self._rows) if changed else ():
            if row.key in changed:
                self._repaint(index)

    def show_message(self, lines: Sequence[str]) -> None:
        """Set the text to show while there are no rows: a first line, and what to do."""
        if tuple(lines) != self._message:
            self._message = tuple(lines)
            if not self._rows:
                self.refresh()

    def _stays(self, old: R, new: R) -> bool:
        """Whether replacing a row leaves the layout as it is."""
        return old.key == new.key and self.height_of(old, self._width) == self.height_of(new, self._width)

    def _lay_out(self) -> None:
        """Compute the first line of each row."""
        self._width = self.scrollable_content_region.width
        self._starts = [0, *accumulate(self.height_of(row, self._width) for row in self._rows)]
        self.virtual_size = Size(self._width, self._starts[-1])

    # The cursor

    def move_to(self, key: Hashable) -> bool:
        """Put the cursor on a row; False if it is not listed."""
        index = self._index_of(key)
        if index is not None:
            self.cursor = index
        return index is not None

    def _index_of(self, key: Hashable) -> int | None:
        return next((index for index, row in enumerate(self._rows) if row.key == key), None)

    def _keep_cursor(self, old: tuple[R, ...]) -> None:
        before = self.cursor
        key = old[before].key if before < len(old) and self.keeps_row else None
        index = self._index_of(key)
        if not self._had_rows:
            first = next((at for at, row in enumerate(self._rows) if self.starts_on(row)), None)
            self._had_rows = first is not None
            index = first if first is not None else index
        self.set_reactive(RowList.cursor, self._nearest(before, 1) if index is None else index)
        if index is None or self._rows[index].key != key:
            self.post_message(self.Moved(self))
        if self.cursor != before or index is None:
            self.call_after_refresh(self.scroll_to_cursor)

    def _is_plain(self, row: R) -> bool:
        return not self.is_heading(row) and self.is_folded(row) is None

    def _nearest(self, index: int, step: int) -> int:
        """The row at ``index``, or the next one in this direction that is not a heading."""
        last = len(self._rows) - 1
        index = max(0, min(index, last))
        for way in (step, -step):
            found = index
            while 0 <= found <= last:
                if not self.is_heading(self._rows[found]):
                    return found
                found += way
        return index

    def validate_cursor(self, cursor: int) -> int:
        return self._nearest(cursor, -1 if cursor < self.cursor else 1)

    def watch_cursor(self, old: int, new: int) -> None:
        if old != new:
            self._repaint(old)
            self._repaint(new)
            self.scroll_to_cursor()
            self.post_message(self.Moved(self))

    def _repaint(self, index: int) -> None:
        if index < len(self._rows):
            top, bottom = self._starts[index : index + 2]
            region = Region(0, top, self.size.width, bottom - top)
            visible = Region(0, self.scroll_offset.y, self.size.width, self.size.height)
            if shown := region.intersection(visible):
                self.refresh(shown.translate((0, -self.scroll_offset.y)))

    def scroll_to_cursor(self) -> None:
        if self.cursor < len(self._rows):
            top, bottom = self._starts[self.cursor : self.cursor + 2]
            if self.cursor == 1 and self.is_heading(self._rows[0]):
                top = 0  # Show the heading above the first row, too.
            self.scroll_to_region(Region(0, top, 1, bottom - top), animate=False, force=True, immediate=True)

    def on_resize(self, _event: events.Resize) -> None:
        self._lay_out()
        self.scroll_to_cursor()

    def action_cursor_up(self) -> None:
        self.cursor -= 1

    def action_cursor_down(self) -> None:
        self.cursor += 1

    def action_page_up(self) -> None:
        self._move_lines(1 - self.size.height)

    def action_page_down(self) -> None:
        self._move_lines(self.size.height - 1)

    def _move_lines(self, lines: int) -> None:
        if self._rows:
            index = self._index_at(self._starts[self.cursor] + lines)
            # A row may be higher than the list: move by one at least.
            self.cursor = index if index != self.cursor else self.cursor + (1 if lines > 0 else -1)

    def action_first(self) -> None:
        self.cursor = 0

    def action_last(self) -> None:
        self.cursor = len(self._rows) - 1

    def _index_at(self, line: int) -> int:
        return max(0, min(bisect_right(self._starts, line) - 1, len(self._rows) - 1))

    def action_fold(self) -> None:
        """Go to the row that this one is under; if on it already, fold it."""
        if not self._fold(fold=True):
            above = range(self.cursor - 1, -1, -1)
            heads = (at for at in above if self.is_folded(self._rows[at]) is not None)
            self.cursor = next(heads, self.cursor)

    def action_unfold(self) -> None:
        """Unfold this row; if it is unfolded already, go to the first row under it."""
        row = self.row
        if row is None or (folded := self.is_folded(row)) is None:
            return
        if folded:
            self._fold(fold=False)
        elif self.cursor + 1 < len(self._rows) and self._is_plain(self._rows[self.cursor + 1]):
            self.cursor += 1

    def toggle_fold(self) -> bool:
        """Fold or unfold this row; False if it does not fold."""
        row = self.row
        return row is not None and self._fold(fold=not self.is_folded(row))

    def _fold(self, *, fold: bool) -> bool:
        row = self.row
        if row is None or self.is_folded(row) is None:
            return False
        self.post_message(self.Folded(row.key, fold=fold))
        return True

    def on_click(self, event: events.Click) -> None:
        line = event.y + self.scroll_offset.y
        if line >= self._starts[-1]:
            return
        if self.is_heading(self._rows[self._index_at(line)]):
            self.post_message(self.HeadingClicked(event.x))
        else:
            self.cursor = self._index_at(line)
            if event.chain == 1:
                self.toggle_fold()
            elif event.chain == 2 and self._is_plain(self._rows[self.cursor]):
                self.post_message(self.Opened())

    # How it is drawn

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips.clear()
        self._styles.clear()

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        if not self._rows:
            return self._message_line(y, width)
        if width != self._width:
            self._lay_out()  # The first paint comes before the first resize event.
        line = y + self.scroll_offset.y
        if line >= self._starts[-1]:
            return Strip.blank(width, self.rich_style)
        index = self._index_at(line)
        row, part, at_cursor = self._rows[index], line - self._starts[index], index == self.cursor
        is_marked = row.key in self._marked
        drawn = (row, part, width, at_cursor, is_marked, self.has_focus)
        strip = self._strips.get(drawn)
        if strip is None:
            pen = self._pen(at_cursor=at_cursor, is_marked=is_marked)
            strip = Strip(self.draw(row, part, width, pen)).adjust_cell_length(width, pen.style("plain"))
            self._strips[drawn] = strip
        return strip

    def _pen(self, *, at_cursor: bool = False, is_marked: bool = False) -> Pen:
        under = ("row-list--cursor",) if at_cursor else ()

        def style(name: str) -> Style:
            # Cached: computing a style takes longer than drawing the rest of the line.
            found = self._styles.get((name, at_cursor))
            if found is None:
                found = self.get_visual_style(*under, f"row-list--{name}").rich_style
                self._styles[(name, at_cursor)] = found
            return found

        return Pen(shell_of(self).marks, style, at_cursor, is_marked)

    def _message_line(self, y: int, width: int) -> Strip:
        line = y - max(0, (self.size.height - len(self._message)) // 3)
        if not 0 <= line < len(self._message):
            return Strip.blank(width, self.rich_style)
        text, style = f"   {self._message[line]}", "name" if line == 0 else "muted"
        return Strip([self._pen().cell(text, width, style)])
