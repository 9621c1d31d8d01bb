"""Passphrases cost next to nothing here; `test_files` has one that costs what it does."""

from __future__ import annotations

import pytest

from llmstack_tui.keys import sealing

REAL_COST = sealing.COST


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "COST", 16)
