"""A dialog with fields, which begins something and shows how it goes."""

from llmstack_tui.tui.screens.form.screen import FormScreen, label, said_below

__all__ = ["FormScreen", "label", "said_below"]
