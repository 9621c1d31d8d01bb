"""What is pulled, what waits, and what came of it."""

from llmstack_tui.tui.screens.downloads.screen import DownloadsScreen

SCREEN = DownloadsScreen

__all__ = ["SCREEN", "DownloadsScreen"]
