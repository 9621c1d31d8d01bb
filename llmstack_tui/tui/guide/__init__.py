"""The user's guide."""

from __future__ import annotations

from llmstack_tui.tui.keys import bind, hidden
from llmstack_tui.tui.shell import Feature

KEYS = [
    bind("guide.read", "enter", "read", "Read", "Into the page, which the arrows scroll then"),
    bind("guide.close", "escape,q,ctrl+g", "close", "Back",
        "From the page to the topics, and from there to the previous screen"),
]  # fmt: skip

FEATURE = Feature(
    name="guide",
    label="Guide",
    keys={"Keys of the guide": KEYS},
    opened_by=hidden("app.guide", "ctrl+g", "open('guide')", "Guide",
        "The user's guide, a page for each topic"),
    screen="screen.GuideScreen",
)  # fmt: skip
