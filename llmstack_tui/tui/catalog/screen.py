"""The screen of the catalog: search, filter by use, sorting, and two lines on the entry under the cursor."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from msgspec import to_builtins
from rich.cells import cell_len
from textual import on
from textual.widgets import Static

from llmstack_tui.base.languages import current, later, tr
from llmstack_tui.base.names import model_key
from llmstack_tui.base.units import bytes_text
from llmstack_tui.catalog.types import EntryKind, Use
from llmstack_tui.tui.catalog import KEYS
from llmstack_tui.tui.catalog.entry import EntryScreen, budget_of, wanted
from llmstack_tui.tui.catalog.list import (
    CatalogList,
    CatalogOrder,
    CatalogQuery,
    Shelf,
    catalog_rows,
    headings,
    make_shelf,
)
from llmstack_tui.tui.catalog.online import OnlineScreen
from llmstack_tui.tui.draw.text import content_of
from llmstack_tui.tui.screen import TableScreen
from llmstack_tui.tui.shell import start
from llmstack_tui.tui.widgets.list import RowList
from llmstack_tui.tui.widgets.table import Headings, TablePane

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from llmstack_tui.core.state import StackState
    from llmstack_tui.tui.view import View

_USES = (None, *Use)
_KINDS = (None, *EntryKind)
_RECALL = "catalog.order"
_FRAME = 6  # cells of the frame beside its title


class CatalogScreen(TableScreen):
    """Reads the catalog when it is first shown."""

    DEFAULT_CSS = """
    CatalogScreen #about {
        height: auto; max-height: 3; padding: 0 2; color: $foreground; background: $background;
    }
    """
    AUTO_FOCUS = "CatalogList"
    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]

    def __init__(self) -> None:
        self.list = CatalogList()
        order, what = CatalogOrder(), later("Search in name, family, use, licence and purpose")
        names = Headings(headings, order)
        pane = TablePane(tr("Catalog"), self.list, names, order, placeholder=what, id="catalog-pane")
        super().__init__("catalog", pane)
        self._about = Static("", id="about", markup=False)
        self._shelf: Shelf | None = None
        self._is_reading = False
        self._use: Use | None = None
        self._kind: EntryKind | None = None
        self._listed: tuple[str, ...] = ()
        self._installed: frozenset[str] = frozenset()
        self._drawn: tuple[object, ...] = ()

    def compose_body(self) -> ComposeResult:
        yield self.pane
        yield self._about

    def show(self, view: View) -> None:
        stack = self.shell.stack
        if self._shelf is None:
            waiting = tr("Reading the catalog") if stack else tr("There is no server yet.")
            self.list.show_message((waiting,))
            if stack is not None and not self._is_reading:
                self._is_reading = True
                start(self, tr("The catalog"), self._read, group="catalog", exclusive=True)
            return
        names = tuple(model.name for model in view.models() if model.model)
        if names != self._listed:
            self._listed, self._installed = names, frozenset(map(model_key, names))
        pane, budget, card = self.pane, budget_of(view.state), card_of(view.state)
        query = CatalogQuery(
            pane.filter_text, self._use, self._kind, pane.order, self._installed, budget, card
        )
        drawn = (self._shelf, query, self.shell.marks, current())
        if drawn == self._drawn:
            return
        self._drawn = drawn
        rows = catalog_rows(self._shelf, query)
        self.list.show_message((tr("No match."), tr("{key} shows all again.", key=view.keys["catalog.back"])))
        self.list.show(rows)
        of = str(len(rows))
        if query.text or query.use or query.kind:
            of = tr("{count} of {all}", count=len(rows), all=len(self._shelf.catalog.entries))
        used = ", ".join(filter(None, (of, tr(self._use or ""), tr(self._kind or ""), pane.sorted_by)))
        room = "" if budget is None else tr("room for models here: {size}", size=bytes_text(budget))
        dated = tr("tags of {day}", day=self._shelf.catalog.tags_as_of.isoformat())
        title = "   ".join(filter(None, (f"{tr('Catalog')}  {used}", room)))
        fits = cell_len(title) + cell_len(dated) + 3 <= self.size.width - _FRAME
        self.pane.show_title(f"{title}   {dated}" if fits else title)
        self._show_about()

    async def _read(self) -> None:
        try:
            if (stack := self.shell.stack) is not None:
                catalog = await stack.catalog.catalog()
                shelf = await asyncio.to_thread(make_shelf, catalog)
                self.pane.restore(await stack.records.recall(_RECALL, CatalogOrder(), CatalogOrder))
                self._shelf = shelf
        finally:
            self._is_reading = False
        self.show(self.shell.view)

    @on(TablePane.Arranged)
    def _arranged(self) -> None:
        if (stack := self.shell.stack) is not None:
            stack.records.remember(_RECALL, to_builtins(self.pane.order))
        self._redraw()

    @on(TablePane.Filtered)
    def _filtered(self) -> None:
        self._redraw()
        self.list.action_first()

    def _redraw(self) -> None:
        self.show(self.shell.view)

    @on(RowList.Moved)
    def _show_about(self) -> None:
        row = self.list.row
        if row is None:
            self._about.update(content_of(""))
            return
        told = [
            tr(row.kind),
            row.servers,
            tr("context {tokens}", tokens=row.context),
            tr("licence {name}", name=row.license),
        ]
        if row.hardware:
            told.insert(1, tr("card of {size}", size=row.hardware))
        if row.quality:
            told.append(row.quality)
        if row.speed:
            told.append(tr("tok/s: {speed}", speed=row.speed))
        if row.installed:
            told.insert(0, tr("installed"))
        dot = f"  {self.shell.marks.dot}  "
        self._about.update(
            content_of((row.key, "bold"), f": {row.good_for}\n", (dot.join(told), "$text-muted"))
        )

    # Keys

    @on(RowList.Opened)
    def action_open(self) -> None:
        row = self.list.row
        entry = self._shelf.entry(row.key) if self._shelf and row else None
        if self._shelf is not None and entry is not None:
            self.app.push_screen(EntryScreen(self._shelf.catalog, entry))

    def action_pull(self) -> None:
        row = self.list.row
        entry = self._shelf.entry(row.key) if self._shelf and row else None
        if entry is not None:
            view = self.shell.view
            self.shell.act("downloads.offer", *wanted(entry, entry.file, budget_of(view.state)))

    def action_next_use(self) -> None:
        self._use = _USES[(_USES.index(self._use) + 1) % len(_USES)]
        self._redraw()

    def action_online(self) -> None:
        self.app.push_screen(OnlineScreen(self.pane.filter_text))

    def action_next_kind(self) -> None:
        self._kind = _KINDS[(_KINDS.index(self._kind) + 1) % len(_KINDS)]
        self._redraw()

    async def action_back(self) -> None:
        """Clear the search, else the filters by use and kind, else leave the screen."""
        if self.pane.clear_filter():
            return
        if self._use or self._kind:
            self._use = self._kind = None
            self._redraw()
        else:
            await self.shell.open("models")


def card_of(state: StackState | None) -> str:
    """The name of the machine's first graphics card."""
    devices = state.machine.devices if state and state.machine else ()
    return next((device.name for device in devices), "")
