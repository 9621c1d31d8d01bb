"""A client of registries."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.registry.client import Registry as Client
from llmstack_tui.registry.http import HttpTimeouts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with aclosing(Client(timeouts=HttpTimeouts(max_wait_s=3))) as opened:
        yield opened
