"""A lock that another program holds, and one that cannot be made: two answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.store.locks import Locks

if TYPE_CHECKING:
    from pathlib import Path

ONE = frozenset({"http://one"})


async def test_one_program_at_a_time(tmp_path: Path) -> None:
    first, second = (Locks(tmp_path / "state.db", "pulls") for _ in range(2))
    assert await first.hold(ONE) == ONE
    assert await second.hold(ONE) == frozenset()
    assert second.trouble is None
    first.release()
    assert await second.hold(ONE) == ONE
    second.release()


async def test_a_lock_that_cannot_be_made_is_not_held_by_another(tmp_path: Path) -> None:
    folder = tmp_path / "llmstack"
    folder.touch()
    first, second = (Locks(folder / "state.db", "pulls") for _ in range(2))
    for each in (first, second):
        assert await each.hold(ONE) == ONE
        assert each.trouble is not None
        assert (each.trouble.kind, each.trouble.params["why"]) == ("store.no_lock", "File exists")
    # Once it can be made, it is one that only one of them holds.
    folder.unlink()
    folder.mkdir()
    assert await first.hold(ONE) == ONE
    assert await second.hold(ONE) == frozenset()
    assert (first.trouble, second.trouble) == (None, None)
    first.release()
