"""Opening the file, whatever is there."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import shutil
import sqlite3
import stat
import tempfile
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import filelock  # noqa: F401  # must be imported before the rights to read it are given up
import pytest

import llmstack_tui.store.database.connection  # noqa: F401  # likewise
from llmstack_tui.base.paths import NoHome
from llmstack_tui.base.sentences import Sentence
from llmstack_tui.core.wording import text
from llmstack_tui.store.database import opening
from llmstack_tui.store.database.opening import Mode
from llmstack_tui.store.errors import StoreError
from llmstack_tui.store.store import Store
from tests.store.samples import NOW, change_file, event, in_file, numbers
from tests.support.waiting import wait_until_sync

if TYPE_CHECKING:
    from collections.abc import Iterator

ORDINARY_USER = 65534


def mode_of(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def set_aside(path: Path) -> list[str]:
    return sorted(each.name for each in path.parent.iterdir() if "damaged" in each.name)


async def works(store: Store) -> bool:
    """What is written is read again, for as long as the store is open."""
    store.events.add(event(99))
    return 99 in numbers(await store.events.newest())


async def fill(path: Path, count: int = 300) -> None:
    async with await Store.open(path) as store:
        for number in range(count):
            store.events.add(event(number))


def come(path: Path, number: int, start: Path) -> Sentence | None:
    """Open the file together with others, as a program of its own, and write into it."""
    start.with_name(f"ready-{number}").touch()
    wait_until_sync(start.exists, 30)
    opened = opening.open_state(path, NOW)
    with closing(opened.connection) as connection:
        assert opened.mode is Mode.FILE, opened.notice
        connection.execute("INSERT INTO screen VALUES (?, '')", (str(number),))
    return opened.notice


def all_ready(meeting: Path) -> bool:
    return len(list(meeting.iterdir())) == 4


async def test_what_is_not_there_is_made_for_this_user_only(path: Path) -> None:
    async with await Store.open(path) as store:
        assert (store.database.mode, store.notices) == (Mode.FILE, ())
        assert await works(store)
        assert {mode_of(each) for each in path.parent.iterdir()} == {0o600}
        assert len(list(path.parent.iterdir())) >= 3  # with its log and its index
    assert mode_of(path.parent) == 0o700
    assert in_file(path, "PRAGMA journal_mode") == [("wal",)]


async def test_it_is_there_the_next_time(path: Path) -> None:
    await fill(path, 3)
    async with await Store.open(path) as store:
        assert numbers(await store.events.newest()) == [2, 1, 0]
        assert store.notices == ()


async def test_a_folder_that_exists_keeps_its_rights(path: Path) -> None:
    path.parent.mkdir(mode=0o755)
    path.parent.chmod(0o755)
    await fill(path, 1)
    assert mode_of(path.parent) == 0o755


async def test_no_file_on_purpose() -> None:
    async with await Store.open(None) as store:
        assert (store.database.mode, store.notices) == (Mode.MEMORY, ())
        assert await works(store)


async def test_an_empty_file_is_a_new_one(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    async with await Store.open(path) as store:
        assert (store.database.mode, store.notices) == (Mode.FILE, ())
        assert await works(store)


@pytest.mark.parametrize("damage", ["text", "short", "page", "format"])
async def test_a_damaged_file_is_set_aside_and_a_new_one_begun(path: Path, damage: str) -> None:
    await fill(path)
    content = path.read_bytes()
    bad = {
        "text": b"This is no database." * 100,
        "short": content[: len(content) // 2],
        "page": content[:4096] + b"\xff" * 4096 + content[8192:],
        "format": content[:47] + b"\x09" + content[48:],
    }[damage]
    path.write_bytes(bad)
    async with await Store.open(path, now=NOW) as store:
        assert store.database.mode is Mode.FILE
        (notice,) = store.notices
        assert await works(store)
        assert numbers(await store.events.newest()) == [99]
    dated = f"state.db.damaged-{NOW.astimezone():%Y-%m-%d}"
    assert notice == Sentence("store.set_aside", {"file": str(path), "aside": dated})
    assert set_aside(path) == [dated]
    assert (path.parent / dated).read_bytes() == bad
    async with await Store.open(path) as store:
        assert store.notices == ()
        assert numbers(await store.events.newest()) == [99]


def test_its_log_goes_with_it_and_is_not_played_into_the_new_one(path: Path) -> None:
    path.parent.mkdir()
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").write_text(f"state{suffix}")
    aside = opening.set_aside(path, NOW)
    assert {each.name: each.read_text() for each in path.parent.iterdir()} == {
        f"{aside.name}{suffix}": f"state{suffix}" for suffix in ("", "-wal", "-shm")
    }


async def test_twice_damaged_on_one_day(path: Path) -> None:
    for _ in range(3):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"This is no database." * 100)
        async with await Store.open(path, now=NOW) as store:
            assert len(store.notices) == 1
    dated = f"state.db.damaged-{NOW.astimezone():%Y-%m-%d}"
    assert set_aside(path) == [dated, f"{dated}-2", f"{dated}-3"]


@pytest.mark.parametrize("content", [None, b"This is no database." * 100])
def test_those_who_come_at_once_agree_on_one_file(path: Path, content: bytes | None, tmp_path: Path) -> None:
    """Processes, as SQLite's locks are between those; the window is small, so it is tried many times."""
    with ProcessPoolExecutor(4, multiprocessing.get_context("spawn")) as processes:
        for number in range(12):
            if content:
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(content)
            meeting = tmp_path / f"meeting-{number}"
            meeting.mkdir()
            coming = [processes.submit(come, path, each, meeting / "start") for each in range(4)]
            wait_until_sync(partial(all_ready, meeting), 30)
            (meeting / "start").touch()
            notices = [each.result(30) for each in coming]
            assert len(list(filter(None, notices))) == len(set_aside(path)) == (1 if content else 0)
            assert len(in_file(path, "SELECT * FROM screen")) == 4
            shutil.rmtree(path.parent)


