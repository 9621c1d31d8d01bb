"""What the engine's models take, and the clean-up with its question."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from llmstack_tui.base.structs import replace
from llmstack_tui.config.settings import Settings
from llmstack_tui.library.disk import DiskService, FolderUse, ModelUse
from llmstack_tui.library.storage import LibraryError
from tests.support.waiting import wait_until
from tests.tui.driving import dashboard
from tests.tui.folder_use import USE, leftover

if TYPE_CHECKING:
    from tests.tui.driving import FakeDesk


async def opened(desk: FakeDesk, use: FolderUse | None = USE) -> None:
    desk.stack.disk.use = use
    await desk.press("D")


async def test_models_and_what_none_of_them_uses() -> None:
    for size in ((80, 24), (120, 40)):
        async with dashboard(size=size) as desk:
            await opened(desk)
            await desk.until_shown("11.6 GB in /home", "4.6 GB", "Used by no model", "2.0 GB")
            assert desk.text.index("qwen2.5-coder:7b") < desk.text.index("mistral:7b")
            await desk.press("escape")
            assert desk.app.models.is_current


async def test_ollamas_folder_is_there_too() -> None:
    ollamas = FolderUse(
        path=Path("/usr/share/ollama/models"),
        own=False,
        models=(ModelUse("gemma3:4b", 3_300_000_000, 0, 0),),
        leftovers=(leftover("sha256-" + 60 * "d", 700_000_000, "Ollama's own"),),
        unreadable=(),
        size=4_000_000_000,
    )
    async with dashboard() as desk:
        desk.stack.disk.others = (ollamas, LibraryError("The models folder /srv cannot be read."))
        await opened(desk)
        await desk.until_shown("15.6 GB in 2 folders", "Models of Ollama in /usr/share/ollama/models")
        await desk.until_shown("gemma3:4b", "kept: Ollama's own", "The models folder /srv cannot be read.")
        await desk.press("x")
        await desk.until_shown("Remove these 2 files?")
        await desk.press("escape")
        # Beside others, an empty one says nothing.
        desk.stack.disk.use = replace(USE, models=(), leftovers=(), size=0)
        await desk.press("r")
        await desk.until_shown("4.0 GB in /usr/share/ollama/models")
        assert "No models." not in desk.text
        await desk.press("x")
        await desk.until_shown("There is nothing to remove.")


async def test_a_clean_up_shows_what_goes_and_asks() -> None:
    async with dashboard() as desk:
        await opened(desk)
        await desk.until_shown("Used by no model")
        await desk.press("x")
        await desk.until_shown("Remove these 2 files?", "This frees 2.5 GB")
        await desk.press("enter")
        assert desk.stack.acts == []
        await desk.press("x")
        await desk.until_shown("Keep all")
        await desk.press("right", "enter")
        await desk.until_shown("Removed 2 files: 2.5 GB.")
        assert len(desk.stack.acts) == 1
        await wait_until(lambda: "2.0 GB" not in desk.text)
        await desk.press("x")
        await desk.until_shown("There is nothing to remove.")


async def test_what_cannot_be_done_is_a_sentence() -> None:
    async with dashboard() as desk:
        await opened(desk)
        await desk.until_shown("Used by no model")
        await desk.press("x")
        await desk.until_shown("Keep all")
        desk.stack.disk.failure = LibraryError("A download is under way: clean up when it is done.")
        await desk.press("right", "enter")
        await desk.until_shown("A download is under way")
        desk.stack.disk.failure, desk.stack.disk.use = None, None
        await desk.press("r")
        await desk.until_shown("There is no folder of models here.")


async def test_nothing_goes_where_nothing_may() -> None:
    async with dashboard(settings=Settings(read_only=True)) as desk:
        await opened(desk)
        await desk.until_shown("Used by no model")
        await desk.press("x")
        await desk.until_shown("read-only.")


async def test_the_real_folder(tmp_path: Path) -> None:
    orphan = tmp_path / "blobs" / f"sha256-{'a' * 64}"
    orphan.parent.mkdir()
    orphan.write_bytes(b"gone")
    os.utime(orphan, (1, time.time() - 7200))
    disk = DiskService(tmp_path)
    use = await disk.look()
    assert use is not None
    # The time of its last change cannot be set: so it counts as of this hour, and is kept.
    assert [each.path for each in use.leftovers] == [orphan]
    assert await disk.clean(use.leftovers) == ()
    assert orphan.exists()
    assert await DiskService(None).look() is None
