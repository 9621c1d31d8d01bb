"""All blobs are read, what is damaged is named with what to do, and it is not believed any more."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.names import ModelName
from llmstack_tui.library.blobs import is_believed, silent
from llmstack_tui.library.disk import DiskService
from llmstack_tui.library.errors import Cancelled, LibraryError
from llmstack_tui.library.library import Library
from llmstack_tui.library.threads import in_thread
from llmstack_tui.library.use import FolderVerification
from llmstack_tui.library.verification import verify_folder
from tests.support.failures import fails
from tests.support.folders import blob, layer, manifest, tree, write
from tests.support.gguf.files import Llama

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LIBRARY = "registry.ollama.ai/library"
LARGE = bytes(Llama()) + bytes(5 * 2**20)


def path_of(folder: Path, described: dict[str, object]) -> Path:
    return folder / "blobs" / str(described["digest"]).replace(":", "-")


def damage(path: Path) -> None:
    """As a disk does it: the size and the time stay."""
    seen = path.stat()
    with path.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"x")
    os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))


def found(verification: FolderVerification) -> dict[str, tuple[tuple[str, ...], str, str]]:
    return {
        each.path.name[:16]: (each.models, each.why[0].kind, each.repair[0].kind)
        for each in verification.damaged
    }


verify = partial(verify_folder, progress=silent, own=True, note=True)


def test_what_is_whole_is_believed_from_then_on(tmp_path: Path) -> None:
    written = manifest(tmp_path, LARGE)
    write(tmp_path, f"{LIBRARY}/one/latest", written)
    weights = path_of(tmp_path, layer(tmp_path, "model", LARGE))
    assert is_believed(weights) is None
    verification = verify(tmp_path)
    assert (verification.files, verification.damaged) == (2, ())
    assert verification.size == sum(path.stat().st_size for path in (tmp_path / "blobs").iterdir())
    assert is_believed(weights) is True


def test_each_damaged_file_has_its_models_and_what_to_do(tmp_path: Path) -> None:
    shared, alone = layer(tmp_path, "model", LARGE), layer(tmp_path, "license", b"l" * 50)
    write(tmp_path, f"{LIBRARY}/one/latest", manifest(tmp_path, LARGE))
    write(tmp_path, f"{LIBRARY}/two/latest", manifest(tmp_path, LARGE, alone))
    gone = layer(tmp_path, "system", b"gone")
    write(tmp_path, f"{LIBRARY}/three/latest", manifest(tmp_path, LARGE[:-1], gone))
    orphan = blob(tmp_path, b"nobody's")
    write(tmp_path, f"{LIBRARY}/cut/latest", b'{"config"')
    for each in (shared, alone, orphan):
        damage(path_of(tmp_path, each))
    path_of(tmp_path, gone).unlink()
    verification = verify(tmp_path)
    assert found(verification) == {
        "latest": (("cut:latest",), "library.manifest_not_json", "library.repair_pull"),
        path_of(tmp_path, shared).name[:16]: (
            ("one:latest", "two:latest"),
            "library.blob_damaged",
            "library.repair_pull",
        ),
        path_of(tmp_path, alone).name[:16]: (("two:latest",), "library.blob_damaged", "library.repair_pull"),
        path_of(tmp_path, gone).name[:16]: (("three:latest",), "library.blob_missing", "library.repair_pull"),
        path_of(tmp_path, orphan).name[:16]: ((), "library.blob_damaged", "library.repair_clean"),
    }
    assert is_believed(path_of(tmp_path, shared)) is False


def test_what_was_imported_is_imported_again(tmp_path: Path, tiny_model: Path) -> None:
    library, name = Library(tmp_path / "own"), ModelName.parse("tiny")
    weights = library.import_gguf(tiny_model, name).weights
    damage(weights)
    ((models, why, repair),) = found(verify(library.own)).values()
    assert (models, why, repair) == (("tiny:latest",), "library.blob_damaged", "library.repair_import")
    # It is not run either, until it is repaired.
    with fails("library.weights_damaged"):
        library.confirm(weights, silent)
    library.import_gguf(tiny_model, name)
    library.confirm(weights, silent)
    assert verify(library.own).damaged == ()


def test_weights_that_changed_are_read_before_they_are_run(tmp_path: Path) -> None:
    write(tmp_path, f"{LIBRARY}/one/latest", manifest(tmp_path, LARGE))
    library, read = Library(tmp_path), list[str]()
    weights = path_of(tmp_path, layer(tmp_path, "model", LARGE))
    verify(tmp_path)
    tell: Callable[..., None] = lambda status, *_: read.append(status)  # noqa: E731
    library.confirm(weights, tell)
    assert not read
    os.utime(weights, (1, 1))
    library.confirm(weights, tell)
    assert read
    read.clear()
    library.confirm(weights, tell)
    assert not read, "it was as it should be, and that is known now"


async def test_ollamas_folder_is_read_and_nothing_is_written_there(tmp_path: Path) -> None:
    own, theirs = tmp_path / "own", tmp_path / "ollama"
    write(theirs, f"{LIBRARY}/one/latest", manifest(theirs, LARGE))
    weights = path_of(theirs, layer(theirs, "model", LARGE))
    damage(weights)
    before = tree(theirs)
    mine, others = await DiskService(own, lambda: [own, theirs]).verify(silent)
    assert isinstance(mine, FolderVerification)
    assert isinstance(others, FolderVerification)
    assert (mine.own, mine.files, others.own) == (True, 0, False)
    assert found(others) == {
        weights.name[:16]: (("one:latest",), "library.blob_damaged", "library.repair_ollamas")
    }
    assert tree(theirs) == before
    assert not own.exists()


async def test_nothing_is_written_when_nothing_may_be(tmp_path: Path) -> None:
    write(tmp_path, f"{LIBRARY}/one/latest", manifest(tmp_path, LARGE))
    before = tree(tmp_path)
    (verification,) = await DiskService(tmp_path).verify(silent, note=False)
    assert not isinstance(verification, LibraryError)
    assert tree(tmp_path) == before
    assert not (tmp_path / "verified").exists()


def test_it_tells_how_far_it_is_and_ends_when_told(tmp_path: Path) -> None:
    write(tmp_path, f"{LIBRARY}/one/latest", manifest(tmp_path, LARGE))
    steps = list[tuple[str, int | None, int | None]]()

    def tell(*step: object) -> None:
        steps.append(step)  # type: ignore[arg-type]
        if len(steps) == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        verify_folder(tmp_path, tell, own=True, note=True)
    assert {(status, total) for status, _, total in steps} == {
        ("one:latest", sum(path.stat().st_size for path in (tmp_path / "blobs").iterdir()))
    }


async def test_work_in_a_thread_ends_with_whoever_waits(tmp_path: Path) -> None:
    import asyncio  # noqa: PLC0415

    begun, ended = asyncio.Event(), list[bool]()
    loop = asyncio.get_running_loop()

    def work(progress: Callable[[str, int | None, int | None], None]) -> None:
        loop.call_soon_threadsafe(begun.set)
        try:
            while True:
                progress("", None, None)
        finally:
            ended.append(True)

    working = asyncio.create_task(in_thread(work, silent))
    await begun.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert ended
