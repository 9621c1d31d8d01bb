"""The stored types, for commands and screens, which do not import the store."""

from __future__ import annotations

from llmstack_tui.store.errors import StoreError
from llmstack_tui.store.tables.activations import Activation, Outcome, Uses
from llmstack_tui.store.tables.downloads import MAX_OVER, DownloadRecord
from llmstack_tui.store.tables.events import Event
from llmstack_tui.store.tables.figures import Measured, Speed
from llmstack_tui.store.tables.models import SeenModel

__all__ = [
    "MAX_OVER", "Activation", "DownloadRecord", "Event", "Measured", "Outcome", "SeenModel",
    "Speed", "StoreError", "Uses",
]  # fmt: skip
