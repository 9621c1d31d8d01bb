"""Pins, holding, and the limit of loaded models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.tui.shell import Feature

if TYPE_CHECKING:
    from llmstack_tui.tui.guard.actions import GuardController


def _controller() -> type[GuardController]:
    from llmstack_tui.tui.guard.actions import GuardController

    return GuardController


FEATURE = Feature(
    name="guard",
    label="Guard",
    controller=_controller,
)
