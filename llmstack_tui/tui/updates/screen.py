"""What is out of date, what changed and what it costs; and what could not be checked, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on

from llmstack_tui.tui.screen import FramedScreen
from llmstack_tui.tui.updates import KEYS
from llmstack_tui.tui.updates.list import UpdatesContext, UpdatesList, summary, updates_rows
from llmstack_tui.tui.widgets.list import RowList
from llmstack_tui.tui.widgets.pane import Pane

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from llmstack_tui.core.state import StackState
    from llmstack_tui.tui.draw.glyphs import Marks
    from llmstack_tui.tui.shell import Key, View


class UpdatesScreen(FramedScreen):
    """Follows the state."""

    AUTO_FOCUS = "UpdatesList"
    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]

    def __init__(self, marks: Marks) -> None:
        super().__init__(Pane("Updates"), marks)
        self._list = UpdatesList(marks, id="updates")
        self._marked: frozenset[Key] = frozenset()
        self._opened: frozenset[str] = frozenset()
        self._facts: tuple[object, ...] = ()

    def compose_body(self) -> ComposeResult:
        yield self._list

    def show(self, view: View) -> None:
        super().show(view)
        if view.state is None:
            self._list.show(())
            self._facts = ()
            return
        shown = UpdatesContext(
            marks=self.marks,
            now=view.moment.now.astimezone(),
            names=self.shell.host_names,
            opened=self._opened,
        )
        facts = _facts(view.state, shown)
        if facts == self._facts:
            return
        self._facts = facts
        rows = updates_rows(view.state, shown)
        self._mark(self._marked & {row.key for row in rows})
        said = summary(view.state)
        self.frame.show_title(f"Updates  {said}" if said else "Updates")
        self._list.show(rows)

    @property
    def targets(self) -> tuple[Key, ...]:
        """What a key acts on: the marked models, else the one under the cursor."""
        if self._marked:
            return tuple(sorted(self._marked))
        return (self._list.model,) if self._list.model else ()

    @on(RowList.Folded)
    def _fold(self, event: RowList.Folded) -> None:
        self._opened ^= {str(event.key)}
        self.show(self.shell.view)

    @on(RowList.Opened)
    async def action_open(self) -> None:
        """The details of a model, or what is folded away."""
        if not self._list.toggle_fold() and (key := self._list.model):
            await self.shell.open("details", key)

    def action_mark(self) -> None:
        if key := self._list.model:
            self._mark(self._marked ^ {key})
            self._list.action_cursor_down()

    def _mark(self, keys: frozenset[Key]) -> None:
        self._marked = keys
        self._list.show_marked(keys)

    def action_close(self) -> None:
        """Take the marks away, else go back."""
        if self._marked:
            self._mark(frozenset())
        else:
            super().action_close()


def _facts(state: StackState, shown: UpdatesContext) -> tuple[object, ...]:
    """What the lines are made of; ages are in minutes. Most often it is the very same as before."""
    hosts = tuple((host.snapshot.url, host.snapshot.server, host.updates) for host in state.hosts)
    of_state = (hosts, state.downloads, state.releases, state.checking)
    return (*of_state, f"{shown.now:%d %H:%M}", shown.marks, shown.opened)
