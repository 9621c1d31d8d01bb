"""A text file: each thing that is wrong with one is a sentence, and it stays as it was."""

from __future__ import annotations

import os
import stat
import sys
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.secret import Secret
from llmstack_tui.base.text_files import MOST_BYTES, NotWritten, read, target_of, write
from llmstack_tui.core.wording import words

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="modes, owners and links of POSIX")

NEW = Secret("new\n")


def _everything(folder: Path) -> dict[str, object]:
    """What is in a folder: of each name the text of a file, or its mode."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else path.lstat().st_mode
        for path in folder.rglob("*")
    }


def test_a_new_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "a" / "b" / "settings.json"
    assert read(file) is None
    written = write(file, NEW, None)
    assert (written.file, written.backup) == (file, None)
    assert file.read_text() == NEW.text
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [*_everything(tmp_path)] == ["a", "a/b", "a/b/settings.json"]


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o664])
def test_a_file_keeps_its_mode_and_is_copied_before(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "settings.json"
    file.write_bytes(b"old\r\n")
    file.chmod(mode)
    written = write(file, NEW, Secret("old\r\n"))
    assert file.read_text() == NEW.text
    assert written.backup is not None
    assert written.backup.parent == tmp_path
    assert written.backup.read_bytes() == b"old\r\n"
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (file, written.backup)}
    assert modes == {mode}
    again = write(file, Secret("newer"), NEW)
    assert again.backup not in (None, written.backup)
    assert written.backup.read_bytes() == b"old\r\n"
    assert len([*tmp_path.iterdir()]) == 3


def test_a_link_is_followed_and_stays_one(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    real, link = tmp_path / "dotfiles" / "zed.json", tmp_path / "settings.json"
    real.write_text("old")
    link.symlink_to("dotfiles/zed.json")
    assert target_of(link) == real
    write(target_of(link), NEW, Secret("old"))
    assert link.is_symlink()
    assert real.read_text() == NEW.text


def _dead_link(file: Path) -> None:
    file.symlink_to("nowhere")


def _circle(file: Path) -> None:
    file.symlink_to(file.name)


def _folder(file: Path) -> None:
    file.mkdir()


def _pipe(file: Path) -> None:
    os.mkfifo(file)


def _large(file: Path) -> None:
    with file.open("wb") as opened:
        opened.truncate(MOST_BYTES + 1)


def _latin(file: Path) -> None:
    file.write_bytes("ñ".encode("latin-1"))


def _others(file: Path) -> None:
    file.write_text("{}")
    if os.geteuid() == 0:
        os.chown(file, 12345, 12345)
    else:
        pytest.skip("only root can give a file away")


def _read_only(file: Path) -> None:
    file.write_text("{}")
    file.chmod(0o444)


def _no_folder(file: Path) -> None:
    file.parent.rmdir()
    file.parent.write_text("a file where the folder should be")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_dead_link, "{file} is a link to nowhere, where nothing is. Make that file or remove the link."),
        (_circle, "{file} is a link to {name}, where nothing is. Make that file or remove the link."),
        (_folder, "{file} is no file that can be written: it is a folder or a device."),
        (_pipe, "{file} is no file that can be written: it is a folder or a device."),
        (_large, "{file} has more than 1 MB: no such file has that. Look what it is."),
        (_latin, "{file} is not text in UTF-8: put that right first."),
        (_others, "{file} belongs to 12345: only that user may change it."),
        (_read_only, "{file} may not be written: its permissions forbid it."),
        (_no_folder, "{file} cannot be read: Not a directory."),
    ],
)
def test_what_cannot_be_written_is_said_and_stays(
    tmp_path: Path, make: Callable[[Path], None], said: str
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    file = folder / "settings.json"
    make(file)
    before = _everything(tmp_path)
    with pytest.raises(NotWritten) as caught:
        read(target_of(file))
    assert words(caught.value).replace("\N{NO-BREAK SPACE}", " ") == said.format(file=file, name=file.name)
    assert _everything(tmp_path) == before


def test_what_has_changed_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text("of somebody else")
    for before in (None, Secret("old")):
        with pytest.raises(NotWritten) as caught:
            write(file, NEW, before)
        assert caught.value.kind == "file.changed"
    assert _everything(tmp_path) == {"settings.json": b"of somebody else"}


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("old", [None, "old"])
def test_a_failure_at_any_step_leaves_all_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, old: str | None
) -> None:
    file = tmp_path / "folder" / "settings.json"
    if old is not None:
        file.parent.mkdir()
        file.write_text(old)
    before = _everything(tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, step, full)
    with pytest.raises(NotWritten) as caught:
        write(file, Secret("a key of mine"), None if old is None else Secret(old))
    assert caught.value.params["why"] == "No space left on device"
    assert "a key of mine" not in repr(caught.value)
    assert _everything(tmp_path) == before
