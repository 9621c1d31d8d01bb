"""Files that are no settings, or more than any settings would be: a sentence each."""

from __future__ import annotations

import errno
import os
import sys
import threading
from pathlib import Path

import pytest

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.config import loading
from llmstack_tui.config.loading import load_settings
from llmstack_tui.config.settings import LoadedSettings, Settings
from llmstack_tui.core.wording import text
from tests.config.files import load, place


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\xff\xfe[engine]", "not_text"),
        ("\n[engine\nport = 1", "not_toml"),
        ("[engine]\nport = 1\n[engine]\n", "not_toml"),
        ("a = " + "[" * 50_000, "too_deep"),
        ("a = " + "9" * 10_000, "too_deep"),
        (b"#" * 10_000_000, "too_large"),
        (b"\0" * 100, "not_toml"),
    ],
)
def test_a_file_that_is_no_settings_is_one_sentence(tmp_path: Path, content: str | bytes, kind: str) -> None:
    loaded = load(tmp_path, content)
    assert loaded.settings == Settings()
    assert loaded.broken
    (problem,) = loaded.problems
    assert problem.kind == f"settings.{kind}"
    assert problem.params["file"] == str(tmp_path / "config.toml")
    assert "\n" not in text(problem)


@pytest.mark.parametrize(
    "value", ["0x" + "f" * 20_000, "'" + "x" * 5000 + "'", "{" + "a." * 2_000 + "b = 1}", "[[[[[1]]]]]"]
)
@pytest.mark.parametrize("key", ["engine.port", "engine.port.a.a", "hosts", "ui.keys", "engine", "read_only"])
def test_values_without_end_are_one_sentence_each(tmp_path: Path, key: str, value: str) -> None:
    loaded = load(tmp_path, f"{key} = {value}")
    assert loaded.problems
    assert not loaded.broken
    assert all(len(text(problem)) < 500 for problem in loaded.problems)


def test_keys_nested_without_end_are_one_sentence(tmp_path: Path) -> None:
    for content in (f"engine{'.a' * 2_000} = 1", f"[{'a.' * 2_000}b]", f"[ui.keys{'.a' * 2_000}]\nb = 'x'"):
        (problem,) = load(tmp_path, content).problems
        assert problem.params["line"] == 1
        assert len(text(problem)) < 500


def test_a_flood_of_problems_is_cut(tmp_path: Path) -> None:
    problems = load(tmp_path, "\n".join(f"a{number} = 1" for number in range(3000))).problems
    assert len(problems) == 21
    assert place(problems[19]) == (20, "a19")
    assert problems[20] == Sentence("settings.more", {"count": 2980})


def test_what_editors_of_other_systems_add_is_no_problem(tmp_path: Path) -> None:
    loaded = load(tmp_path, b"\xef\xbb\xbf[engine]\r\nport = 1\r\n\r\nkeep = 1\r\n")
    assert loaded.settings.engine.port == 1
    (problem,) = loaded.problems
    assert place(problem) == (4, "engine.keep")


def test_a_folder_and_a_missing_file_that_was_named_are_problems(tmp_path: Path) -> None:
    for path, broken in ((tmp_path, True), (tmp_path / "none.toml", False), (tmp_path / ("a" * 300), None)):
        loaded = load_settings(path, {})
        assert loaded.settings == Settings()
        assert len(loaded.problems) == 1
        assert loaded.problems[0].params["file"] == str(path)
        assert broken is None or loaded.broken is broken


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are none")
def test_a_pipe_is_read_to_its_end_and_not_waited_for_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe = tmp_path / "config.toml"
    os.mkfifo(pipe)
    (problem,) = load_settings(pipe, {}).problems
    assert problem == Sentence("settings.no_output", {"file": str(pipe)})

    held = os.open(pipe, os.O_RDWR)
    try:
        os.write(held, b"[engine]\nport = 1\n")
        monkeypatch.setattr(loading, "_PIPE_WAIT_S", 0.1)
        loaded = load_settings(pipe, {})
    finally:
        os.close(held)
    assert loaded.broken
    assert loaded.problems[0].kind == "settings.endless"

    monkeypatch.setattr(loading, "_PIPE_WAIT_S", 60.0)
    reader, writer = os.pipe()

    def write() -> None:
        os.write(writer, b"[engine]\nport = 7\n")
        os.close(writer)

    late = threading.Timer(0.2, write)
    late.start()
    try:
        assert load_settings(Path(f"/dev/fd/{reader}"), {}).settings.engine.port == 7
    finally:
        late.join()
        os.close(reader)


def test_a_device_without_end_is_no_settings() -> None:
    zeros = Path("/dev/zero")
    if not zeros.is_char_device():
        pytest.skip("there is none")
    (problem,) = load_settings(zeros, {}).problems
    assert problem.params["most"] == loading.MAX_FILE_BYTES


def test_a_file_that_may_not_be_read_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config.toml"
    file.touch()

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(file))

    monkeypatch.setattr(type(file), "open", refuse)
    loaded = load_settings(file, {})
    assert loaded.broken
    about = {"file": str(file), "why": "Permission denied"}
    assert loaded.problems == (Sentence("settings.unreadable", about),)


@pytest.mark.skipif(sys.platform == "win32", reason="other places there")
def test_the_platforms_own_file_need_not_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load_settings(None, {}) == LoadedSettings(settings=Settings())


@pytest.mark.skipif(sys.platform == "win32", reason="other places there")
def test_a_link_to_nowhere_in_the_place_of_the_platforms_file_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    file = tmp_path / "llmstack" / "config.toml"
    file.parent.mkdir()
    file.symlink_to(tmp_path / "nowhere")
    (problem,) = load_settings(None, {}).problems
    assert problem == Sentence("settings.unreadable", {"file": str(file), "why": "No such file or directory"})
