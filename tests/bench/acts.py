"""Two dashboards and a command line over one store and one server, as fast as they can."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.figures import Figure
from tests.reach.programs import at_once

if TYPE_CHECKING:
    from collections.abc import Iterator

ACTS = 9_999


def figures() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        left = asyncio.run(at_once(Path(folder) / "state.db", ACTS))
        took = time.perf_counter() - begin
    lost = left.lost + ACTS - left.told.total()
    ends = ", ".join(f"{count} {end}" for end, count in left.recorded.most_common())
    note = f"{took:.0f} s; {ends}; taken for another client's: {left.others.total()}"
    yield Figure(f"lost or doubled of {ACTS} acts of three programs", lost, "acts", 0, note=note)
