"""A file for each test, and an open store over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from llmstack_tui.store.store import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "llmstack" / "state.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[Store]:
    async with await Store.open(path) as opened:
        yield opened
