"""The engine's key: where it comes from, who may read it, and that nothing shows it."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.secret import Secret
from llmstack_tui.config.key import KeyFailed, engine_key, key_file, make_key, read_key
from llmstack_tui.config.loading import load_settings
from llmstack_tui.config.settings import EngineSettings
from llmstack_tui.config.table import table
from llmstack_tui.core.wording import text
from tests.config.files import load

if TYPE_CHECKING:
    from pathlib import Path

KEY = "sk-0123456789abcdef"
SECRETS = [setting for setting in table() if setting.kind.is_secret]


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    return tmp_path


def written(file: Path, content: str = KEY, mode: int = 0o600) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
    file.chmod(mode)
    return file


def refusal(file: Path) -> str:
    with pytest.raises(KeyFailed) as failed:
        read_key(file)
    assert failed.value.params["file"] == str(file)
    assert KEY not in str(failed.value)
    return failed.value.kind


def test_there_is_none_until_one_is_made(data: Path) -> None:
    assert engine_key(EngineSettings()) is None
    assert make_key(key_file(EngineSettings()))
    assert engine_key(EngineSettings()) == read_key(key_file(EngineSettings()))
    assert list(data.rglob("*.part")) == []


def test_the_variable_wins_over_the_file_that_is_named_and_that_over_the_usual_one(data: Path) -> None:
    named = written(data / "named.key", "n" * 20)
    make_key(key_file(EngineSettings()))
    assert engine_key(EngineSettings(api_key_file=str(named))) == Secret("n" * 20)
    both = EngineSettings(api_key_file=str(named), api_key=Secret("v" * 20))
    assert engine_key(both) == Secret("v" * 20)
    assert key_file(EngineSettings(api_key_file="~/x.key")) == data / "x.key"


@pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")
def test_a_key_is_made_for_its_owner_alone_and_never_replaced_unasked(data: Path) -> None:
    file = data / "deep" / "engine.key"
    before = os.umask(0)
    try:
        assert make_key(file)
    finally:
        os.umask(before)
    assert file.stat().st_mode & 0o777 == 0o600
    first = read_key(file)
    assert len(first.text) >= 43
    assert not make_key(file)
    assert read_key(file) == first
    file.with_name(f"{file.name}.{os.getpid()}.part").touch()
    assert make_key(file, replace=True)
    assert read_key(file) != first
    link = data / "link"
    link.symlink_to(data / "elsewhere")
    assert not make_key(link)
    assert not (data / "elsewhere").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666, 0o610, 0o700 | 0o001])
def test_a_key_that_others_can_read_is_refused(data: Path, mode: int) -> None:
    assert refusal(written(data / "k", mode=mode)) == "key.open_to_others"


@pytest.mark.parametrize(
    "content", ["", "\n", "short", "two words of sixteen", f"{KEY}\n{KEY}", "é" * 16, "x" * 5000]
)
def test_what_is_no_key_is_refused(data: Path, content: str) -> None:
    assert refusal(written(data / "k", content)) == "key.malformed"


def test_a_key_that_cannot_be_read_is_refused(data: Path) -> None:
    assert refusal(data / "none") == "key.missing"
    (data / "folder").mkdir(mode=0o700)
    assert refusal(data / "folder") in ("key.unreadable", "key.malformed")


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
def test_a_pipe_in_its_place_is_not_waited_for(data: Path) -> None:
    os.mkfifo(data / "pipe", 0o600)
    assert refusal(data / "pipe") == "key.malformed"


def test_a_key_that_cannot_be_written_is_refused(data: Path) -> None:
    written(data / "file")
    with pytest.raises(KeyFailed) as failed:
        make_key(data / "file" / "k")
    assert failed.value.kind == "key.not_written"


def test_there_is_a_secret_setting() -> None:
    assert [setting.name for setting in SECRETS] == ["engine.api_key"]


@pytest.mark.parametrize("setting", SECRETS, ids=lambda setting: setting.name)
def test_a_secret_is_shown_by_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, setting: object
) -> None:
    (name,) = [each for each in SECRETS if each is setting]
    loaded = load_settings(None, {name.variable: KEY})
    assert loaded.problems == ()
    assert loaded.settings.engine.api_key == Secret(KEY)
    assert loaded.origin(name.name).name == name.variable
    logging.getLogger("test").warning("%s %r", loaded, loaded.settings)
    key = loaded.settings.engine.api_key
    shown = [repr(loaded), str(loaded.settings), f"{key} {key!r}", caplog.text, name.kind.write(key)]
    try:
        raise ValueError(loaded.settings, key)
    except ValueError as error:
        shown += traceback.TracebackException.from_exception(error, capture_locals=True).format()
    assert not any(KEY in text for text in shown if "KEY = " not in text)


@pytest.mark.parametrize("setting", SECRETS, ids=lambda setting: setting.name)
@pytest.mark.parametrize("wrong", ["p4ssw0rd!", "two words, both of them secret"])
def test_a_wrong_secret_is_not_in_what_is_said_of_it(tmp_path: Path, setting: object, wrong: str) -> None:
    (name,) = [each for each in SECRETS if each is setting]
    for loaded in (
        load_settings(None, {name.variable: wrong}),
        load(tmp_path, f'[{name.section}]\n{name.key} = "{wrong}"\n'),
        load(tmp_path, f'[{name.section}]\n{name.key} = "{KEY}"\n'),
        load(tmp_path, f'[{name.section}]\n{name.key} = ["{KEY}"]\n'),
    ):
        (problem,) = loaded.problems
        assert "must be a key" in text(problem)
        assert wrong not in repr(problem)
        assert KEY not in repr(problem)
        assert loaded.settings.engine.api_key is None
