"""One setting is changed in the file: two writers, and files that cannot be written."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base import text_files
from llmstack_tui.base.text_files import NotWritten
from llmstack_tui.config.editing import InvalidSetting, change, entry, toml_of
from llmstack_tui.config.loading import load_settings
from llmstack_tui.config.table import find_setting, table
from llmstack_tui.core.wording import words

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="modes and owners of POSIX")
THEME: dict[tuple[str, ...], str | None] = {("ui", "theme"): '"light"'}


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "folder" / "config.toml"
    path.parent.mkdir()
    return path


@pytest.mark.parametrize("name", [each.name for each in table() if not each.kind.is_secret])
def test_each_default_can_be_written_and_is_read_as_it_was(file: Path, name: str) -> None:
    setting = find_setting(name)
    assert setting is not None
    written = setting.kind.write(setting.default)
    text = written[1:-1] if written.startswith('"') else written
    change(file, {setting.place: toml_of(setting, text)})
    loaded = load_settings(file, {})
    assert loaded.problems == ()
    assert loaded.origin(setting.name).kind == "file"


def test_many_writers_lose_nothing(file: Path) -> None:
    names = [f"model-{number}:latest" for number in range(12)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda name: change(file, {("guard", "models", name): '"1h"'}), names))
    assert sorted(load_settings(file, {}).settings.guard.models) == sorted(names)


def test_an_editor_that_saves_at_that_moment_is_not_overwritten(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text("[ui]\n")
    write = text_files.write

    def late(*rest: object, **named: object) -> object:
        file.write_text("[guard]\n")
        return write(*rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(text_files, "write", late)
    with pytest.raises(NotWritten) as caught:
        change(file, THEME)
    assert caught.value.kind == "file.changed"
    assert file.read_text() == "[guard]\n"


def test_one_copy_a_day_is_left_with_what_was_first(file: Path) -> None:
    file.write_text("# mine\n")
    file.chmod(0o640)
    for theme in ("light", "dark"):
        change(file, {("ui", "theme"): f'"{theme}"'})
    (copy,) = (each for each in file.parent.iterdir() if each != file)
    assert copy.read_text() == "# mine\n"
    assert file.stat().st_mode & 0o777 == 0o640
    before = copy.stat().st_mtime_ns, file.stat().st_mtime_ns
    change(file, {("ui", "theme"): '"dark"'})
    assert (copy.stat().st_mtime_ns, file.stat().st_mtime_ns) == before


def _not_toml(file: Path) -> None:
    file.write_text("[ui\n")


def _large(file: Path) -> None:
    with file.open("wb") as opened:
        opened.truncate(10_000_000)


def _of_another(file: Path) -> None:
    file.write_text("")
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    os.chown(file, 12345, 12345)


def _read_only(file: Path) -> None:
    file.write_text("")
    file.chmod(0o444)


def _a_list(file: Path) -> None:
    file.write_text("ui = []\n")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_not_toml, "is not valid TOML: "),
        (_large, "has more than 100 kB"),
        (_of_another, "belongs to 12345"),
        (_read_only, "may not be written"),
        (_a_list, "is written in a way that llmstack could not keep"),
    ],
)
def test_a_file_that_cannot_be_changed_stays(file: Path, make: Callable[[Path], None], said: str) -> None:
    make(file)
    before = file.read_bytes()
    with pytest.raises(NotWritten) as caught:
        change(file, THEME)
    assert said in words(caught.value).replace("\N{NO-BREAK SPACE}", " ")
    assert file.read_bytes() == before
    assert [*file.parent.iterdir()] == [file]


def test_a_full_disk_leaves_all_as_it_was(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("# mine\n")

    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NotWritten) as caught:
        change(file, THEME)
    assert "No space left on device" in words(caught.value)
    assert file.read_text() == "# mine\n"
    assert [*file.parent.iterdir()] == [file]


@pytest.mark.parametrize(
    ("name", "text", "toml"),
    [
        ("ui.ascii", "on", "true"),
        ("engine.keep_alive", "90s", '"1m30s"'),
        ("guard.memory_budget", "6 gb", '"6GB"'),
        ("guard.max_loaded", "auto", '"auto"'),
        ("hosts", "127.0.0.1 gpu-box", '["http://127.0.0.1:11434", "http://gpu-box:11434"]'),
        ("hosts", '[{url = "gpu-box", allow = "act"}]', '[{ url = "http://gpu-box:11434", allow = "act" }]'),
        ("guard.models", "a:1=1h", '{ "a:1" = "1h" }'),
        ("ui.theme", '"light"', '"light"'),
        ("engine.api_key_file", r'"/a\\b"', r'"/a\U0000005cb"'),
        ("ui.theme", "Pink!", None),
        ("engine.port", "0", None),
        ("hosts", "[", None),
        ("hosts", '["ftp://x"]', None),
        ("engine.api_key", "x" * 20, None),
    ],
)
def test_what_is_typed_becomes_toml_or_a_sentence(name: str, text: str, toml: str | None) -> None:
    setting = find_setting(name)
    assert setting is not None
    if toml is not None:
        assert toml_of(setting, text) == toml
        return
    with pytest.raises(InvalidSetting) as caught:
        toml_of(setting, text)
    assert words(caught.value).startswith(name)
    assert "x" * 20 not in words(caught.value)


def test_a_part_that_is_wrong_is_named() -> None:
    setting = find_setting("hosts")
    assert setting is not None
    with pytest.raises(InvalidSetting) as caught:
        toml_of(setting, '[{url = "x", nam = "y"}]')
    assert words(caught.value).startswith("hosts.nam is not a setting.")


@pytest.mark.parametrize(
    ("keys", "place"),
    [
        ({}, ("ui", "keys", "app.quit")),
        ({"app": {"help": "h"}}, ("ui", "keys", "app", "quit")),
        ({"app.quit": "x"}, ("ui", "keys", "app.quit")),
        ({"app.help": "h"}, ("ui", "keys", "app.quit")),
    ],
)
def test_an_entry_is_written_as_the_others_are(keys: dict[str, object], place: tuple[str, ...]) -> None:
    assert entry({"ui": {"keys": keys}}, ("ui", "keys"), "app.quit") == place
