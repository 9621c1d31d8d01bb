"""The engine that the tests of its routes share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import models
from tests.engine.serving import THINKING, TOOLS, Serving, add_ollamas, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def engine(
    tmp_path_factory: pytest.TempPathFactory, tiny_model: Path, endless_model: Path, random_model: Path
) -> Iterator[Serving]:
    """A running engine with tiny, endless, random, tools, thinking, and Ollama's ``ollamas``."""
    home = tmp_path_factory.mktemp("home")
    add_ollamas(home, tiny_model)
    with serving(home) as found:
        found.import_file("tiny", tiny_model)
        found.import_file("endless", endless_model)
        found.import_file("random", random_model)
        for name, template in (("tools", TOOLS), ("thinking", THINKING)):
            found.import_file(name, models.scripted(home / f"{name}.gguf", chat_template=template))
        yield found
