"""What a server or the system says of a failure, in words for a person. Pure."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from llmstack_tui.base.text import excerpt

if TYPE_CHECKING:
    from collections.abc import Mapping


def cause(error: BaseException) -> str:
    """Why a connection failed, in the system's words: they are at the bottom of a pile of wrappers."""
    deepest = error
    while (below := deepest.__cause__ or deepest.__context__) is not None:
        deepest = below
    number = deepest.errno if isinstance(deepest, OSError) else None
    # Name look-ups count their failures from -1 downwards, and their text is in ``strerror`` already.
    return os.strerror(number) if number is not None and number > 0 else str(error)


def words(error: str | Mapping[str, object]) -> str:
    """What an error says; on ``/v1`` routes it is an object with a message."""
    return excerpt(error if isinstance(error, str) else str(error.get("message", "")))


def sentence(text: str) -> str:
    """``text`` with a full stop, unless it ends like a sentence."""
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."
