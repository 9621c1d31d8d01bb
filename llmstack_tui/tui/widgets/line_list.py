"""A list with a cursor, drawn line by line: what is not on the screen, or has not changed, costs nothing."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, ClassVar, Generic, Protocol, TypeVar

from rich.segment import Segment
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from llmstack_tui.tui import keys
from llmstack_tui.tui.draw.text import fit
from llmstack_tui.tui.models.strips import Pen

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from rich.style import Style
    from textual import events
    from textual.binding import BindingType

    from llmstack_tui.tui.draw.glyphs import Marks

_STYLES = ("plain", "cursor", "pointer", "muted", "name", "done", "changing", "failed", "heading")


class Item(Protocol):
    """What stands in a list: text only, equal to another where it looks the same.

    ``key`` says what it is about, ``height`` how many lines it takes; a heading is passed over.
    """

    @property
    def key(self) -> Hashable: ...
    @property
    def height(self) -> int: ...
    @property
    def is_heading(self) -> bool: ...


I = TypeVar("I", bound=Item)  # noqa: E741


class LineList(ScrollView, Generic[I], can_focus=True):
    """Subclasses draw one line of an item with `strip`."""

    DEFAULT_CSS = """
    LineList {
        background: $surface;
        color: $foreground;
        overflow-x: hidden;
        height: 1fr;
        scrollbar-size-vertical: 1;
        scrollbar-gutter: stable;
        & .line-list--plain { color: $foreground; }
        & .line-list--cursor { background: $primary 14%; }
        &:focus .line-list--cursor { background: $primary 26%; }
        & .line-list--pointer { color: $primary; text-style: bold; }
        & .line-list--muted { color: $foreground 62%; }
        & .line-list--name { text-style: bold; }
        & .line-list--heading { color: $text-primary; text-style: bold; }
        & .line-list--done { color: $text-success; }
        & .line-list--changing { color: $text-warning; }
        & .line-list--failed { color: $text-error; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"line-list--{style}" for style in _STYLES}
    BINDINGS: ClassVar[list[BindingType]] = [*keys.LIST]
    ALLOW_SELECT = False

    cursor: reactive[int] = reactive(0, repaint=False)

    class Moved(Message):
        """The cursor is on another item, or what it is on looks different."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, LineList.Moved)

    class Opened(Message):
        """An item was double-clicked."""

    def __init__(self, marks: Marks, *, id: str | None = None) -> None:  # noqa: A002  # Textual's own name
        super().__init__(id=id)
        self._marks = marks
        self._items: tuple[I, ...] = ()
        self._starts: list[int] = [0]
        self._saying: tuple[str, ...] = ()
        self._drawn: LRUCache[object, Strip] = LRUCache(256)
        self._styled: dict[tuple[str, bool], Style] = {}

    def strip(self, item: I, part: int, width: int, pen: Pen) -> Strip:
        """The line ``part`` of an item, at most ``width`` cells."""
        raise NotImplementedError

    @property
    def items(self) -> tuple[I, ...]:
        return self._items

    @property
    def item(self) -> I | None:
        """What is under the cursor."""
        found = self._items[self.cursor] if self.cursor < len(self._items) else None
        return None if found is None or found.is_heading else found

    def use_marks(self, marks: Marks) -> None:
        self._marks = marks
        self._drawn.clear()
        self.refresh()

    def show(self, items: Sequence[I]) -> None:
        """Draw these; only those that are different are painted."""
        old, self._items = self._items, tuple(items)
        if [(item.key, item.height) for item in old] == [(item.key, item.height) for item in self._items]:
            for index, (one, other) in enumerate(zip(old, self._items, strict=True)):
                if one != other:
                    self._repaint(index)
            return
        self._starts = [0, *accumulate(item.height for item in self._items)]
        key = old[self.cursor].key if self.cursor < len(old) else None
        cursor = next(
            (i for i, item in enumerate(self._items) if item.key == key), self._nearest(self.cursor)
        )
        self.set_reactive(LineList.cursor, cursor)
        self.virtual_size = Size(self.scrollable_content_region.width, self._starts[-1])
        self.refresh()
        self.post_message(self.Moved())
        self.call_after_refresh(self._scroll_to_cursor)

    def say(self, lines: Sequence[str]) -> None:
        """What stands in the place of items while there are none: a first line, and what to do."""
        if tuple(lines) != self._saying:
            self._saying = tuple(lines)
            if not self._items:
                self.refresh()

    def move_to(self, key: Hashable) -> bool:
        """Put the cursor on an item; False if it is not listed."""
        for index, item in enumerate(self._items):
            if item.key == key:
                self.cursor = index
                return True
        return False

    def _nearest(self, index: int, step: int = 1) -> int:
        """The item there, or the next one that is none of the headings; -1 and beyond are the ends."""
        last = len(self._items) - 1
        index = max(0, min(index, last))
        for way in (step, -step):
            found = index
            while 0 <= found <= last:
                if not self._items[found].is_heading:
                    return found
                found += way
        return max(index, 0)

    def validate_cursor(self, cursor: int) -> int:
        return self._nearest(cursor, -1 if cursor < self.cursor else 1)

    def watch_cursor(self, old: int, new: int) -> None:
        if old != new:
            self._repaint(old)
            self._repaint(new)
            self._scroll_to_cursor()
            self.post_message(self.Moved())

    def _repaint(self, index: int) -> None:
        if index < len(self._items):
            region = Region(0, self._starts[index], self.size.width, self._items[index].height)
            visible = Region(0, self.scroll_offset.y, self.size.width, self.size.height)
            if shown := region.intersection(visible):
                self.refresh(shown.translate((0, -self.scroll_offset.y)))

    def _scroll_to_cursor(self) -> None:
        if self.cursor < len(self._items):
            start, item = self._starts[self.cursor], self._items[self.cursor]
            if self.cursor == 1 and self._items[0].is_heading:
                start = 0  # The heading over the first is seen again.
            region = Region(0, start, 1, item.height)
            self.scroll_to_region(region, animate=False, force=True, immediate=True)

    def on_resize(self, _event: events.Resize) -> None:
        self.virtual_size = Size(self.scrollable_content_region.width, self._starts[-1])
        self._scroll_to_cursor()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._drawn.clear()
        self._styled.clear()

    def action_cursor_up(self) -> None:
        self.cursor -= 1

    def action_cursor_down(self) -> None:
        self.cursor += 1

    def action_page_up(self) -> None:
        self.cursor = self._index_at(self._starts[self.cursor] - max(1, self.size.height - 1))

    def action_page_down(self) -> None:
        self.cursor = self._index_at(self._starts[self.cursor] + max(1, self.size.height - 1))

    def action_first(self) -> None:
        self.cursor = 0

    def action_last(self) -> None:
        self.cursor = len(self._items) - 1

    def _index_at(self, line: int) -> int:
        return max(0, min(bisect_right(self._starts, line) - 1, len(self._items) - 1))

    def on_click(self, event: events.Click) -> None:
        line = event.y + self.scroll_offset.y
        if line < self._starts[-1] and not self._items[self._index_at(line)].is_heading:
            self.cursor = self._index_at(line)
            if event.chain == 2:
                self.post_message(self.Opened())

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        if not self._items:
            return self._message_line(y, width)
        line = y + self.scroll_offset.y
        if line >= self._starts[-1]:
            return Strip.blank(width, self.rich_style)
        index = self._index_at(line)
        item, part, at_cursor = self._items[index], line - self._starts[index], index == self.cursor
        drawn = (item, part, width, at_cursor, self.has_focus)
        strip = self._drawn.get(drawn)
        if strip is None:
            pen = self._pen(at_cursor=at_cursor)
            strip = self.strip(item, part, width, pen).adjust_cell_length(width, pen.style("plain"))
            self._drawn[drawn] = strip
        return strip

    def _pen(self, *, at_cursor: bool) -> Pen:
        under = ("line-list--cursor",) if at_cursor else ()

        def style(name: str) -> Style:
            # To work one out takes longer than to draw the rest of the line.
            found = self._styled.get((name, at_cursor))
            if found is None:
                found = self.get_visual_style(*under, f"line-list--{name}").rich_style
                self._styled[(name, at_cursor)] = found
            return found

        return Pen(self._marks, style, at_cursor=at_cursor)

    def _message_line(self, y: int, width: int) -> Strip:
        line = y - max(0, (self.size.height - len(self._saying)) // 3)
        if not 0 <= line < len(self._saying):
            return Strip.blank(width, self.rich_style)
        style = self._pen(at_cursor=False).style("name" if line == 0 else "muted")
        return Strip([Segment(fit(f"   {self._saying[line]}", width, ellipsis=self._marks.ellipsis), style)])
