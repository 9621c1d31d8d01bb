"""What a file of ours holds: the state, or (in ``chats``) the talks.

The talks have a file of their own: the state is checked whole at every start, which would take 0.1 s with
50,000 messages in it, and a damaged file of one kind leaves the other as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.store.database import retention
from llmstack_tui.store.database.migrations import MIGRATIONS, Migration

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from datetime import datetime


class Schema(Struct, frozen=True, kw_only=True):
    """What is in a file.

    Attributes:
        steps: the migrations, in their order.
        prune: forgets old rows when the file is opened.
        checked: the tables that are checked when it is opened; all, where none is named.
        copies_newer: a file that a newer version wrote is copied to memory, where it can be written;
            else it is opened to be read.
    """

    steps: tuple[Migration, ...]
    prune: Callable[[sqlite3.Connection, datetime], None]
    checked: tuple[str, ...] = ()
    copies_newer: bool = False

    @property
    def names(self) -> frozenset[str]:
        return frozenset(step.name for step in self.steps)


STATE = Schema(steps=MIGRATIONS, prune=retention.prune)
