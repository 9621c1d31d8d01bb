"""One model, and the whole activity: what has no room on a narrow screen."""

from llmstack_tui.tui.screens.details.screen import DetailsScreen

__all__ = ["DetailsScreen"]
