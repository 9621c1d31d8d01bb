"""Titles that are made from a first question."""

import pytest

from llmstack_tui.chat.rules.titles import title_of


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("Why is the sky blue?\nPlease.", "Why is the sky blue?"),
        ("\n```python\n# Why is this slow?\n```", "Why is this slow?"),
        ("- ¿Qué es\tuna  canción?", "¿Qué es una canción?"),
        ("word " * 40, "word " * 11 + "word…"),
        ("x" * 100, "x" * 59 + "…"),
        ("\x1b[31mred\u202e", "\N{REPLACEMENT CHARACTER}[31mred\N{REPLACEMENT CHARACTER}"),
        ("🙂 🙂", "🙂 🙂"),
        ("   ", ""),
    ],
)
def test_a_title_is_the_first_line_that_says_something(question: str, title: str) -> None:
    assert title_of(question) == title
