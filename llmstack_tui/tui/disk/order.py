"""The order of the models of a folder. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from llmstack_tui.base.languages import later
from llmstack_tui.base.names import model_key
from llmstack_tui.tui.widgets.table import SortOrder, known_first

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from llmstack_tui.library.use import FolderUse, ModelUse
    from llmstack_tui.tui.draw.marks import Marks


class DiskColumn(StrEnum):
    """What the models can be sorted by; at first by SIZE."""

    SIZE = later("size")
    NAME = later("name")
    SHARED = later("shared")
    FREES = later("what it frees")
    USED = later("last used")


class DiskOrder(SortOrder[DiskColumn], frozen=True):
    """The largest and those used last come first, names from a to z."""

    column: DiskColumn = DiskColumn.SIZE

    @property
    def upwards(self) -> bool:
        return (self.column is not DiskColumn.NAME) == self.reverse


BY_SIZE = DiskOrder()


def ordered(use: FolderUse, used: Mapping[str, datetime], order: DiskOrder) -> tuple[ModelUse, ...]:
    """The models of a folder; ``used`` is when each was loaded last, by its `model_key`."""
    figures: Mapping[DiskColumn, Callable[[ModelUse], Any]] = {
        DiskColumn.SIZE: lambda model: model.size,
        DiskColumn.NAME: lambda model: model.name.casefold(),
        DiskColumn.SHARED: lambda model: model.shared or None,
        DiskColumn.FREES: lambda model: use.freed((model.name,)),
        DiskColumn.USED: lambda model: used.get(model_key(model.name)),
    }
    return known_first(use.models, figures[order.column], reverse=not order.upwards)


def heading(title: str, column: DiskColumn, order: DiskOrder, marks: Marks) -> str:
    """The title of a column, with an arrow if it is the one that was chosen."""
    if column is not order.column or order.is_as_listed:
        return title
    arrow = marks.up if order.upwards else marks.down
    return f"{title} {arrow}" if column is DiskColumn.NAME else f"{arrow}{title}"
