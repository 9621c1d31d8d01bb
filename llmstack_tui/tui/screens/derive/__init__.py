"""A model from another one: a copy, another name, or one with a system prompt and parameters of its own."""

from llmstack_tui.tui.screens.derive.screen import Derivation, DeriveScreen

__all__ = ["Derivation", "DeriveScreen"]
