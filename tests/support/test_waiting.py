"""What waiting makes of a thing that is not there yet."""

from __future__ import annotations

import pytest

from tests.support.waiting import wait_until, wait_until_sync


async def test_what_is_not_there_yet_is_waited_for() -> None:
    rows: list[str] = []
    looked = 0

    def found() -> bool:
        nonlocal looked
        looked += 1
        if looked == 3:
            rows.append("mistral:7b")
        return next(row for row in rows if row) == rows[0]

    await wait_until(found)
    assert looked == 3
    rows.clear()
    looked = 0
    wait_until_sync(found)
    assert looked == 3


async def test_what_never_comes_ends_in_a_failure() -> None:
    with pytest.raises(AssertionError, match="not so in time: the row"):
        await wait_until(lambda: next(iter(())), 0.05, "the row")
