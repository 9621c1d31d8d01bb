"""A registry over real HTTP, and a client of registries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from llmstack_tui.registry.client import Registry
from llmstack_tui.registry.http import Limits
from tests.support.registry.server import Registry as Server
from tests.support.registry.server import serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as registry:
        yield registry


@pytest.fixture
async def registry() -> AsyncIterator[Registry]:
    async with Registry(limits=Limits(patience_s=3)) as opened:
        yield opened
