"""The guide: its topics, and beside them, or in their place on a narrow terminal, the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct
from textual import on
from textual.containers import Horizontal
from textual.widget import Widget

from llmstack_tui.base.languages import tr
from llmstack_tui.guide.pages import Page, pages
from llmstack_tui.tui.draw.marks import with_marks
from llmstack_tui.tui.draw.text import content_of
from llmstack_tui.tui.guide import KEYS
from llmstack_tui.tui.guide.content import page_content
from llmstack_tui.tui.screen import FramedScreen
from llmstack_tui.tui.shell import shell_of
from llmstack_tui.tui.widgets.list import RowList
from llmstack_tui.tui.widgets.pane import Pane
from llmstack_tui.tui.widgets.section import ScrollingText

if TYPE_CHECKING:
    from rich.segment import Segment
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.content import Content
    from textual.geometry import Size

    from llmstack_tui.tui.draw.text import Pen

_READING = "-reading"
_TITLE_CELLS = 25
_PURPOSE_FROM = 60
_LONGEST_LINE = 84


class TopicRow(Struct, frozen=True):
    """A page of the guide."""

    key: str
    title: str
    purpose: str


class TopicList(RowList[TopicRow]):
    """Lists the pages by their titles, and with what they are about where there is room."""

    def draw(self, row: TopicRow, line: int, width: int, pen: Pen) -> list[Segment]:
        title = _TITLE_CELLS if width >= _PURPOSE_FROM else width - 2
        return [
            pen.pointer(),
            pen.cell("", 1, "plain"),
            pen.cell(row.title, title, "name"),
            pen.cell(f"  {row.purpose}", width - 2 - title, "muted"),
        ]


class PageLines(Widget):
    """A page, in lines that are not too long to be read, made for the width that there is."""

    DEFAULT_CSS = """
    PageLines { height: auto; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.page: Page | None = None
        self._made: tuple[Page | None, int, Content] = None, 0, content_of()

    def show(self, page: Page) -> None:
        self.page = page
        self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return self._content(width).plain.count("\n") + 1

    def render(self) -> Content:
        return self._content(self.content_size.width)

    def _content(self, width: int) -> Content:
        if self.page is None:
            return content_of()
        if self._made[:2] != (self.page, width):
            marks = shell_of(self).marks
            text = with_marks(self.page.text, marks)
            self._made = self.page, width, page_content(text, max(min(width, _LONGEST_LINE), 1), marks.dot)
        return self._made[2]


class PageText(ScrollingText):
    """A page that is scrolled."""

    def __init__(self) -> None:
        super().__init__()
        self._lines = PageLines()

    def compose(self) -> ComposeResult:
        yield self._lines

    def show(self, page: Page) -> None:
        if page != self._lines.page:
            self.scroll_home(animate=False)
            self._lines.show(page)


class GuideScreen(FramedScreen):
    """Shows the page of the topic under the cursor."""

    DEFAULT_CSS = """
    GuideScreen TopicList { width: 34; }
    GuideScreen PageText { padding: 0 2; border-left: vkey $pane-border; }
    GuideScreen PageText:focus { border-left: vkey $primary; }
    GuideScreen.-narrow, GuideScreen.-tiny {
        & TopicList { width: 1fr; }
        & PageText { display: none; padding: 0 1; }
        & PageText, & PageText:focus { border-left: none; }
        &.-reading TopicList { display: none; }
        &.-reading PageText { display: block; }
    }
    """
    AUTO_FOCUS = "TopicList"
    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]

    def __init__(self) -> None:
        super().__init__(Pane(tr("Guide"), id="frame"))
        self.list = TopicList()
        self.page = PageText()

    def compose_body(self) -> ComposeResult:
        with Horizontal():
            yield self.list
            yield self.page

    def on_mount(self) -> None:
        self.follow_language()

    def follow_language(self) -> None:
        self.frame.show_title(tr("Guide"))
        self._pages = {each.topic: each for each in pages()}
        self.list.show([TopicRow(each.topic, each.title, each.purpose) for each in self._pages.values()])
        self._show_page()

    @on(RowList.Moved)
    def _show_page(self) -> None:
        if row := self.list.row:
            self.page.show(self._pages[row.key])

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "read" or not self.page.has_focus

    @on(RowList.Opened)
    def action_read(self) -> None:
        self.add_class(_READING)
        self.page.focus()

    def action_close(self) -> None:
        if self.page.has_focus:
            self.remove_class(_READING)
            self.list.focus()
        else:
            super().action_close()
