"""The first screen: the list of models, the one under the cursor, memory, and what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.containers import Horizontal, Vertical

from llmstack_tui.base.text import clean
from llmstack_tui.tui import keys
from llmstack_tui.tui.activity.list import ActivityList
from llmstack_tui.tui.details.pane import Details, details_content
from llmstack_tui.tui.draw.text import fit_name
from llmstack_tui.tui.memory.pane import MemoryGauges
from llmstack_tui.tui.models.arrangement import host_rows
from llmstack_tui.tui.models.deriving import COPY, CREATE, RENAME, Way
from llmstack_tui.tui.models.pane import ModelsPane
from llmstack_tui.tui.models.rows import Rows
from llmstack_tui.tui.tab import TabScreen
from llmstack_tui.tui.widgets.filter import FilterField
from llmstack_tui.tui.widgets.keybar import KeyBar
from llmstack_tui.tui.widgets.list import RowList
from llmstack_tui.tui.widgets.pane import Pane
from llmstack_tui.tui.widgets.tabs import MODELS

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from llmstack_tui.tui.activity.log import Activity
    from llmstack_tui.tui.draw.glyphs import Marks
    from llmstack_tui.tui.models.rows import Key
    from llmstack_tui.tui.screen import View


class ModelsScreen(TabScreen):
    """Draws states; every key is an intent that the dashboard carries out."""

    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [*keys.MODELS]

    def __init__(self, marks: Marks, *, notes: tuple[str, ...] = ()) -> None:
        super().__init__(MODELS, marks, notes=notes)
        self._rows = Rows(marks)
        self._view: View | None = None
        self.pane = ModelsPane(marks, id="models-pane")
        self.list = self.pane.list
        self.memory = MemoryGauges(marks, id="memory")
        self.details = Details(id="details")
        self.log_lines = ActivityList(marks, id="activity")
        self._activity_pane = Pane("Activity", id="activity-pane")
        self._details_pane = Pane("Details", id="details-pane")

    def compose(self) -> ComposeResult:
        yield self.top
        yield self.banner
        with Horizontal(id="body"):
            with Vertical(id="left"):
                yield self.pane
                with Pane("Memory", id="memory-pane"):
                    yield self.memory
            with Vertical(id="right"):
                with self._details_pane:
                    yield self.details
                with self._activity_pane:
                    yield self.log_lines
        yield self.too_small
        yield KeyBar()

    def on_mount(self) -> None:
        # Textual works out all styles again for it, which the first paint need not wait for.
        self.call_after_refresh(self.focus_list)

    def focus_list(self) -> None:
        self.list.focus()

    @property
    def selected(self) -> Key | None:
        """The model that a key acts on."""
        model = self.list.model
        return model.key if model else None

    @property
    def selected_host(self) -> str | None:
        """The URL of the host that the cursor is on, or on a model of."""
        row = self.list.row
        return row.key[0] if row else None

    def use_marks(self, marks: Marks) -> None:
        super().use_marks(marks)
        self._rows = Rows(marks)

    def show(self, view: View) -> None:
        super().show(view)
        self._view = view
        self._show_models(view)
        self.memory.show(view.state, view.moment.monotonic_s)
        self.show_details()

    def _show_models(self, view: View) -> None:
        if view.state is None:
            self.pane.show(())
            return
        rows = self._rows.make(view.state, view.moment)
        names = self.dashboard.host_names
        stack = self.dashboard.connection.stack
        look_only = stack.look_only if stack else frozenset[str]()
        self.pane.show(rows, host_rows(view.state, rows, names=names, look_only=look_only))

    def show_activity(self, activity: Activity) -> None:
        self._activity_pane.show_title(activity.choice.heading)
        self.log_lines.show_events(activity.lines, self.dashboard.now())

    def show_details(self) -> None:
        """Draw the model under the cursor."""
        about = self.dashboard.looking.about(self._view, self.selected) if self._view else None
        name = clean(about.status.name) if about else "Details"
        title = fit_name(name, 40, ellipsis=self.marks.ellipsis).rstrip()
        self._details_pane.show_title(title)
        self.details.show(details_content(about))
        if about is not None:
            self.dashboard.looking.look_at(about)

    @on(RowList.Moved, "#models")
    def _moved(self) -> None:
        self.show_details()

    @on(ModelsPane.Arranged)
    def _arranged(self) -> None:
        self.dashboard.connection.remember(self.pane.arrangement)

    @on(RowList.Opened)
    def action_open(self) -> None:
        if not self.list.toggle_fold() and (key := self.selected):
            self.dashboard.open_details(key)

    def action_activate(self) -> None:
        self.dashboard.acts.activate(*self.pane.targets)

    def action_deactivate(self) -> None:
        self.dashboard.acts.deactivate(*self.pane.targets)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # In the field itself its key is a letter like any other.
        shown = super().check_action(action, parameters)
        return shown and (action != "filter" or not isinstance(self.focused, FilterField))

    def action_filter(self) -> None:
        self.pane.open_filter()

    def action_mark(self) -> None:
        self.pane.toggle_mark()

    def action_sort(self) -> None:
        self.pane.sort_next()

    def action_reverse(self) -> None:
        self.pane.sort(self.pane.order.reversed())

    def action_cancel(self) -> None:
        """What is innermost: the start of the engine, the marks, the filter, then a load."""
        if self.dashboard.connection.cancel_start():
            return
        if self.pane.clear_marks() or self.pane.clear_filter():
            return
        if key := self.selected:
            self.dashboard.acts.cancel(key)

    def action_import(self) -> None:
        self.dashboard.acts.add_file()

    def action_remove(self) -> None:
        self.dashboard.acts.remove(*self.pane.targets)

    def action_create(self) -> None:
        self._derive(CREATE)

    def action_copy(self) -> None:
        self._derive(COPY)

    def action_rename(self) -> None:
        self._derive(RENAME)

    def _derive(self, way: Way) -> None:
        if key := self.selected:
            self.dashboard.acts.derive(key, way)

    def action_restart(self) -> None:
        self.dashboard.acts.restart(*self.pane.targets)

    def action_pin(self) -> None:
        self.dashboard.guarding.pin(*self.pane.targets)

    def action_hold(self) -> None:
        self.dashboard.guarding.hold()

    def action_stop_all(self) -> None:
        self.dashboard.acts.stop_all()

    def action_update(self) -> None:
        self.dashboard.updating.update(*self.pane.targets)

    def action_update_all(self) -> None:
        self.dashboard.updating.update_all()

    def action_check(self) -> None:
        self.dashboard.updating.check()

    def action_updates(self) -> None:
        self.dashboard.open_updates()

    def action_copy_url(self) -> None:
        self.dashboard.acts.copy_url(native=False)

    def action_copy_native_url(self) -> None:
        self.dashboard.acts.copy_url(native=True)

    def action_activity(self) -> None:
        self.dashboard.open_activity()

    def action_choose_activity(self) -> None:
        self.dashboard.telling.choose_next()

    @on(ActivityList.Left)
    def _activity_left(self) -> None:
        self.list.focus()

    def action_refresh(self) -> None:
        self.dashboard.refresh_state()
