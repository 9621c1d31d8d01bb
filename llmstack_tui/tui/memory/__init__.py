"""Who has the memory of this machine."""

from __future__ import annotations

from llmstack_tui.tui.shell import Feature

FEATURE = Feature(
    name="memory",
    label="Memory",
    controller="pane.FallbackNotifier",
    pane="pane.MemoryPane",
    pane_side="left",
)
