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

from llmstack_tui.lifecycle.states import ModelState
from llmstack_tui.tui import keys
from llmstack_tui.tui.text import fit
from llmstack_tui.tui.widgets.headings import LONG_VERSION, SHORT_VERSION, Columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.style import Style
    from textual import events
    from textual.binding import BindingType

    from llmstack_tui.tui.marks import Marks
    from llmstack_tui.tui.rows import Key, ModelRow


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
        & .model-list--changing { color: $text-warning; }
        & .model-list--cloud { color: $text-primary; }
        & .model-list--name { text-style: bold; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "model-list--plain",
        "model-list--cursor",
        "model-list--pointer",
        "model-list--muted",
        "model-list--active",
        "model-list--changing",
        "model-list--cloud",
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

    def __init__(self, marks: Marks, *, id: str | None = None) -> None:  # noqa: A002  # Textual's own name
        super().__init__(id=id)
        self._marks = marks
        self._rows: tuple[ModelRow, ...] = ()
        self._message: tuple[str, ...] = ()
        self._ticked: frozenset[Key] = frozenset()
        self._speeds = False
        self._strips: LRUCache[object, Strip] = LRUCache(256)

    @property
    def row(self) -> ModelRow | None:
        """The model under the cursor."""
        return self._rows[self.cursor] if self.cursor < len(self._rows) else None

    @property
    def rows(self) -> tuple[ModelRow, ...]:
        return self._rows

    def show(self, rows: tuple[ModelRow, ...], *, speeds: bool = False) -> None:
        """Draw ``rows``; only the lines that are different are painted.

        Args:
            speeds: whether there is a column of them.
        """
        old, self._rows = self._rows, rows
        if speeds != self._speeds:
            self._speeds = speeds
            self._strips.clear()
            self.refresh()
        if len(old) == len(rows) and all(one.key == other.key for one, other in zip(old, rows, strict=True)):
            for line, (one, other) in enumerate(zip(old, rows, strict=True)):
                if one is not other and one != other:
                    self._repaint(line)
            return
        self._keep_cursor(old)
        self.virtual_size = Size(self.scrollable_content_region.width, len(rows))
        self.refresh()

    def show_ticked(self, keys: frozenset[Key]) -> None:
        """Draw a tick at these models, and at no others."""
        changed, self._ticked = self._ticked ^ keys, keys
        for line, row in enumerate(self._rows) if changed else ():
            if row.key in changed:
                self._repaint(line)

    def show_message(self, lines: Sequence[str]) -> None:
        """What stands in the place of models while there are none: a first line, and what to do."""
        if tuple(lines) != self._message:
            self._message = tuple(lines)
            if not self._rows:
                self.refresh()

    def move_to(self, key: Key) -> bool:
        """Put the cursor on a model; False if it is not listed."""
        for index, row in enumerate(self._rows):
            if row.key == key:
                self.cursor = index
                return True
        return False

    def _keep_cursor(self, old: tuple[ModelRow, ...]) -> None:
        key = old[self.cursor].key if self.cursor < len(old) else None
        before = self.cursor
        index = next((i for i, row in enumerate(self._rows) if row.key == key), None)
        self.set_reactive(ModelList.cursor, self.validate_cursor(before) if index is None else index)
        if index is None or not old:
            self.post_message(self.Moved(self, self.row))
        if self.cursor != before or index is None:
            self.call_after_refresh(self._scroll_to_cursor)

    def validate_cursor(self, cursor: int) -> int:
        return max(0, min(cursor, len(self._rows) - 1))

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
        self.virtual_size = Size(self.scrollable_content_region.width, len(self._rows))
        self._scroll_to_cursor()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips.clear()

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
        self.cursor = len(self._rows) - 1

    def on_click(self, event: events.Click) -> None:
        line = event.y + self.scroll_offset.y
        if line < len(self._rows):
            self.cursor = line
            if event.chain == 2:
                self.post_message(self.Opened())

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        if not self._rows:
            return self._message_line(y, width)
        line = y + self.scroll_offset.y
        if line >= len(self._rows):
            return Strip.blank(width, self.rich_style)
        row, at_cursor = self._rows[line], line == self.cursor
        ticked = row.key in self._ticked
        cached = (row, width, at_cursor, ticked, self.has_focus)
        strip = self._strips.get(cached)
        if strip is None:
            strip = self._strips[cached] = self._row_strip(row, width, at_cursor=at_cursor, ticked=ticked)
        return strip

    def _message_line(self, y: int, width: int) -> Strip:
        line = y - max(0, (self.size.height - len(self._message)) // 3)
        if not 0 <= line < len(self._message):
            return Strip.blank(width, self.rich_style)
        style = self.get_visual_style("model-list--name" if line == 0 else "model-list--muted").rich_style
        text = fit("   " + self._message[line], width, ellipsis=self._marks.ellipsis)
        return Strip([Segment(text, style)], width)

    def _row_strip(self, row: ModelRow, width: int, *, at_cursor: bool, ticked: bool) -> Strip:
        columns = Columns.of(width, speeds=self._speeds)
        ellipsis = self._marks.ellipsis
        under = ("model-list--cursor",) if at_cursor else ()

        def style(name: str) -> Style:
            return self.get_visual_style(*under, f"model-list--{name}").rich_style

        base = style("plain")
        tone = style("muted" if row.old else _TONES[row.state])
        present = row.state is not ModelState.INACTIVE and not row.old
        figures = base if present else style("muted")

        def cell(text: str, cells: int, of: Style, *, right: bool = False) -> Segment:
            return Segment(fit(text, cells, right=right, ellipsis=ellipsis), of)

        version = f"  {row.digest}"
        if columns.version == LONG_VERSION:
            version = f"{version.ljust(SHORT_VERSION)} {row.modified}"
        if row.note:
            middle = [cell("  " + row.note, columns.note, style("muted"))]
        else:
            middle = [
                cell("  " + row.quantization, columns.quantization, style("muted")),
                cell(row.size, columns.size, figures, right=True),
            ]
        segments = [
            Segment(self._marks.cursor if at_cursor else " ", style("pointer")),
            Segment(self._marks.tick if ticked else " ", style("pointer")),
            Segment(row.mark + " ", tone),
            cell(row.name, columns.name, style("name") if present else base),
            cell(version, columns.version, style("muted")),
            *middle,
            cell(row.memory, columns.memory, figures, right=True),
            cell("  " + row.word, columns.word, tone),
            cell(row.speed, columns.speed, base, right=True),
            cell(row.leaves, columns.leaves, base, right=True),
        ]
        return Strip(segments).adjust_cell_length(width, base)


_TONES = {
    ModelState.ACTIVE: "active",
    ModelState.LOADING: "changing",
    ModelState.STOPPING: "changing",
    ModelState.INACTIVE: "muted",
    ModelState.CLOUD: "cloud",
}
