"""Models from others, on the disk: across folders, and when something goes wrong in the middle."""

from __future__ import annotations

import errno
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.names import ModelName
from llmstack_tui.base.sentences import Sentence
from llmstack_tui.library.creation import Changes
from llmstack_tui.library.errors import Cancelled
from llmstack_tui.library.library import Library, NotInstalled
from llmstack_tui.library.storage import locked, write_model
from tests.support import folders
from tests.support.engine import add_ollamas
from tests.support.failures import fails

if TYPE_CHECKING:
    from pathlib import Path

OLLAMAS, NEW = ModelName.parse("ollamas"), ModelName.parse("new:one")
CHANGES = Changes(system="Long-winded.", parameters={"num_ctx": 512})


@pytest.fixture
def library(tmp_path: Path, tiny_model: Path) -> Library:
    """An empty one, beside an Ollama's that has a model."""
    add_ollamas(tmp_path, tiny_model)
    return Library(tmp_path / "own", (tmp_path / ".ollama" / "models",))


def no_links(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(os, "link", refuse)


@pytest.mark.parametrize("way", ["linked", "copied"])
@pytest.mark.parametrize("changes", [None, CHANGES])
def test_what_is_ollamas_becomes_ours_and_stays_ollamas(
    library: Library, way: str, changes: Changes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    (theirs,) = library.others
    before = folders.tree(theirs)
    if way == "copied":
        no_links(monkeypatch)
    steps = list[str]()
    library.derive(OLLAMAS, NEW, changes, progress=lambda status, *_: steps.append(status))
    old, new = library.get(OLLAMAS), library.get(NEW)
    assert not new.read_only
    assert new.weights.samefile(old.weights) == (way == "linked")
    assert ("copying weights" in steps) == (way == "copied")
    assert folders.tree(theirs) == before
    if changes is None:
        assert new.digest == old.digest
    else:
        assert (new.system, new.messages, new.license) == ("Long-winded.", old.messages, old.license)
        assert new.parameters == {**old.parameters, "num_ctx": 512}
    shutil.rmtree(theirs)
    assert library.get(NEW).header().architecture == "llama"
    # What no model needs any more does not stay.
    library.delete(NEW)
    assert not [*library.own.glob("blobs/*")]


def test_no_model_no_copy(library: Library) -> None:
    with pytest.raises(NotInstalled):
        library.derive(ModelName.parse("nope"), NEW)
    assert not library.own.exists()


@pytest.mark.parametrize("fails_at", range(3))
def test_a_full_disk_leaves_nothing(library: Library, fails_at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full at the first, second or third of the files: system, parameters, config, manifest."""
    library.derive(OLLAMAS, NEW)
    before = folders.tree(library.own)
    calls = list[int]()

    def full(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) > fails_at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    why = (Sentence("library.disk_full"),)
    with fails("library.not_made", model="other:latest", source="new:one", why=why):
        library.derive(NEW, ModelName.parse("other"), CHANGES)
    assert folders.tree(library.own) == before


def test_a_disk_too_small_for_the_copy(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    no_links(monkeypatch)
    usage = type("Usage", (), {"free": 1})
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with fails("library.no_room", free=1):
        library.derive(OLLAMAS, NEW)
    assert not folders.tree(library.own)


def test_cancelled_in_the_middle_leaves_nothing(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    no_links(monkeypatch)

    def cancel(status: str, completed: int | None, total: int | None) -> None:
        if completed:
            raise Cancelled

    with pytest.raises(Cancelled):
        library.derive(OLLAMAS, NEW, progress=cancel)
    assert not folders.tree(library.own)


def test_a_broken_original_is_not_copied(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    no_links(monkeypatch)
    weights = library.get(OLLAMAS).weights
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with fails("library.damaged"):
        library.derive(OLLAMAS, NEW)
    assert not folders.tree(library.own)


LIMIT = 4 * 2**20


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        (Changes(system="s" * (LIMIT + 1)), "library.text_too_large"),
        (Changes(licenses=("short", "l" * (LIMIT + 1))), "library.text_too_large"),
        (Changes(parameters={"stop": ["s" * LIMIT]}), "library.text_too_large"),
        (Changes(messages=({"role": "user", "content": "c" * LIMIT},)), "library.text_too_large"),
        (Changes(messages=("Hi",)), "library.bad_layer"),
    ],
)
def test_what_nobody_could_read_replaces_nothing(library: Library, changes: Changes, kind: str) -> None:
    library.derive(OLLAMAS, NEW, CHANGES)
    before = folders.tree(library.own)
    with fails(kind):
        library.derive(OLLAMAS, NEW, changes)
    assert folders.tree(library.own) == before
    assert library.get(NEW).system == "Long-winded."


def test_a_manifest_that_nobody_could_read_is_not_written(library: Library) -> None:
    with locked(library.own), fails("library.manifest_too_large"):
        write_model(library.own, NEW, {}, lambda _: b" " * (LIMIT + 1))
    assert not folders.tree(library.own)


def test_the_longest_text_can_be_read(library: Library) -> None:
    library.derive(OLLAMAS, NEW, Changes(system="s" * LIMIT))
    assert library.get(NEW).system == "s" * LIMIT
