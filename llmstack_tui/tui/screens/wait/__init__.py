"""Waiting for something that takes a while."""

from llmstack_tui.tui.screens.wait.screen import WaitScreen

__all__ = ["WaitScreen"]
