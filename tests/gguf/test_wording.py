"""What is said of files that are no models."""

from __future__ import annotations

import pytest

from llmstack_tui.core.wording import words
from llmstack_tui.gguf.source import InvalidGGUF


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (InvalidGGUF("gguf.missing", path="/a.gguf"), "There is no file /a.gguf."),
        (InvalidGGUF("gguf.is_page", path="/a.gguf"), "/a.gguf is a web page, not a GGUF model."),
        (
            InvalidGGUF("gguf.cut_in_tensors", path="/a.gguf", missing=1234),
            "/a.gguf is cut short by 1,234 bytes. Copy or download it again.",
        ),
        (
            InvalidGGUF("gguf.broken", path="/a.gguf", fault="rows", at="x\n"),
            "/a.gguf is broken at 'x\\n' (rows). Copy or download it again.",
        ),
    ],
)
def test_errors(error: InvalidGGUF, said: str) -> None:
    assert words(error) == said
