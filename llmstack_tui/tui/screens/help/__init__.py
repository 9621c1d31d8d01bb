"""What is on the screen, and what the keys do."""

from llmstack_tui.tui.screens.help.screen import HelpScreen

__all__ = ["HelpScreen"]
