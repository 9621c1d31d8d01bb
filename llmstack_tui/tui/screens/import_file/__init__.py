"""Adding a model from a GGUF file."""

from llmstack_tui.tui.screens.import_file.screen import ImportScreen

__all__ = ["ImportScreen"]
