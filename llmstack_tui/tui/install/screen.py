"""The ways and versions, and beside them the plan, or how far it has come."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.containers import Horizontal
from textual.widgets import Static

from llmstack_tui.base.languages import tr
from llmstack_tui.core.wording import text
from llmstack_tui.tui.draw.text import content_of
from llmstack_tui.tui.install import KEYS
from llmstack_tui.tui.install.actions import InstallController
from llmstack_tui.tui.install.rows import InstallRow, install_rows
from llmstack_tui.tui.install.text import plan_content, progress_content, version_content
from llmstack_tui.tui.screen import FramedScreen
from llmstack_tui.tui.widgets.list import RowList
from llmstack_tui.tui.widgets.pane import Pane
from llmstack_tui.tui.widgets.section import ScrollingText

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.segment import Segment
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.content import Content

    from llmstack_tui.tui.draw.text import Pen
    from llmstack_tui.tui.view import View

_ABOUT = 10


class InstallList(RowList[InstallRow]):
    """Lists ways and versions."""

    def is_heading(self, row: InstallRow) -> bool:
        return row.is_heading

    def draw(self, row: InstallRow, line: int, width: int, pen: Pen) -> Sequence[Segment]:
        if row.is_heading:
            return [pen.pointer(), pen.cell(f" {row.label}", width - 1, "heading")]
        about = pen.cell(f" {row.about}", _ABOUT, "muted")
        return [pen.pointer(), pen.cell(f"  {row.label}", width - 1 - _ABOUT, row.tone), about]


class InstallScreen(FramedScreen):
    """Follows the controller: an installation goes on while this is closed."""

    DEFAULT_CSS = """
    InstallScreen InstallList { width: 38; }
    InstallScreen ScrollingText { height: 1fr; }
    InstallScreen #plan { padding: 0 1; }
    """
    AUTO_FOCUS = "InstallList"
    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]

    def __init__(self) -> None:
        super().__init__(Pane(tr("Installation"), id="frame"))
        self.list = InstallList()
        self._plan = Static("", id="plan", markup=False)
        self._shown: Content | None = None

    def compose_body(self) -> ComposeResult:
        with Horizontal():
            yield self.list
            with ScrollingText():
                yield self._plan

    def on_mount(self) -> None:
        if not self._controller.is_under_way:
            self._controller.look()
        self.show(self.shell.view)

    def action_close(self) -> None:
        super().action_close()
        # Who came here from a machine without a server wants to know whether there is one now.
        if self.shell.stack is None:
            self.shell.act("servers.refresh")

    @property
    def _controller(self) -> InstallController:
        return self.shell.controller(InstallController)

    @property
    def targets(self) -> tuple[object, ...]:
        return (self.list.row,)

    def show(self, view: View) -> None:
        offer = self._controller.offer
        if offer is None:
            self.list.show_message((tr("Looking at this machine") + self.shell.marks.dots,))
        else:
            self.list.show(tuple(install_rows(offer)))
        looking = tr("Looking at this machine") + self.shell.marks.dots if self._controller.is_looking else ""
        problem = text(*offer.problems) if offer is not None else ""
        self.frame.show_title("  ".join(filter(None, (tr("Installation"), looking or problem))))
        self._show_plan()

    @on(RowList.Moved)
    def _moved(self) -> None:
        if not self._controller.is_under_way:
            self._controller.plan = None
        self._show_plan()
        self.query_one(ScrollingText).scroll_home(animate=False)

    @on(RowList.Opened)
    def _opened(self) -> None:
        self._controller.go(self.list.row)

    def _show_plan(self) -> None:
        content = self._content()
        if self._shown is None or not content.is_same(self._shown):
            self._shown = content
            self._plan.update(content)

    def _content(self) -> Content:
        controller, row = self._controller, self.list.row
        if controller.plan is not None:
            return progress_content(
                controller.plan, controller.told, controller.said, controller.lines, self.shell.marks
            )
        if row is None or row.is_heading:
            return content_of("")
        if row.plan is not None:
            return plan_content(row.plan)
        return version_content(row.version, is_kept=row.is_kept)

    def follow_language(self) -> None:
        self.show(self.shell.view)
