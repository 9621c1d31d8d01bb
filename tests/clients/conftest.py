"""The engine that all clients talk to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.clients.judging import judging
from tests.support.calling import agreeing
from tests.support.engine import Serving, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def pytest_configure() -> None:
    # litellm fetches a list of prices while it is imported, unless it is told to take its own.
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Iterator[Serving]:
    """A running engine with tiny, agreeing, which has tools, and judging."""
    home = tmp_path_factory.mktemp("home")
    with serving(home) as found:
        found.import_file("tiny", tiny_model)
        found.import_file("agreeing", agreeing(home / "agreeing.gguf"))
        found.import_file("judging", judging(home / "judging.gguf"))
        yield found
