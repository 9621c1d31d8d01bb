"""What the models in the folders of this machine take, and the clean-up with its question."""

from __future__ import annotations

import shutil
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest
from filelock import FileLock

from llmstack_tui.base import paths
from llmstack_tui.config.settings import Settings
from llmstack_tui.library import disk
from llmstack_tui.library.storage import DOWNLOADS_LOCK
from llmstack_tui.tui.disk.list import DiskList
from tests.support.folders import blob, manifest, write
from tests.support.waiting import wait_until
from tests.tui.driving import real_dashboard

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.tui.driving import RealDesk

LIBRARY = "registry.ollama.ai/library"


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The engine's: two models of the same weights, another, and two files that may be removed."""
    monkeypatch.setattr(disk, "GRACE_S", -1.0)
    made = paths.models_folder()
    coder = manifest(made, b"w" * 5000, config=b"c" * 1000)
    write(made, f"{LIBRARY}/qwen2.5-coder/7b", coder)
    write(made, f"{LIBRARY}/coder/again", coder)
    write(made, f"{LIBRARY}/mistral/7b", manifest(made, b"m" * 4000, config=b"d"))
    blob(made, b"o" * 3000)
    (made / "blobs" / f"sha256-{64 * 'b'}-partial").write_bytes(b"p" * 1000)
    return made


def leftovers(folder: Path) -> int:
    return len([*(folder / "blobs").iterdir()]) - 4


@asynccontextmanager
async def disk_screen(settings: Settings | None = None, **environ: str) -> AsyncIterator[RealDesk]:
    async with real_dashboard(settings=settings, environ=environ) as desk:
        await desk.press("D")
        yield desk


async def test_models_and_what_none_of_them_uses(folder: Path) -> None:
    async with disk_screen() as desk:
        await desk.until_shown("14 kB in ", "6 kB", "Used by no model", "3 kB")
        assert desk.text.index("qwen2.5-coder:7b") < desk.text.index("mistral:7b")
        await desk.press("escape")
        assert desk.app.models.is_current


async def test_ollamas_folder_is_there_too_and_is_never_cleaned(folder: Path, tmp_path: Path) -> None:
    write(tmp_path, f"{LIBRARY}/gemma3/4b", manifest(tmp_path, b"g" * 2000))
    blob(tmp_path, b"theirs" * 1000)
    async with disk_screen(OLLAMA_MODELS=str(tmp_path)) as desk:
        await desk.until_shown("22 kB in 2 folders", "Models of Ollama in ", "gemma3:4b", "Ollama's own")
        await desk.press("x")
        await desk.until_shown("Remove these 2 files?")
        await desk.press("escape")
        # Beside others, an empty one says nothing.
        shutil.rmtree(folder)
        await desk.press("r")
        await desk.until_shown("8 kB in /", "gemma3:4b")
        assert "No models." not in desk.text
        await desk.press("x")
        await desk.until_shown("There is nothing to remove.")
        shutil.rmtree(tmp_path / "blobs")
        (tmp_path / "blobs").write_text("no folder")
        await desk.press("r")
        await desk.until_shown("The models folder /", "cannot be read")


async def test_without_a_home_there_is_no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "models_folder", Mock(side_effect=paths.NoHome("home.unknown")))
    async with disk_screen() as desk:
        await desk.until_shown("There is no folder of models here.")


async def test_a_clean_up_shows_what_goes_and_asks(folder: Path) -> None:
    async with disk_screen() as desk:
        await desk.until_shown("Used by no model")
        await desk.press("x")
        await desk.until_shown("Remove these 2 files?", "This frees 4 kB")
        await desk.press("enter")
        assert leftovers(folder) == 2
        await desk.press("x")
        await desk.until_shown("Keep all")
        await desk.press("right", "enter")
        await desk.until_shown("Removed 2 files: 4 kB.", "10 kB in ")
        assert leftovers(folder) == 0
        await desk.press("x")
        await desk.until_shown("There is nothing to remove.")


async def test_what_cannot_be_done_is_a_sentence(folder: Path) -> None:
    async with disk_screen() as desk:
        await desk.until_shown("Used by no model")
        await desk.press("x")
        await desk.until_shown("Keep all")
        with FileLock(folder / DOWNLOADS_LOCK):
            await desk.press("right", "enter")
            await desk.until_shown("A download into", "is under way")
        assert leftovers(folder) == 2


async def test_nothing_goes_where_nothing_may(folder: Path) -> None:
    async with disk_screen(Settings(read_only=True)) as desk:
        await desk.until_shown("Used by no model")
        await desk.press("x")
        await desk.until_shown("read-only.")
        assert leftovers(folder) == 2


async def test_a_verification_says_what_is_damaged_and_what_to_do(folder: Path) -> None:
    async with disk_screen() as desk:
        await desk.until_shown("Used by no model")
        await desk.press("v")
        await desk.until_shown("5 files of 13 kB read: nothing is damaged.")
        path = folder / "blobs" / str(blob(folder, b"m" * 4000)["digest"]).replace(":", "-")
        path.write_bytes(b"x" * 4000)
        await desk.press("v")
        await desk.until_shown("mistral:7b", "llmstack pull mistral:7b")


async def test_what_was_used_last_and_what_cannot_be_used(folder: Path) -> None:
    write(folder, f"{LIBRARY}/cut/latest", b"{")
    async with disk_screen() as desk:
        await desk.until_shown("Last used", "cut:latest", "The manifest is not JSON.", "x: remove it")
        await desk.press("end", "x")
        await desk.until_shown("Remove this file?", "It is no manifest.")
        await desk.press("right", "enter")
        await wait_until(lambda: "cut:latest" not in desk.text)


async def test_headings_and_o_sort_the_models_and_the_title_says_how(folder: Path) -> None:
    async with disk_screen() as desk:
        await desk.until_shown("14 kB in ", "Last used")
        width = desk.app.screen.query_one("DiskList").region.width

        def listed() -> list[str]:
            names = ("qwen2.5-coder:7b", "coder:again", "mistral:7b")
            rows = [row.name for row in desk.app.screen.query_one(DiskList).rows]
            return [name for name in rows if name in names]

        assert listed()[-1] == "mistral:7b"
        await desk.pilot.click("DiskList", offset=(4, 0))
        await desk.until_shown("Models ▲", "Disk  by name, ")
        assert listed() == ["coder:again", "mistral:7b", "qwen2.5-coder:7b"]
        await desk.pilot.click("DiskList", offset=(4, 0))
        await desk.until_shown("Models ▼", "Disk  by name, reversed, ")
        assert listed() == ["qwen2.5-coder:7b", "mistral:7b", "coder:again"]
        await desk.pilot.click("DiskList", offset=(width - 1 - 13 - 5, 0))
        await desk.until_shown("▼Frees", "Disk  by what it frees, ")
        assert listed()[0] == "mistral:7b"
        await desk.press("o")
        await desk.until_shown("▼Last used", "Disk  by last used, ")
        await desk.press("o")
        await wait_until(lambda: "Disk  by" not in desk.text)
        await desk.press("O")
        await desk.until_shown("▲Size", "Disk  reversed, ")
        assert listed()[0] == "mistral:7b"
