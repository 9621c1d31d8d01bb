"""The first screen: the list of models, the details of the selected one, memory, and the activity."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from msgspec import to_builtins
from textual import on
from textual.containers import Vertical

from llmstack_tui.base.kinds import Capability
from llmstack_tui.base.languages import tr
from llmstack_tui.base.names import same_model
from llmstack_tui.tui.models import KEYS
from llmstack_tui.tui.models.arrangement import Arrangement, PullRow, host_rows, pull_rows
from llmstack_tui.tui.models.first_steps import FirstSteps
from llmstack_tui.tui.models.pane import ModelsPane
from llmstack_tui.tui.models.rows import Rows
from llmstack_tui.tui.models.suggestions import SuggestionRow, Suggestions
from llmstack_tui.tui.screen import SidePane, TableScreen
from llmstack_tui.tui.widgets.list import RowList

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from llmstack_tui.tui.models.rows import ModelRow
    from llmstack_tui.tui.models.suggestions import NewcomerRow
    from llmstack_tui.tui.stack import DashboardStack
    from llmstack_tui.tui.view import Key, View

_RECALL = "models.arrangement"
# What the host of the model under the cursor must be able to do for a key, by the id of its binding.
_NEEDS = {
    "models.activate": Capability.LOAD,
    "models.deactivate": Capability.UNLOAD,
    "models.restart": Capability.UNLOAD,
    "models.update": Capability.PULL,
    "models.remove": Capability.DELETE,
    "models.create": Capability.CREATE,
    "models.copy": Capability.COPY,
    "models.rename": Capability.COPY,
}


class ModelsScreen(TableScreen):
    """Draws the state; the controllers carry out what the keys ask for."""

    pane: ModelsPane

    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]

    def __init__(self, left: Sequence[SidePane], right: Sequence[SidePane]) -> None:
        """The panes ``left`` are below the list, ``right`` beside it if there is room."""
        super().__init__("models", ModelsPane(id="models-pane"))
        self._rows = Rows()
        self._wanted: Key | None = None
        self.suggestions = Suggestions()
        self._steps = FirstSteps()
        self._left, self._right = left, right
        self.list = self.pane.list

    def compose_body(self) -> ComposeResult:
        with Vertical(id="left"):
            yield self.pane
            yield from self._left
        with Vertical(id="right"):
            yield from self._right

    def on_mount(self) -> None:
        # After the first paint, because Textual computes all styles again for it.
        self.call_after_refresh(self.focus_list)

    @property
    def targets(self) -> tuple[Key, ...]:
        return self.pane.targets

    @property
    def one_model(self) -> Key | None:
        return self.selected

    @property
    def selected(self) -> Key | None:
        """The model that a key acts on."""
        model = self.list.model
        return model.key if model else None

    @property
    def selected_host(self) -> str | None:
        """The URL of the host under the cursor, or of the host of the model there."""
        row = self.list.row
        return row.key[0] if row else None

    def connected(self, stack: DashboardStack) -> None:
        """Restore the arrangement of an earlier session."""
        recall = partial(self._recall, stack)
        self.shell.start(tr("What the screen remembers"), recall, group=_RECALL, exclusive=True)

    async def _recall(self, stack: DashboardStack) -> None:
        self.pane.recall(await stack.records.recall(_RECALL, Arrangement(), Arrangement))
        await self._steps.recall(stack)
        self.show(self.shell.view)

    def select(self, url: str, name: str) -> None:
        """Put the cursor on a model as soon as it is listed."""
        self._wanted = (url, name)
        self.show(self.shell.view)

    def show(self, view: View) -> None:
        self._show_models(view)
        self._select_wanted(view)

    def show_rest(self, view: View) -> None:
        super().show_rest(view)
        for pane in (*self._left, *self._right):
            pane.show(view, self.selected)
        self._grey_keys(view)

    def _grey_keys(self, view: View) -> None:
        """Draw the keys grey that do nothing for the host under the cursor."""
        url, reasons = self.selected_host, dict[str, str]()
        for key, act in _NEEDS.items():
            if url is not None and (why := view.unable(url, act)):
                reasons[key] = why
        self.keys.grey(reasons)

    def _select_wanted(self, view: View) -> None:
        if (wanted := self._wanted) is None:
            return
        for model in view.models():
            if model.host == wanted[0] and same_model(model.name, wanted[1]):
                self._wanted = None
                self.pane.move_to((model.host, model.name))
                return

    def _show_models(self, view: View) -> None:
        if view.state is None:
            self.pane.show(())
            return
        rows = self._rows.make(view.state, view.moment, self.shell.marks)
        names = self.shell.host_names
        stack = self.shell.stack
        look_only = stack.look_only if stack else frozenset[str]()
        pulls = pull_rows(view.state.downloads, rows, self.shell.marks)
        self.pane.show(
            rows,
            host_rows(view.state, rows, names=names, look_only=look_only),
            pulls,
            sum(host.snapshot.left_out for host in view.state.hosts),
            self._hints(view, rows, pulls),
        )

    def _hints(self, view: View, rows: Sequence[ModelRow], pulls: Sequence[PullRow]) -> Sequence[NewcomerRow]:
        """What is said below the models to somebody who is new."""
        stack = self.shell.stack
        if rows or pulls or stack is None:
            return self._steps.hints(rows, self.shell)
        if not self.suggestions.is_read:
            read = partial(self._read_suggestions, stack)
            self.shell.start(tr("The catalog"), read, group="catalog", exclusive=True)
        return self.suggestions.rows(view, stack)

    async def _read_suggestions(self, stack: DashboardStack) -> None:
        await self.suggestions.read(stack)
        self.show(self.shell.view)

    @on(RowList.Moved, "#models")
    def _moved(self) -> None:
        for pane in (*self._left, *self._right):
            pane.select(self.shell.view, self.selected)
        self._grey_keys(self.shell.view)

    @on(ModelsPane.Arranged)
    def _arranged(self) -> None:
        if (stack := self.shell.stack) is not None:
            stack.records.remember(_RECALL, to_builtins(self.pane.arrangement))

    # Keys

    @on(RowList.Opened)
    async def action_open(self) -> None:
        if isinstance(self.list.row, PullRow):
            await self.shell.open("downloads")
        elif isinstance(self.list.row, SuggestionRow):
            self.shell.act("catalog.offer", self.list.row.name)
        elif not self.list.toggle_fold() and (key := self.selected):
            await self.shell.open("details", key)

    def action_act_on(self, name: str) -> None:
        row, keys = self.list.row, self.shell.view.keys
        if isinstance(row, PullRow) and not self.targets:
            key = keys["app.downloads"]
            self.shell.tell(tr("{model} is being pulled. Press {key} to see it.", model=row.name, key=key))
        elif isinstance(row, SuggestionRow):
            key = keys["models.open"]
            self.shell.tell(tr("{model} is not here yet: {key} pulls it.", model=row.name, key=key))
        else:
            super().action_act_on(name)

    def action_mark(self) -> None:
        self.pane.toggle_mark()

    def action_derive(self, way: str) -> None:
        if key := self.selected:
            self.shell.act("models.derive", way, key)

    def action_copy_to(self) -> None:
        if key := self.selected:
            self.shell.act("models.copy_to", key)

    def action_cancel(self) -> None:
        """Clear the marks, else the filter, else cancel a load, else the start of the engine."""
        if self.pane.clear_marks() or self.pane.clear_filter():
            return
        if key := self.selected:
            self.shell.act("models.cancel", key)
        else:
            self.shell.act("servers.cancel_start")

    @on(SidePane.Left)
    def _pane_left(self) -> None:
        self.list.focus()
