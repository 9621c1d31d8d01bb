"""What the tests of the engine share."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.calling import agreeing, caller
from tests.support.engine import THINKING, Serving, add_ollamas, serving
from tests.support.gguf import models

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def engine(
    tmp_path_factory: pytest.TempPathFactory, tiny_model: Path, endless_model: Path, random_model: Path
) -> Iterator[Serving]:
    """A running engine with tiny, endless, random, caller, agreeing, thinking, and Ollama's ``ollamas``."""
    home = tmp_path_factory.mktemp("home")
    add_ollamas(home, tiny_model)
    with serving(home) as found:
        found.import_file("tiny", tiny_model)
        found.import_file("endless", endless_model)
        found.import_file("random", random_model)
        found.import_file("caller", caller(home / "caller.gguf"))
        found.import_file("agreeing", agreeing(home / "agreeing.gguf"))
        found.import_file("thinking", models.scripted(home / "thinking.gguf", chat_template=THINKING))
        yield found


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short name: a socket's path has a limit, and those of tests are long."""
    with tempfile.TemporaryDirectory(prefix="ls-") as made:
        yield Path(made)