async def test_no_damage_keeps_it_from_opening(path: Path) -> None:
    await fill(path, 500)
    sound = path.read_bytes()
    dice = random.Random(1)
    kept = lost = 0
    for _ in range(60):
        bad = bytearray(sound)
        if dice.random() < 0.3:  # the header, the schema, the first entries
            place, length = dice.randrange(200), dice.randrange(1, 40)
        else:
            place, length = dice.randrange(len(sound)), dice.randrange(1, 6000)
        bad[place : place + length] = dice.randbytes(len(bad[place : place + length]))
        path.write_bytes(bad)
        before = set_aside(path)
        async with await Store.open(path) as store:
            assert await works(store)
            new = [name for name in set_aside(path) if name not in before]
            if new:
                assert (store.database.mode, len(store.notices)) == (Mode.FILE, 1)
                assert (path.parent / new[0]).read_bytes() == bad
                lost += 1
            else:
                assert (store.database.mode, store.notices) == (Mode.FILE, ())
                kept += 1
        for each in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
            each.unlink(missing_ok=True)
    assert lost > 30
    assert kept > 0


async def test_a_newer_file_is_read_and_never_written(path: Path) -> None:
    await fill(path, 3)
    change_file(
        path,
        "INSERT INTO migrations VALUES ('2030-01 something', 0)",
        "ALTER TABLE events ADD COLUMN mood TEXT",
    )
    content = path.read_bytes()
    async with await Store.open(path) as store:
        assert store.database.mode is Mode.READ_ONLY
        (notice,) = store.notices
        assert notice.kind == "store.newer"
        store.events.add(event(99))
        store.screen.remember("theme", "dark")
        await store.flush()
        assert numbers(await store.events.newest()) == [2, 1, 0]
        assert await store.screen.recall("theme", "light", str) == "light"
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            await store.database.connection.execute("DELETE FROM events")
    assert len(store.notices) == 1
    assert path.read_bytes() == content


async def test_a_folder_in_its_place(path: Path) -> None:
    path.mkdir(parents=True)
    await check_memory(path)
    assert path.is_dir()


async def test_a_pipe_in_its_place(path: Path) -> None:
    path.parent.mkdir()
    os.mkfifo(path)
    await check_memory(path)


