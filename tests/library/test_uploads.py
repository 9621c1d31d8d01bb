"""Blobs that clients send, and what becomes of those that no model uses."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections import namedtuple
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.names import ModelName
from llmstack_tui.library.library import Library
from llmstack_tui.library.storage import GRACE_S, sweep
from llmstack_tui.library.uploads import Upload
from tests.support import folders
from tests.support.failures import fails

if TYPE_CHECKING:
    from pathlib import Path

CONTENT = b"content " * 1_000_000
DIGEST = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


def sent(models: Path, content: bytes = CONTENT) -> Path:
    upload = Upload(models, f"sha256:{hashlib.sha256(content).hexdigest()}")
    upload.begin(len(content))
    upload.write(content)
    upload.finish()
    upload.discard()
    found = Library(models).find_blob(f"sha256:{hashlib.sha256(content).hexdigest()}")
    assert found is not None
    return found


def later_s() -> float:
    """A time when nothing that was made here is young any more."""
    return time.time() + GRACE_S + 60


def test_what_is_whole_has_its_name_and_is_believed(tmp_path: Path) -> None:
    blob = sent(tmp_path)
    assert blob.read_bytes() == CONTENT
    blob.write_bytes(CONTENT[:-1])
    assert Library(tmp_path).find_blob(DIGEST) is None


@pytest.mark.parametrize("announced", [len(CONTENT), 0])
def test_a_disk_without_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, announced: int) -> None:
    upload = Upload(tmp_path, DIGEST)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, 65 * 2**20))
    with fails("library.no_room_to_send", free=65 * 2**20):
        upload.begin(announced)
        upload.write(CONTENT)
    upload.discard()
    assert folders.tree(tmp_path) == {}


def test_another_content(tmp_path: Path) -> None:
    upload = Upload(tmp_path, DIGEST)
    upload.begin(0)
    upload.write(b"other")
    with fails("library.digest_mismatch", expected=DIGEST):
        upload.finish()
    upload.discard()
    assert folders.tree(tmp_path) == {}


def test_what_no_model_uses_goes_after_an_hour(tmp_path: Path, tiny_model: Path) -> None:
    weights = Library(tmp_path).import_gguf(tiny_model, ModelName.parse("tiny")).weights
    blob = sent(tmp_path)
    sweep(tmp_path)
    assert blob.exists()
    sweep(tmp_path, now_s=later_s())
    assert not blob.exists()
    assert weights.exists()


def test_what_is_asked_for_stays_another_hour(tmp_path: Path) -> None:
    blob = sent(tmp_path)
    before = blob.stat()
    assert Library(tmp_path).find_blob(DIGEST) == blob
    after = blob.stat()
    assert after.st_ctime_ns > before.st_ctime_ns
    assert after.st_mtime_ns == before.st_mtime_ns


def test_what_waits_for_another_file_of_its_model_stays(tmp_path: Path) -> None:
    blob = sent(tmp_path)
    other = Upload(tmp_path, f"sha256:{'0' * 64}")
    other.begin(0)
    (unfinished,) = (path for path in blob.parent.iterdir() if path != blob)
    os.utime(unfinished, (later_s(), later_s()))
    sweep(tmp_path, now_s=later_s())
    assert blob.exists()
    other.discard()
    sweep(tmp_path, now_s=later_s())
    assert not blob.exists()


def test_what_a_killed_engine_had_not_finished_goes(tmp_path: Path) -> None:
    blobs = sent(tmp_path).parent
    old_s = time.time() - GRACE_S - 60
    left = blobs / f".unfinished-{int(old_s)}-0123456789abcdef"
    left.write_bytes(b"half")
    os.utime(left, (old_s, old_s))
    sweep(tmp_path)
    assert not left.exists()


def test_nothing_goes_while_a_manifest_cannot_be_read(tmp_path: Path) -> None:
    blob = sent(tmp_path)
    folders.write(tmp_path, "registry.ollama.ai/library/broken/latest", b"{")
    sweep(tmp_path, now_s=later_s())
    assert blob.exists()


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    sweep(tmp_path / "none")
    assert not (tmp_path / "none").exists()
