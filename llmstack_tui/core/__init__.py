"""The headless core: what is so, what is under way, what was, and the acts that a person may ask for."""

from llmstack_tui.core.stack import Stack
from llmstack_tui.core.state import HostState, StackState

__all__ = ["HostState", "Stack", "StackState"]
