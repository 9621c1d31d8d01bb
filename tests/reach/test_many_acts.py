"""Two dashboards and a command line at once: nothing is lost, and nobody is locked out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.reach.programs import at_once

if TYPE_CHECKING:
    from pathlib import Path


ACTS = 600


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_every_act_of_three_programs_is_on_record_once_with_its_end(tmp_path: Path) -> None:
    left = await at_once(tmp_path / "state.db", ACTS)
    assert left.told.total() == ACTS
    assert left.lost == 0
    for end in ("activate loaded", "activate cancelled", "activate failed", "deactivate failed"):
        assert left.recorded[end] == left.told[end], end
    assert left.told["activate failed"] + left.told["deactivate failed"] == 0
    # Between acts that follow each other this fast a look can miss one, and take it for another client's.
    assert left.others.total() <= ACTS // 20, left.others
    assert left.under_way == left.loaded
