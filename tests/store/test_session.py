"""The store of one program run: what is to be written, when it is, and what reading sees of it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.store.session import StoreSession
from llmstack_tui.store.store import Store
from tests.support.waiting import wait_for, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KEY = "what"


def remembering(value: int) -> Callable[[Store], None]:
    return lambda store: store.screen.remember(KEY, value)


async def recalled(store: Store) -> int:
    return await store.screen.recall(KEY, 0, int)


def opened_by(path: Path | None) -> StoreSession:
    return StoreSession(path, on_notice=lambda _: None)


async def test_reading_sees_all_that_was_to_be_written_before_in_its_order() -> None:
    session = opened_by(None)
    for value in (1, 2, 3):
        session.write(remembering(value))
    assert await recalled(await session.store()) == 3
    session.write(remembering(5))
    session.write(remembering(4))
    assert await recalled(await session.store()) == 4
    await session.aclose()


async def test_it_is_written_soon_though_nobody_reads(tmp_path: Path) -> None:
    session = opened_by(tmp_path / "state.db")
    await session.store()
    session.write(remembering(7))

    async with await Store.open(tmp_path / "state.db") as other:

        async def is_written() -> bool:
            return await recalled(other) == 7

        await wait_for(is_written)
    await session.aclose()


async def test_what_waits_at_the_end_is_written_also_where_nothing_was_read(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    for value in (1, 2):
        session = opened_by(path)
        if value == 2:
            await session.store()
        session.write(remembering(value))
        await session.aclose()
        async with await Store.open(path) as store:
            assert await recalled(store) == value


async def test_a_write_that_fails_is_a_defect_and_keeps_none_of_the_others(tmp_path: Path) -> None:
    def fail(_: Store) -> None:
        raise ZeroDivisionError

    path = tmp_path / "state.db"
    session = opened_by(path)
    running = asyncio.create_task(session.run())
    await session.store()
    session.write(fail)
    session.write(remembering(1))
    await wait_until(running.done)
    with pytest.raises(ZeroDivisionError):
        await running
    with suppress(ZeroDivisionError):
        await session.aclose()
    async with await Store.open(path) as store:
        assert await recalled(store) == 1
