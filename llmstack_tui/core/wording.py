"""Events, decisions and reasons in words, for both faces."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from llmstack_tui.base.sentences import Wording

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Catalogue, Sentence


def text(*sentences: Sentence) -> str:
    """The sentences in words, one after the other; "" for none."""
    return _wording().text(*sentences) if sentences else ""


@cache
def catalogue() -> Catalogue:
    """The sentences of all rooms. They are imported when something is said: the first paint has no line."""
    from llmstack_tui.downloads import wording as downloads  # noqa: PLC0415
    from llmstack_tui.guard import wording as guard  # noqa: PLC0415
    from llmstack_tui.lifecycle import wording as lifecycle  # noqa: PLC0415
    from llmstack_tui.updates import wording as updates  # noqa: PLC0415

    return {**lifecycle.SENTENCES, **guard.SENTENCES, **downloads.SENTENCES, **updates.SENTENCES}


@cache
def _wording() -> Wording:
    return Wording(catalogue())
