"""Why a pull failed, in one sentence, whichever server said it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmstack_tui.hosts.errors import HostError


def explained(error: HostError, name: str) -> str:
    """The sentence for the person who asked for ``name``."""
    return str(error)
