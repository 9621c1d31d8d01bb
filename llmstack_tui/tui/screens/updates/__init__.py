"""What is out of date, and what could not be found out."""

from llmstack_tui.tui.screens.updates.screen import UpdatesScreen

__all__ = ["UpdatesScreen"]
