"""All that is known of one model."""

from llmstack_tui.tui.screens.details.screen import DetailsScreen

__all__ = ["DetailsScreen"]
