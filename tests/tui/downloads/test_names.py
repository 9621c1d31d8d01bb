"""From what the user typed to a file and a name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from llmstack_tui.tui.dialogs import check_name
from llmstack_tui.tui.downloads.add import NotImportable, check_file, completion, typed_path


@pytest.mark.parametrize(
    ("typed", "path"),
    [
        (" /a/b.gguf ", "/a/b.gguf"),
        ("'/a/my model.gguf'", "/a/my model.gguf"),
        ('"/a/b.gguf"', "/a/b.gguf"),
        ("/a/my\\ model\\(1\\).gguf", "/a/my model(1).gguf"),
        ("~nobody-of-this-name/x", "~nobody-of-this-name/x"),
    ],
)
def test_paths_as_they_are_typed_and_dropped(typed: str, path: str) -> None:
    assert typed_path(typed) == Path(path)


def test_home_and_backslashes_in_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert typed_path("~/x.gguf") == tmp_path / "x.gguf"
    odd = tmp_path / "a\\b.gguf"
    odd.touch()
    assert typed_path(str(odd)) == odd


def test_a_wrong_name_is_explained() -> None:
    problem = check_name("bad name!")
    assert problem is not None
    assert "cannot be the name of a model" in problem


def test_a_file_is_read_and_described(tiny_model: Path) -> None:
    checked = check_file(f" '{tiny_model}' ")
    assert (checked.path, checked.name) == (tiny_model, "tiny-scripted:f16")
    assert "llama" in checked.summary
    assert "kB" in checked.summary


def test_what_is_no_gguf_file_is_a_sentence(tmp_path: Path, tiny_model: Path) -> None:
    text, empty, cut = tmp_path / "notes.gguf", tmp_path / "empty.gguf", tmp_path / "cut.gguf"
    text.write_text("not a model")
    empty.touch()
    cut.write_bytes(tiny_model.read_bytes()[:5000])
    for wrong in (text, empty, cut, tmp_path, tmp_path / "missing.gguf", Path("/dev/null")):
        with pytest.raises(NotImportable) as caught:
            check_file(str(wrong))
        assert str(caught.value).endswith(".")
    for unheard_of in ("\0", "x" * 5000):
        with pytest.raises(NotImportable):
            check_file(unheard_of)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path, tiny_model: Path) -> None:
    locked = tmp_path / "locked.gguf"
    locked.write_bytes(tiny_model.read_bytes())
    locked.chmod(0)
    with pytest.raises(NotImportable):
        check_file(str(locked))


def test_completion(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "a.GGUF").touch()
    (tmp_path / "models" / "a.txt").touch()
    (tmp_path / "models" / ".hidden.gguf").touch()
    base = str(tmp_path)
    assert completion(f"{base}/mo") == f"{base}/models/"
    assert completion(f"{base}/models/") == f"{base}/models/a.GGUF"
    assert completion(f"{base}/models/.h") == f"{base}/models/.hidden.gguf"
    assert completion(f"{base}/nothing/here") is None
    assert completion(f"{base}/models/b") is None
    assert completion("") is None
