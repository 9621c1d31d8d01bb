"""The findings of the doctor, the worst first; each unfolds to what was seen and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct
from textual import on

from llmstack_tui.base.languages import later, tr, tr_n
from llmstack_tui.core.wording import text
from llmstack_tui.doctor.types import FindingState
from llmstack_tui.tui.draw.text import segment, wrap
from llmstack_tui.tui.screen import FramedScreen
from llmstack_tui.tui.system import KEYS
from llmstack_tui.tui.system.actions import SystemController
from llmstack_tui.tui.widgets.list import RowList
from llmstack_tui.tui.widgets.pane import Pane

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from rich.segment import Segment
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from llmstack_tui.doctor.types import Finding, Report
    from llmstack_tui.tui.draw.text import Pen
    from llmstack_tui.tui.view import View

# Each state with its heading and its tone, the worst first.
_GROUPS = {
    FindingState.BROKEN: (later("Broken"), "bad"),
    FindingState.WARNING: (later("Warnings"), "warning"),
    FindingState.ADVICE: (later("Advice"), "accent"),
    FindingState.FINE: (later("Fine"), "good"),
    FindingState.DOES_NOT_APPLY: (later("Does not apply here"), "muted"),
}
_ID, _INDENT, _MOST = 19, 6, 100
UNDO = "undo"


class FindingRow(Struct, frozen=True, kw_only=True):
    """A finding, or the heading of a group, which has no id. ``more``: the sentences that are unfolded."""

    key: str
    id: str = ""
    says: str
    tone: str
    more: tuple[str, ...] = ()


class FindingList(RowList[FindingRow]):
    """Lists findings by their ids."""

    def is_heading(self, row: FindingRow) -> bool:
        return not row.id

    def height_of(self, row: FindingRow, width: int) -> int:
        return len(_lines(row, width)) if row.more else 1

    def draw(self, row: FindingRow, line: int, width: int, pen: Pen) -> list[Segment]:
        if not row.id:
            return [pen.pointer(), pen.cell(f" {row.says}", width - 1, "heading")]
        if not row.more:
            says = pen.cell(row.says, width - 3 - _ID, "plain")
            return [pen.pointer(), pen.cell(f"  {row.id}", _ID + 2, row.tone), says]
        return [pen.pointer(), segment(_lines(row, width)[line], pen.style("plain" if line else row.tone))]


def _lines(row: FindingRow, width: int) -> list[str]:
    """The lines of an unfolded finding: its id, then each sentence, wrapped."""
    room = max(width - 1 - _INDENT, 10)
    wrapped = (piece for each in (row.says, *row.more) for piece in wrap(each, room, most=_MOST))
    return [f"  {row.id}", *(" " * _INDENT + piece for piece in wrapped)]


def finding_rows(
    report: Report, opened: Collection[str], *, fix_key: str = "f", copy_key: str = "y", undo: str = ""
) -> Iterator[FindingRow]:
    """What can be taken back, then the findings by their states, each group under a heading."""
    if undo:
        yield FindingRow(key=UNDO, says=undo, tone="accent")
    for state, (heading, tone) in _GROUPS.items():
        found = [each for each in report.findings if each.state is state]
        if found:
            yield FindingRow(key=state.value, says=tr(heading), tone="heading")
        for each in found:
            key = key_of(each)
            more = _more(each, fix_key, copy_key) if key in opened else ()
            yield FindingRow(key=key, id=each.id, says=text(each.says), tone=tone, more=more)


def key_of(finding: Finding) -> str:
    return f"{finding.id} {finding.about}"


def _more(finding: Finding, fix_key: str, copy_key: str) -> tuple[str, ...]:
    """What was seen, what to do, and what the fix would do."""
    said = [*map(text, (*finding.evidence, *finding.advice))]
    if finding.fix is not None:
        said.append(tr("Fix: {does}", does=text(finding.fix.does)))
    elif finding.command:
        said.append(tr("In a terminal: {command}", command=finding.command))
        said.append(tr("{key} copies the command.", key=copy_key))
    elif finding.opens:
        said.append(tr("{key} opens the screen where that can be changed.", key=fix_key))
    return tuple(said) or (tr("There is nothing more to say."),)


class SystemScreen(FramedScreen):
    """Shows the last report, and has a first one made if there is none."""

    AUTO_FOCUS = "FindingList"
    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]

    def __init__(self) -> None:
        super().__init__(Pane(tr("System"), id="frame"))
        self.list = FindingList()
        self._opened: frozenset[str] = frozenset()

    def compose_body(self) -> ComposeResult:
        yield self.list

    @property
    def _controller(self) -> SystemController:
        return self.shell.controller(SystemController)

    def on_mount(self) -> None:
        self._controller.is_open = True
        self._controller.look_where_due()
        self.show(self.shell.view)

    def on_unmount(self) -> None:
        self._controller.is_open = False

    @property
    def targets(self) -> tuple[object, ...]:
        return (self._finding,)

    @property
    def _finding(self) -> Finding | None:
        report, row = self._controller.report, self.list.row
        findings = report.findings if report is not None else ()
        return next((each for each in findings if row is not None and key_of(each) == row.key), None)

    def show(self, view: View) -> None:
        report = self._controller.report
        if report is None:
            self.list.show_message((tr("Examining this installation") + self.shell.marks.dots,))
            return
        keys, undo = view.keys, self._controller.undo
        said = text(undo.does) if undo is not None else ""
        undoes = tr("{key} takes the last fix back: {does}", key=keys["system.take_back"], does=said)
        self.list.show(
            tuple(
                finding_rows(
                    report,
                    self._opened,
                    fix_key=keys["system.fix"],
                    copy_key=keys["system.copy"],
                    undo=undoes if undo is not None else "",
                )
            )
        )
        self.frame.show_title(f"{tr('System')}  {self._summary(report)}")

    def _summary(self, report: Report) -> str:
        if self._controller.is_examining:
            return tr("Examining this installation") + self.shell.marks.dots
        if not report.wrong:
            return tr("Nothing is wrong.")
        broken, doubtful = len(report.broken), len(report.wrong) - len(report.broken)
        counts = (
            tr_n("{count} broken", "{count} broken", broken) if broken else "",
            tr_n("{count} warning", "{count} warnings", doubtful) if doubtful else "",
        )
        return ", ".join(filter(None, counts))

    @on(RowList.Opened)
    def action_open(self) -> None:
        """Unfold the finding under the cursor, or fold it again."""
        if self.list.row is not None:
            self._opened ^= {self.list.row.key}
            self.show(self.shell.view)

    def action_copy(self) -> None:
        """Copy the command of the finding under the cursor, or else what is said of it."""
        if (finding := self._finding) is None:
            return
        if finding.command:
            self.shell.copy(finding.command)
            self.shell.tell(tr("The command is copied: {command}", command=finding.command))
        else:
            said = (finding.says, *finding.evidence, *finding.advice)
            self.shell.copy("\n".join(map(text, said)), lines=True)
            self.shell.tell(tr("What is said of {id} is copied.", id=finding.id))

    def follow_language(self) -> None:
        self.show(self.shell.view)
