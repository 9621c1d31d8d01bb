"""A model that cannot be loaded, or dies, says why."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from pathlib import Path

import psutil
import pytest

from llmstack_tui.engine.errors import LoadFailed, RunnerDied
from llmstack_tui.engine.runners.runner import Runner
from tests.engine.runners.real_runners import ask, config, posix, wait_until_busy
from tests.support.waiting import wait_until


@posix
@pytest.mark.parametrize(
    ("number", "cause"),
    [
        (signal.SIGKILL, "was killed (SIGKILL), most likely because the machine ran out of memory"),
        (signal.SIGABRT, "crashed (SIGABRT)"),
    ],
)
async def test_a_process_that_dies_under_a_request_gives_its_cause(
    endless_model: Path, folder: Path, number: int, cause: str
) -> None:
    runner = await Runner.start(config(endless_model), folder=folder)
    waiting = asyncio.create_task(ask(runner))
    await wait_until_busy(runner)
    second = asyncio.create_task(ask(runner))
    os.kill(runner.pid, number)
    for task in (waiting, second):
        with pytest.raises(RunnerDied) as caught:
            await task
        assert str(caught.value) == f"The model's process {cause}."
    assert await runner.wait_exit() == cause
    await runner.stop()
    assert list(folder.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file system that lets a mapped file shrink")
async def test_a_file_that_shrinks_under_the_model_is_named_as_the_cause(
    endless_model: Path, folder: Path, tmp_path: Path
) -> None:
    weights = Path(shutil.copy(endless_model, tmp_path))
    runner = await Runner.start(config(weights), folder=folder)
    os.truncate(weights, 4096)
    with pytest.raises(RunnerDied, match=r"SIGBUS.*file was changed or cut off"):
        await ask(runner)
    await runner.stop()


async def test_a_file_that_is_missing_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(LoadFailed, match="No such file") as caught:
        await Runner.start(config(tmp_path / "missing.gguf"), folder=folder)
    assert caught.value.status == 500
    assert list(folder.iterdir()) == []


async def test_a_template_that_is_wrong_is_named(tiny_model: Path, folder: Path) -> None:
    with pytest.raises(LoadFailed, match="Parser Error"):
        await Runner.start(config(tiny_model, chat_template="{% for"), folder=folder)


@posix
async def test_a_folder_whose_name_is_too_long_says_what_to_do(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(LoadFailed, match="TMPDIR"):
        await Runner.start(config(tiny_model), folder=tmp_path / ("x" * 100))


@posix
async def test_cancelling_a_load_ends_its_process_at_once(folder: Path, tmp_path: Path) -> None:
    weights = tmp_path / "pipe.gguf"
    os.mkfifo(weights)  # Opening it waits for a writer: a load without an end.
    before = set(psutil.Process().children())
    loading = asyncio.create_task(Runner.start(config(weights), folder=folder))
    await wait_until(lambda: list(folder.iterdir()), what="the child has begun to load")
    (child,) = set(psutil.Process().children()) - before
    loading.cancel()
    async with asyncio.timeout(1.8):  # Less than what a gentle end may take.
        with pytest.raises(asyncio.CancelledError):
            await loading
    assert not child.is_running()
    assert list(folder.iterdir()) == []


@posix
async def test_a_process_that_is_killed_while_it_loads_says_so(folder: Path, tmp_path: Path) -> None:
    weights = tmp_path / "pipe.gguf"
    os.mkfifo(weights)
    before = set(psutil.Process().children())
    loading = asyncio.create_task(Runner.start(config(weights), folder=folder))
    await wait_until(lambda: list(folder.iterdir()), what="the child has begun to load")
    (child,) = set(psutil.Process().children()) - before
    child.kill()
    with pytest.raises(LoadFailed, match=r"SIGKILL.*memory"):
        await loading
