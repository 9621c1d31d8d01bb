"""An engine that asks for a key, with a model that calls the tool of a test, and one that only talks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.calling import agreeing, caller
from tests.support.engine import Serving, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = "a-key'with\"all\\kinds$of`marks"
"""With what every form has to escape."""


def keyed_engine(home: Path, tiny_model: Path) -> Iterator[Serving]:
    with serving(home, LLMSTACK_ENGINE_API_KEY=KEY) as found:
        found.http.headers["Authorization"] = f"Bearer {KEY}"
        found.import_file("tiny", tiny_model)
        found.import_file("agreeing", agreeing(home / "agreeing.gguf"))
        calling = caller(home / "caller.gguf", "count_lines", {"path": "README.md"})
        found.import_file("calling", calling)
        yield found
