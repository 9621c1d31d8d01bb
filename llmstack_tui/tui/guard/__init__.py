"""Pins, holding, and the limit of loaded models."""

from __future__ import annotations

from llmstack_tui.tui.shell import Feature

FEATURE = Feature(
    name="guard",
    label="Guard",
    controller="actions.GuardController",
)
