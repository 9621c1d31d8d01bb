from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.editors.keyed import keyed_engine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.engine import Serving


@pytest.fixture(scope="package")
def keyed(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Iterator[Serving]:
    """A running engine that asks for a key."""
    yield from keyed_engine(tmp_path_factory.mktemp("keyed"), tiny_model)
