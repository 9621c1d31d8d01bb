"""The action on an entry of the catalog that other features ask for."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from llmstack_tui.base.languages import tr
from llmstack_tui.tui.shell import Controller

if TYPE_CHECKING:
    from llmstack_tui.tui.stack import DashboardStack


class CatalogController(Controller):
    """Offers models of the catalog."""

    def offer(self, name: str) -> None:
        """Ask whether to pull the entry of this name, and pull it."""
        if (stack := self._stack()) is not None:
            self._start(tr("Pull {model}", model=name), partial(self._offer, stack, name))

    async def _offer(self, stack: DashboardStack, name: str) -> None:
        from llmstack_tui.tui.catalog.entry import budget_of, wanted

        entries = (await stack.catalog.catalog()).entries
        for entry in (each for each in entries if each.name == name):
            self._shell.act("downloads.offer", *wanted(entry, entry.file, budget_of(stack.state)))
