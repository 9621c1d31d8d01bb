"""The list of Ollama's variables; changes are gathered, then shown, and written together."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct
from textual import on
from textual.widgets import Static

from llmstack_tui.base.address import server_id
from llmstack_tui.base.languages import tr, tr_n
from llmstack_tui.base.sentences import UserFacingError
from llmstack_tui.core.wording import text, words
from llmstack_tui.tui.draw.text import content_of
from llmstack_tui.tui.screen import FramedScreen
from llmstack_tui.tui.shell import AnswerChoice, start
from llmstack_tui.tui.variables import KEYS
from llmstack_tui.tui.variables.text import about, done_text, question
from llmstack_tui.tui.variables.value import ValueScreen
from llmstack_tui.tui.widgets.list import RowList
from llmstack_tui.tui.widgets.pane import Pane
from llmstack_tui.tui.widgets.section import ScrollingText
from llmstack_tui.variables.plans import planned
from llmstack_tui.variables.rules.shown import better_value, is_automatic, value_text
from llmstack_tui.variables.types import Standing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.segment import Segment
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.content import Content

    from llmstack_tui.tui.draw.text import Pen
    from llmstack_tui.tui.stack import DashboardVariables
    from llmstack_tui.variables.types import Changed, Overview, VariableChange, VariableRow

_NAME, _VALUE, _ORIGIN, _SUITS = 25, 16, 21, 15
_LOOK_EVERY_S = 0.5


class VariableLine(Struct, frozen=True, kw_only=True):
    """A variable in the list.

    Attributes:
        after: its value once it is written, "" if that is not changed.
        suits: what suits this machine, "" if it has that.
    """

    key: str
    value: str
    origin: str
    tone: str
    after: str = ""
    suits: str = ""


class VariableList(RowList[VariableLine]):
    """Lists the variables by their names."""

    def draw(self, row: VariableLine, line: int, width: int, pen: Pen) -> Sequence[Segment]:
        after = f"{row.value} {pen.marks.client} {row.after}" if row.after else row.value
        room = max(width - 2 - _NAME - _ORIGIN - _SUITS, _VALUE)
        return [
            pen.pointer(),
            pen.cell(row.key, _NAME, row.tone),
            pen.cell(after, room, "accent" if row.after else "plain"),
            pen.cell(f" {row.origin}", _ORIGIN, "muted"),
            pen.cell(row.suits, _SUITS, "good"),
        ]


class VariablesScreen(FramedScreen):
    """Shows what was found when it was opened, and after each change.

    Args:
        name: of the variable on which the cursor is at first.
    """

    DEFAULT_CSS = """
    VariablesScreen VariableList { height: 2fr; min-height: 3; }
    VariablesScreen ScrollingText { height: 1fr; min-height: 7; border-top: solid $pane-border; }
    VariablesScreen #about, VariablesScreen #said { padding: 0 1; }
    VariablesScreen #said { height: auto; max-height: 40%; display: none; }
    VariablesScreen #said.-said { display: block; }
    """
    AUTO_FOCUS = "VariableList"
    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]

    def __init__(self, name: str = "") -> None:
        super().__init__(Pane(tr("Server settings"), id="frame"))
        self.list = VariableList()
        self._about = Static("", id="about", markup=False)
        self._said = Static("", id="said", markup=False)
        self._overview: Overview | None = None
        self._after: dict[str, str | None] = {}
        self._first = name

    def compose_body(self) -> ComposeResult:
        yield self._said
        yield self.list
        with ScrollingText():
            yield self._about

    def on_mount(self) -> None:
        self.list.show_message((tr("Looking at the server") + self.shell.marks.dots,))
        self.action_look()

    def follow_language(self) -> None:
        self._show()

    @property
    def _row(self) -> VariableRow | None:
        line = self.list.row
        return self._overview.row(line.key) if self._overview is not None and line is not None else None

    # What is drawn

    def _show(self) -> None:
        if self._overview is None:
            return
        self.list.show([self._line(each) for each in self._overview.rows])
        count = len(self._after)
        changes = tr_n("{count} change to be written", "{count} changes to be written", count)
        self.frame.show_title(f"{tr('Server settings')}  {changes if count else self._overview.url}")
        self._show_about()

    def _line(self, row: VariableRow) -> VariableLine:
        after = ""
        if row.name in self._after:
            value = self._after[row.name]
            after = tr("default") if value is None else value
        tone = "name" if row.standing is Standing.FINE and row.fault is None else "warning"
        return VariableLine(
            key=row.name,
            value=tr("automatic") if is_automatic(row) else value_text(row),
            origin=tr(row.origin),
            tone=tone,
            after=after,
            suits=tr("suits: {value}", value=better) if (better := better_value(row)) else "",
        )

    @on(RowList.Moved)
    def _show_about(self) -> None:
        if (row := self._row) is not None:
            self._about.update(about(row))
            self.query_one(ScrollingText).scroll_home(animate=False)

    def _say(self, content: Content) -> None:
        self._said.update(content)
        self._said.set_class(bool(content.plain), "-said")

    # Keys

    def action_look(self) -> None:
        start(self, tr("The server settings"), self._look_first, group="look", exclusive=True)

    async def _look(self) -> Overview:
        variables = await self.shell.variables()
        self._overview = await variables.overview()
        own = {each.name: each.own for each in self._overview.rows}
        self._after = {name: value for name, value in self._after.items() if own.get(name) != value}
        self._show()
        return self._overview

    async def _look_first(self) -> None:
        """Look, and say what there is to say of the server."""
        overview = await self._look()
        self.list.move_to(self._first)
        self._first = ""
        if overview.why_not is not None:
            self._say(content_of((text(overview.why_not), "$text-warning")))
        else:
            running = tr("Ollama does not run at {url}.", url=overview.url) if overview.pid is None else ""
            self._say(content_of(running))

    def _changeable(self) -> Overview | None:
        """What may be changed; None, with the reason, if nothing may be."""
        if self._overview is None:
            return None
        if self.shell.read_only:
            self.shell.tell(tr("Nothing can be changed: llmstack is read-only."))
        elif self._overview.why_not is not None:
            self.shell.tell(text(self._overview.why_not))
        else:
            return self._overview
        return None

    @on(RowList.Opened)
    def action_edit(self) -> None:
        if self._changeable() is not None and (row := self._row) is not None:
            start(self, tr("The value"), lambda: self._edit(row), group="edit", exclusive=True)

    async def _edit(self, row: VariableRow) -> None:
        value = self._after.get(row.name) or row.wanted or row.value or ""
        chosen = await self.shell.show(ValueScreen(row, value))
        if chosen is not None:
            self._set(row, chosen)

    def _set(self, row: VariableRow, value: str | None) -> None:
        if value == row.own:
            self._after.pop(row.name, None)
        else:
            self._after[row.name] = value
        self._show()

    def action_suggest(self) -> None:
        if self._changeable() is None or (row := self._row) is None:
            return
        if row.suggestion is None:
            self.shell.tell(tr("Nothing is suggested for {name}.", name=row.name))
        else:
            self._set(row, row.suggestion.value)

    def action_suggest_all(self) -> None:
        if (overview := self._changeable()) is not None:
            for row in overview.rows:
                if row.suggestion is not None:
                    self._set(row, row.suggestion.value)

    def action_unset(self) -> None:
        if self._changeable() is None or (row := self._row) is None:
            return
        if row.name in self._after:
            del self._after[row.name]
        elif row.own is not None:
            self._after[row.name] = None
        else:
            self.shell.tell(tr("llmstack does not set {name}: there is nothing to take out.", name=row.name))
        self._show()

    def action_write(self) -> None:
        if (overview := self._changeable()) is None:
            return
        if not self._after:
            self.shell.tell(tr("Nothing is changed yet: Enter changes a value, s takes the suggested one."))
            return
        start(self, tr("The change"), lambda: self._write(overview), group="write", exclusive=True)

    async def _write(self, overview: Overview) -> None:
        variables = await self.shell.variables()
        try:
            change = planned(overview, dict(self._after))
            answers = (
                AnswerChoice("no", tr("Not now")),
                AnswerChoice("restart", tr("Write and restart")),
                AnswerChoice("write", tr("Write")),
            )
            answer = await self.shell.ask(
                tr("Change the server settings?"), question(change), answers, escape="no"
            )
            if answer == "no":
                return
            done = await self._carry_out(variables, change, restart=answer == "restart")
        except UserFacingError as error:
            self._say(content_of((words(error), "$text-error")))
            await self._look()
            return
        self._after.clear()
        self._say(content_of((done_text(done), "$text-error" if done.rolled_back else "$text-success")))
        await self._look()

    async def _carry_out(
        self, variables: DashboardVariables, change: VariableChange, *, restart: bool
    ) -> Changed:
        if restart:
            self._say(content_of(tr("Ollama is restarted") + self.shell.marks.dots))
        return await variables.change(
            change, restart=restart, as_root=self.shell.run_as_root, until_free=self._until_free
        )

    async def _until_free(self) -> None:
        """Return when no model of the server answers a request."""
        url = self._overview.url if self._overview is not None else ""
        while any(each.busy and server_id(each.host) == server_id(url) for each in self.shell.view.models()):
            self._say(content_of(tr("Waiting for the running requests") + self.shell.marks.dots))
            await asyncio.sleep(_LOOK_EVERY_S)
