"""Who has the memory of this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.tui.shell import Feature

if TYPE_CHECKING:
    from llmstack_tui.tui.memory.pane import FallbackNotifier, MemoryPane


def _controller() -> type[FallbackNotifier]:
    from llmstack_tui.tui.memory.pane import FallbackNotifier

    return FallbackNotifier


def _pane() -> type[MemoryPane]:
    from llmstack_tui.tui.memory.pane import MemoryPane

    return MemoryPane


FEATURE = Feature(
    name="memory",
    label="Memory",
    controller=_controller,
    pane=_pane,
    pane_side="left",
)
