"""A state file that cannot be written, seen from the screen: it is said once, and all the rest works."""

from __future__ import annotations

import sqlite3
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

import pytest

from llmstack_tui.base.kinds import EventKind
from llmstack_tui.base.sentences import quoted
from llmstack_tui.core.options import StackOptions
from llmstack_tui.core.stack import Stack
from llmstack_tui.ollama.client import OllamaHost
from llmstack_tui.tui.activity.feed import ActivityFeed
from tests.support.fake_ollama import fake_ollama
from tests.support.waiting import wait_until
from tests.tui.driving import dashboard
from tests.tui.fakes import FakeServices, FakeStack

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.tui.driving import FakeDesk


@asynccontextmanager
async def desk_on(path: Path, *, size: tuple[int, int] = (80, 24)) -> AsyncIterator[FakeDesk]:
    """Where the activity is folded away, unless ``size`` has room for it."""
    async with fake_ollama(mistral_7b="a") as (_, server):
        stack = Stack([OllamaHost(server.url)], StackOptions(running_every_s=0.05, state_file=path))
        async with dashboard(services=FakeServices(cast("FakeStack", stack)), size=size) as desk:
            yield desk


async def check_works(desk: FakeDesk, said: str) -> None:
    await wait_until(lambda: desk.toasts, what="a notice")
    await wait_until(lambda: desk.app.models.list.models)
    await desk.press("a")
    await wait_until(lambda: desk.word("mistral:7b").startswith(("idle", "active")))
    await desk.press("d")
    await wait_until(lambda: desk.word("mistral:7b") == "inactive")
    await desk.press("o", "enter")
    await desk.until_shown("Addresses")
    # Beside that of the unload, which can be undone.
    (toast,) = (each for each in desk.toasts if not each.message.endswith(" undoes it."))
    assert toast.title == "Notice"
    assert said in toast.message


async def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    async with desk_on(tmp_path / "taken" / "state.db") as desk:
        await check_works(desk, "Nothing of this session will be remembered.")
    assert [each.name for each in tmp_path.iterdir()] == ["taken"]


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[sqlite3.Connection]:
    """Those that the store opens."""
    opened: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def noted(*args: object, **options: object) -> sqlite3.Connection:
        opened.append(connect(*args, **options, check_same_thread=False))  # type: ignore[call-overload]
        return opened[-1]

    monkeypatch.setattr(sqlite3, "connect", noted)
    return opened


async def test_a_disk_that_fills_up_in_mid_run(tmp_path: Path, connections: list[sqlite3.Connection]) -> None:
    path = tmp_path / "state.db"
    async with desk_on(path) as desk:
        await wait_until(path.exists)
        await wait_until(lambda: desk.app.controller(ActivityFeed).activity.last_id or connections)
        stack = cast("Stack", desk.stack)
        stack.journal.event(EventKind.NOTICE, quoted("Before."))
        await desk.until_said("Before.")
        for connection in connections:
            connection.execute("PRAGMA max_page_count = 1")  # As many as there are, and no more.
        for number in range(300):
            stack.journal.event(EventKind.NOTICE, quoted(f"{number} " + 100 * "x"))
        await check_works(desk, "The disk is full, ")
    for connection in connections:
        connection.close()
    with sqlite3.connect(path) as after:
        assert after.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    after.close()
