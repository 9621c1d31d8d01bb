from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.program import Program

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def llmstack(tmp_path: Path) -> Program:
    """The program, for a user who has nothing and whose servers, if any, are named by ``--host``."""
    home = tmp_path / "home"
    home.mkdir()
    # The proxy: no registry is asked.
    return Program(home, {"OLLAMA_HOST": "127.0.0.1:1", "HTTPS_PROXY": "http://127.0.0.1:1"})
