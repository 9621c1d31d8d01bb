"""A disk that fills in the middle of an update, through the queue: nothing is lost but time."""

from __future__ import annotations

import resource
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.core.wording import text
from llmstack_tui.downloads.types import DownloadState
from tests.support.engine_process import killable_engine
from tests.support.gguf.models import ANSWER
from tests.support.small_disk import engine_on_a_small_disk, may_mount
from tests.support.stack_pulls import (
    LATER,
    Engine,
    answer,
    digest,
    is_active,
    moving,
    over,
    pulled,
    seen,
    slow,
    watching,
)
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from llmstack_tui.core.stack import Stack
    from llmstack_tui.downloads.types import Download
    from tests.support.registry import Registry, Version


def half_names(models: Path, version: Version) -> list[str]:
    """The files of the version's weights that have the name of what is whole."""
    return [path.name for path in models.rglob(version.weights.digest.replace(":", "-"))]


async def updating(stack: Stack, engine: Engine, registry: Registry, tiny_model: Path) -> tuple[int, Version]:
    """An update of an active model that is on its way, slowly; its id and the new version."""
    registry.publish("full", tiny_model)
    await pulled(stack, engine.url, registry.name("full"))
    await stack.actions.activate(engine.url, registry.listed("full"))
    new = registry.publish("full", tiny_model.read_bytes() * 2, pushed_at_s=LATER)
    registry.faults = [slow(new.weights.digest, new.size // 4)]
    (number,) = await stack.downloads.update(engine.url, [registry.listed("full")])
    await seen(stack, number, moving)
    return number, new


async def failed(stack: Stack, engine: Engine, number: int, old: str, name: str) -> Download:
    """The update, when it has failed, and the old version answers."""
    found = await over(stack, number)
    assert found.state is DownloadState.FAILED
    assert found.completed < (found.total or 0)
    await wait_until(lambda: is_active(stack, name))
    assert digest(stack, name) == old
    assert await answer(stack, engine.url, name) == ANSWER
    return found


@pytest.mark.skipif(not may_mount(), reason="nothing may be mounted here")
async def test_a_disk_that_fills_at_nine_tenths(registry: Registry, tiny_model: Path, tmp_path: Path) -> None:
    with engine_on_a_small_disk(tmp_path) as disk:
        async with watching(disk.engine) as stack:
            number, new = await updating(stack, disk.engine, registry, tiny_model)
            name, models = registry.listed("full"), disk.engine.models
            notes = models / "blobs"
            await wait_until(lambda: [*notes.glob("*-partial.json")], what="what came is noted")
            come = sum(path.stat().st_blocks * 512 for path in notes.glob("*-partial"))
            disk.leaves(int(0.9 * new.weights.size) - come)
            old = digest(stack, name)
            found = await failed(stack, disk.engine, number, old, name)
            full = f"The disk of {tmp_path / '.local/share/llmstack/models/blobs'} is full: "
            assert text(found.reason[0]) == f"{full}make room there and pull again."
            assert found.reason[1:] == (Sentence("download.old_is_loaded"),)
            assert not half_names(models, new)
            assert not [*models.rglob("*unfinished*")]
            disk.is_large()
            registry.faults = []
            registry.forget()
            again = await over(stack, await stack.downloads.retry(number))
            assert (again.state, again.reason) == (DownloadState.DONE, ())
            assert registry.blob_bytes_sent < new.size // 2, "it went on where it was"
            await wait_until(lambda: digest(stack, name) == new.digest)


@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process are Linux's")
async def test_a_disk_that_takes_no_file_that_large(
    registry: Registry, tiny_model: Path, tmp_path: Path
) -> None:
    models = tmp_path / ".local/share/llmstack/models"
    with killable_engine(tmp_path) as (url, process):
        engine, limits = Engine(url, models), psutil.Process(process.pid)
        async with watching(engine) as stack:
            _, hard = limits.rlimit(resource.RLIMIT_FSIZE)
            number, new = await updating(stack, engine, registry, tiny_model)
            name = registry.listed("full")
            old = digest(stack, name)
            limits.rlimit(resource.RLIMIT_FSIZE, (int(0.9 * new.weights.size), hard))
            found = await failed(stack, engine, number, old, name)
            part = new.weights.digest[7:19]
            assert text(found.reason[0]) == (
                f"{part} cannot be written: the disk takes no file that is so large."
            )
            assert found.reason[1:] == (Sentence("download.old_is_loaded"),)
            assert not half_names(models, new)
            limits.rlimit(resource.RLIMIT_FSIZE, (hard, hard))
            registry.faults = []
            assert (await over(stack, await stack.downloads.retry(number))).state is DownloadState.DONE
            await wait_until(lambda: digest(stack, name) == new.digest)
