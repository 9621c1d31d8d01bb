"""What models take on the disk, and a clean-up."""

from llmstack_tui.tui.screens.disk.screen import DiskScreen

__all__ = ["DiskScreen"]
