from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.registry.server import Registry as Server
from tests.support.registry.server import serving

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as registry:
        yield registry
