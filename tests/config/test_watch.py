"""Settings that are edited while they are watched."""

from __future__ import annotations

import asyncio
import os
import threading
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.config.settings import EngineSettings, Settings, UiSettings
from llmstack_tui.config.watch import watch_settings

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from llmstack_tui.config.settings import LoadedSettings

TWO = Settings(engine=EngineSettings(max_loaded=2))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text("[engine]\nmax_loaded = 2\n")
    return path


def watch(
    file: Path, environ: dict[str, str] | None = None
) -> aclosing[AsyncGenerator[LoadedSettings, None]]:
    return aclosing(watch_settings(file, environ or {}, every_s=0.01))


async def following(changes: AsyncGenerator[LoadedSettings, None]) -> LoadedSettings:
    async with asyncio.timeout(10):
        return await anext(changes)


def replace(file: Path, text: str) -> None:
    """As editors do that never leave half a file."""
    new = file.with_suffix(".new")
    new.write_text(text)
    new.replace(file)


async def test_first_what_is_so_and_then_each_change(file: Path) -> None:
    async with watch(file) as changes:
        assert (await following(changes)).settings == TWO
        file.write_text("[engine]\nmax_loaded = 30\n")
        assert (await following(changes)).settings.engine.max_loaded == 30
        replace(file, "[engine]\nmax_loaded = 4\n[ui]\nascii = true\n")
        changed = await following(changes)
        assert (changed.settings.engine.max_loaded, changed.settings.ui.ascii) == (4, True)


async def test_a_file_of_the_same_time_is_another_by_its_size_or_its_number(file: Path) -> None:
    time_ns = file.stat().st_mtime_ns
    async with watch(file) as changes:
        await following(changes)
        for count in (33, 44):
            new = file.with_suffix(".new")
            new.write_text(f"[engine]\nmax_loaded = {count}\n")
            os.utime(new, ns=(time_ns, time_ns))
            new.replace(file)
            assert (await following(changes)).settings.engine.max_loaded == count


async def test_a_broken_file_keeps_what_was_and_says_so_once(file: Path) -> None:
    async with watch(file) as changes:
        await following(changes)
        replace(file, "[engine]\nmax_loaded = \n")
        broken = await following(changes)
        assert broken.settings == TWO
        assert broken.problems[0].kind == "settings.not_toml"
        replace(file, "[engine]\nmax_loaded = 2\n")
        assert (await following(changes)).problems == ()
        replace(file, "x" * 10_000_000)
        assert (await following(changes)).settings == TWO


async def test_a_wrong_setting_stays_as_it_was_and_the_others_apply(file: Path) -> None:
    async with watch(file) as changes:
        await following(changes)
        replace(file, "[engine]\nmax_loaded = 'many'\nport = 1\n")
        changed = await following(changes)
        assert changed.settings.engine == EngineSettings(max_loaded=2, port=1)
        assert len(changed.problems) == 1
        replace(file, "read_only = 'perhaps'")
        assert (await following(changes)).settings == Settings(read_only=True)


async def test_a_file_that_is_gone_means_the_defaults_and_may_come_back(file: Path) -> None:
    async with watch(file, {"LLMSTACK_UI_ASCII": "1"}) as changes:
        await following(changes)
        file.unlink()
        assert (await following(changes)).settings == Settings(ui=UiSettings(ascii=True))
        file.write_text("[engine]\nmax_loaded = 2\n")
        assert (await following(changes)).settings.engine == TWO.engine


async def test_a_file_that_is_being_written_is_waited_for(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies between two changes that follow each other at once is never seen."""
    pieces = ["", "[engine]\nmax_loaded = 5\n", "[engine]\nmax_loaded = 5\nport = 7\n"]
    stat = Path.stat

    def written_in_pieces(path: Path, **how: bool) -> os.stat_result:
        found = stat(path, **how)
        if path == file and pieces:
            file.write_text(pieces.pop(0))
        return found

    async with watch(file) as changes:
        await following(changes)
        monkeypatch.setattr(Path, "stat", written_in_pieces)
        assert (await following(changes)).settings.engine == EngineSettings(max_loaded=5, port=7)


async def test_a_change_that_changes_nothing_is_none(file: Path) -> None:
    async with watch(file) as changes:
        await following(changes)
        replace(file, "# a comment\n[engine]\nmax_loaded = 2\n")
        waiting = asyncio.create_task(anext(changes))
        done, _ = await asyncio.wait([waiting], timeout=0.2)
        assert not done
        replace(file, "[engine]\nmax_loaded = 6\n")
        assert (await waiting).settings.engine.max_loaded == 6


async def test_nothing_is_read_on_the_event_loop(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[threading.Thread] = []
    for name in ("stat", "open"):
        real = getattr(Path, name)

        def noted(
            path: Path, *arguments: object, real: Callable[..., object] = real, **how: object
        ) -> object:
            if path == file:
                threads.append(threading.current_thread())
            return real(path, *arguments, **how)

        monkeypatch.setattr(Path, name, noted)
    async with watch(file) as changes:
        await following(changes)
        replace(file, "[engine]\nmax_loaded = 3\n")
        threads.clear()
        await following(changes)
        assert len(threads) >= 3
        assert threading.main_thread() not in threads


async def test_what_is_no_file_is_looked_at_once(tmp_path: Path) -> None:
    async with watch(tmp_path) as changes:
        first = await following(changes)
        assert first.broken
        (tmp_path / "new").touch()
        waiting = asyncio.create_task(anext(changes))
        done, _ = await asyncio.wait([waiting], timeout=0.1)
        assert not done
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are none")
async def test_a_pipe_and_a_folder_in_the_place_of_the_file_keep_what_was(file: Path) -> None:
    async with watch(file) as changes:
        await following(changes)
        file.unlink()
        os.mkfifo(file)
        piped = await following(changes)
        assert piped.settings == TWO
        assert piped.problems[0].kind == "settings.no_output"
        file.unlink()
        file.write_text("[engine]\nmax_loaded = 3\n")
        assert (await following(changes)).settings.engine.max_loaded == 3
        file.unlink()
        file.mkdir()
        folder = await following(changes)
        assert folder.settings.engine.max_loaded == 3
        assert folder.problems[0].kind == "settings.unreadable"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are none")
async def test_a_pipe_is_left_to_who_reads_it_first(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    async with watch(pipe) as changes:
        with pytest.raises(StopAsyncIteration):
            await following(changes)
