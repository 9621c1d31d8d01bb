"""What is said of mistakes in the settings."""

from __future__ import annotations

import pytest

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.core.wording import text
from tests.config.files import in_file


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (
            in_file(3, "wrong", name="engine.port", allowed='a whole number, or "auto"', value="0"),
            'config.toml line 3: engine.port must be a whole number, or "auto", not 0.',
        ),
        (
            in_file(1, "unknown", name="hosts.nam", known=("url", "name", "allow")),
            "config.toml line 1: hosts.nam is not a setting. Known here: url, name and allow.",
        ),
        (Sentence("settings.more", {"count": 1}), "One more setting is wrong."),
        (Sentence("settings.more", {"count": 2}), "2 more settings are wrong."),
        (
            Sentence("settings.not_text", {"file": "/a.toml"}),
            "/a.toml was not read: the file is not UTF-8 text.",
        ),
    ],
)
def test_problems(problem: Sentence, said: str) -> None:
    assert text(problem) == said