async def test_a_file_in_the_place_of_its_folder(path: Path) -> None:
    path.parent.touch()
    await check_memory(path)


async def test_somebody_elses_database_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE events (something)")
    await check_memory(path)
    assert in_file(path, "SELECT sql FROM sqlite_master") == [("CREATE TABLE events (something)",)]


@pytest.fixture
def own_folder() -> Iterator[Path]:
    """A folder of a user whom rights bind, and the test as that user."""
    folder = Path(tempfile.mkdtemp())
    is_root = os.geteuid() == 0
    if is_root:
        os.chown(folder, ORDINARY_USER, -1)
        os.seteuid(ORDINARY_USER)
    try:
        yield folder
    finally:
        if is_root:
            os.seteuid(0)
        folder.chmod(0o700)
        for each in folder.iterdir():
            each.unlink()
        folder.rmdir()


async def test_a_folder_that_cannot_be_written_to(own_folder: Path) -> None:
    own_folder.chmod(0o500)
    await check_memory(own_folder / "state.db")
    await check_memory(own_folder / "llmstack" / "state.db")
    assert list(own_folder.iterdir()) == []


async def test_a_sound_file_in_a_folder_that_cannot_be_written_to(own_folder: Path) -> None:
    path = own_folder / "state.db"
    await fill(path, 3)
    own_folder.chmod(0o500)
    await check_memory(path)
    async with await Store.open(path) as store:
        assert numbers(await store.events.newest()) == [2, 1, 0], "what is in it counts all the same"
        assert store.database.unread is None
        store.events.add(event(99))
        with pytest.raises(StoreError, match="unwritable"):
            await store.kept()


async def test_a_file_that_cannot_be_written_to(own_folder: Path) -> None:
    path = own_folder / "state.db"
    await fill(path, 3)
    path.chmod(0o400)
    content = path.read_bytes()
    await check_memory(path)
    assert path.read_bytes() == content
    async with await Store.open(path) as store:
        assert numbers(await store.events.newest()) == [2, 1, 0]
    path.chmod(0o000)
    await check_memory(path)
    async with await Store.open(path) as store:
        assert store.database.unread is store.database.unkept is not None
        assert await store.events.newest() == ()


async def test_no_home_for_it() -> None:
    async with await Store.open(NoHome("home.unknown")) as store:
        assert [notice.kind for notice in store.notices] == ["store.not_remembered"]
        with pytest.raises(StoreError, match="quoted"):
            await store.kept()


async def check_memory(path: Path) -> None:
    """The store works, keeps nothing, and says so in a sentence with the file's name."""
    heard: list[Sentence] = []
    async with await Store.open(path, on_notice=heard.append) as store:
        assert store.database.mode is Mode.MEMORY
        assert await works(store)
    (notice,) = store.notices
    assert heard == [notice]
    assert notice.kind == "store.not_remembered"
    assert str(path.parent) in text(notice)
    assert text(notice).endswith(".")


async def test_a_disk_that_is_full_from_the_start(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = sqlite3.connect

    def with_one_page(*args: object, **options: object) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*args, **options)  # type: ignore[call-overload]
        if args[0] != ":memory:":
            connection.execute("PRAGMA max_page_count = 1")
        return connection

    monkeypatch.setattr(sqlite3, "connect", with_one_page)
    await check_memory(path)


async def test_a_file_that_another_program_writes_to_just_now_is_opened(path: Path) -> None:
    await fill(path, 3)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        async with asyncio.timeout(opening.OPENING_WAIT_S / 2), await Store.open(path) as store:
            assert (store.database.mode, store.notices) == (Mode.FILE, ())
            assert numbers(await store.events.newest()) == [2, 1, 0]


async def test_the_clock_is_asked_when_no_time_is_given(path: Path) -> None:
    async with await Store.open(path) as store:
        store.events.add(event(1, at=datetime.fromtimestamp(0, tz=NOW.tzinfo)))
        store.events.add(event(2, at=datetime.now(tz=NOW.tzinfo)))
    async with await Store.open(path) as store:
        assert numbers(await store.events.newest()) == [2]
