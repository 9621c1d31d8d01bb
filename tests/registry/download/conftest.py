from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.registry import Registry, serving

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def registry() -> Iterator[Registry]:
    with serving() as found:
        yield found
