"""The headless core: what is so, what is under way, what was, and the acts that a person may ask for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmstack_tui.core.stack import Stack
    from llmstack_tui.core.state import HostState, StackState

__all__ = ["HostState", "Stack", "StackState"]


def __getattr__(name: str) -> object:
    """Import them when they are asked for: the first paint needs a constant of ``core.services`` alone."""
    if name not in __all__:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{'stack' if name == 'Stack' else 'state'}"), name)
