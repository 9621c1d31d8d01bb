"""The activity, newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from llmstack_tui.tui.activity import Tone, tone
from llmstack_tui.tui.text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmstack_tui.store.events import Event


class ActivityLog(Static):
    """The last events; the pane cuts what it has no room for."""

    DEFAULT_CSS = """
    ActivityLog { background: $surface; color: $foreground; padding: 0 1; height: 1fr; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's own name
        super().__init__(id=id, markup=False)

    def show(self, events: Sequence[Event]) -> None:
        self.update(activity_content(events), layout=False)


def activity_content(events: Sequence[Event]) -> Content:
    if not events:
        return Content.styled("Nothing yet.", "$foreground 60%")
    return Content("\n").join(
        Content.assemble(
            (f"{event.at.astimezone():%H:%M} ", "$foreground 60%"),
            ("failed: " if tone(event) is Tone.FAILED else "", "$text-error"),
            clean(event.text, limit=500),
        )
        for event in events
    )
