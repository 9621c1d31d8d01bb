"""What is out of date, what changed and what it costs; and what could not be checked, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from llmstack_tui.tui import keys
from llmstack_tui.tui.screen import LiveScreen, View
from llmstack_tui.tui.updates.lines import Line, Shown, screen_lines, summary
from llmstack_tui.tui.widgets.banner import Banner
from llmstack_tui.tui.widgets.keybar import KeyBar
from llmstack_tui.tui.widgets.pane import Pane

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from llmstack_tui.core import StackState
    from llmstack_tui.tui.draw.glyphs import Marks
    from llmstack_tui.tui.models.rows import Key


class UpdatesList(OptionList, inherit_bindings=False):
    """Lines with a cursor that stays on its line when others come and go."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.UPDATES_LIST]

    def __init__(self) -> None:
        super().__init__(id="updates", markup=False)
        self._told: tuple[Line, ...] = ()

    @property
    def line(self) -> Line | None:
        at = self.highlighted
        return self._told[at] if at is not None and at < len(self._told) else None

    def show(self, lines: tuple[Line, ...]) -> None:
        """Draw them; only what is different is drawn again."""
        old, self._told = self._told, lines
        if [line.id for line in old] == [line.id for line in lines]:
            for at, (one, other) in enumerate(zip(old, lines, strict=True)):
                if not one.content.is_same(other.content):
                    self.replace_option_prompt_at_index(at, other.content)
            return
        before = self.highlighted
        chosen = old[before].id if before is not None and before < len(old) else None
        self.clear_options()
        self.add_options([Option(line.content, disabled=line.is_heading) for line in lines])
        at_all = [at for at, line in enumerate(lines) if not line.is_heading]
        same = next((at for at in at_all if lines[at].id == chosen), None)
        near = min(at_all, key=lambda at: abs(at - (before or 0)), default=None)
        self.highlighted = near if same is None else same


class UpdatesScreen(LiveScreen):
    """Follows the state."""

    CSS_PATH = "screen.tcss"
    AUTO_FOCUS = "UpdatesList"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.UPDATES]

    def __init__(self, marks: Marks) -> None:
        super().__init__()
        self._marks = marks
        self._banner = Banner()
        self._pane = Pane("Updates")
        self._list = UpdatesList()
        self._ticked: frozenset[Key] = frozenset()
        self._opened: frozenset[str] = frozenset()
        self._facts: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        yield self._banner
        with self._pane:
            yield self._list
        yield KeyBar()

    def use_marks(self, marks: Marks) -> None:
        self._marks = marks

    def show(self, view: View) -> None:
        self._banner.show(self.dashboard.trouble(view))
        if view.state is None:
            self._list.show(())
            self._facts = ()
            return
        shown = Shown(
            marks=self._marks,
            now=view.moment.now.astimezone(),
            names=self.dashboard.host_names,
            ticked=self._ticked,
            opened=self._opened,
        )
        facts = _facts(view.state, shown)
        if facts == self._facts:
            return
        self._facts = facts
        lines = screen_lines(view.state, shown)
        self._ticked &= {line.key for line in lines if line.key}
        said = summary(view.state)
        self._pane.show_title(f"Updates  {said}" if said else "Updates")
        self._list.show(lines)

    @property
    def targets(self) -> tuple[Key, ...]:
        """What a key acts on: the marked models, else the one under the cursor."""
        if self._ticked:
            return tuple(sorted(self._ticked))
        line = self._list.line
        return (line.key,) if line and line.key else ()

    def _show_again(self) -> None:
        self.show(self.dashboard.view)

    @on(OptionList.OptionSelected)
    def action_open(self) -> None:
        """The details of a model, or what is folded away."""
        line = self._list.line
        if line is None:
            return
        if line.folds:
            self._opened ^= {line.folds}
            self._show_again()
        elif line.key is not None:
            self.dashboard.open_details(line.key)

    def action_mark(self) -> None:
        line = self._list.line
        if line is not None and line.key is not None:
            self._ticked ^= {line.key}
            self._show_again()
            self._list.action_cursor_down()

    def action_update(self) -> None:
        self.dashboard.updating.update(*self.targets)

    def action_update_all(self) -> None:
        self.dashboard.updating.update_all()

    def action_leave(self) -> None:
        self.dashboard.updating.leave_alone(*self.targets)

    def action_leave_for_good(self) -> None:
        self.dashboard.updating.leave_alone(*self.targets, for_good=True)

    def action_check(self) -> None:
        self.dashboard.updating.check()

    def action_close(self) -> None:
        """Take the marks away, else go back."""
        if self._ticked:
            self._ticked = frozenset()
            self._show_again()
        else:
            self.dismiss()


def _facts(state: StackState, shown: Shown) -> tuple[object, ...]:
    """What the lines are made of; ages are in minutes. Most often it is the very same as before."""
    hosts = tuple((host.snapshot.url, host.snapshot.server, host.updates) for host in state.hosts)
    of_state = (hosts, state.downloads, state.releases, state.checking)
    return (*of_state, f"{shown.now:%d %H:%M}", shown.marks, shown.ticked, shown.opened)
