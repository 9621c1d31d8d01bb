"""The activity on a screen of its own, and all that is known of one line of it."""

from llmstack_tui.tui.screens.activity.line import LineScreen
from llmstack_tui.tui.screens.activity.screen import ActivityScreen

__all__ = ["ActivityScreen", "LineScreen"]
