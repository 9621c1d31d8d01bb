"""A question with a few answers."""

from llmstack_tui.tui.screens.ask.screen import Answer, AskScreen

__all__ = ["Answer", "AskScreen"]
