"""Settings: what is right applies, what is wrong is named with its place."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.config import EngineSettings, Settings, UiSettings, load_settings, parse_duration

if TYPE_CHECKING:
    from pathlib import Path

WHOLE = """\
hosts = ["127.0.0.1:11434", "http://gpu-box:11434"]
read_only = true

[engine]
choice = "builtin"
port = 11500
keep = true
keep_alive = "1h30m"   # a comment
max_loaded = 2
context_length = 8192

[ui]
theme = "light"
ascii = true

[ui.keys]
quit = "ctrl+q"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def load(
    file: Path, content: str | bytes, environ: dict[str, str] | None = None
) -> tuple[Settings, tuple[str, ...]]:
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return load_settings(file, environ or {})


def test_every_setting_of_the_file_applies(file: Path) -> None:
    settings, problems = load(file, WHOLE)
    assert problems == ()
    assert settings == Settings(
        hosts=("127.0.0.1:11434", "http://gpu-box:11434"),
        read_only=True,
        engine=EngineSettings(
            choice="builtin",
            port=11500,
            keep=True,
            keep_alive=timedelta(hours=1, minutes=30),
            max_loaded=2,
            context_length=8192,
        ),
        ui=UiSettings(theme="light", ascii=True, keys={"quit": "ctrl+q"}),
    )


def test_the_environment_overrides_the_file_in_every_setting(file: Path) -> None:
    settings, problems = load(
        file,
        WHOLE,
        {
            "LLMSTACK_HOSTS": "box-a, box-b",
            "LLMSTACK_READ_ONLY": "no",
            "LLMSTACK_ENGINE_CHOICE": "ollama",
            "LLMSTACK_ENGINE_PORT": "8080",
            "LLMSTACK_ENGINE_KEEP": "0",
            "LLMSTACK_ENGINE_KEEP_ALIVE": "90s",
            "LLMSTACK_ENGINE_MAX_LOADED": "1",
            "LLMSTACK_ENGINE_CONTEXT_LENGTH": "2048",
            "LLMSTACK_UI_THEME": "dark",
            "LLMSTACK_UI_ASCII": "false",
            "LLMSTACK_UI_KEYS": "quit=q help=f1",
        },
    )
    assert problems == ()
    assert settings == Settings(
        hosts=("box-a", "box-b"),
        read_only=False,
        engine=EngineSettings(
            choice="ollama",
            port=8080,
            keep=False,
            keep_alive=timedelta(seconds=90),
            max_loaded=1,
            context_length=2048,
        ),
        ui=UiSettings(theme="dark", ascii=False, keys={"quit": "q", "help": "f1"}),
    )


def test_an_empty_variable_is_not_set(file: Path) -> None:
    settings, problems = load(file, "[engine]\nport = 8080", {"LLMSTACK_ENGINE_PORT": ""})
    assert (settings.engine.port, problems) == (8080, ())


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            "\n[engine]\nport = 0",
            "config.toml line 3: engine.port must be a whole number from 1 to 65535, not 0.",
        ),
        (
            "[engine]\nport = true",
            "config.toml line 2: engine.port must be a whole number from 1 to 65535, not True.",
        ),
        (
            'engine.port = "x"',
            "config.toml line 1: engine.port must be a whole number from 1 to 65535, not 'x'.",
        ),
        (
            "[engine]\nkeep = false\nchoice = 'vllm'",
            "config.toml line 3: engine.choice must be one of auto, ollama, builtin, not 'vllm'.",
        ),
        ("read_only = 'perhaps'", "config.toml line 1: read_only must be true or false, not 'perhaps'."),
        (
            "hosts = [1]",
            'config.toml line 1: hosts must be a list of texts such as ["127.0.0.1:11434"], not [1].',
        ),
        (
            "[engine]\n'keep_alive' = 'soon'",
            'config.toml line 2: engine.keep_alive must be a length of time such as "90s", "10m" or "1h30m" '
            "(negative: for ever), not 'soon'.",
        ),
        (
            "[engine]\nprot = 1",
            "config.toml line 2: engine.prot is not a setting. Known here: choice, port, keep, keep_alive, "
            "max_loaded, context_length.",
        ),
        (
            "[engin]\nport = 1",
            "config.toml line 1: engin is not a setting. Known here: hosts, read_only, [engine], [ui].",
        ),
        ("engine = 5", "config.toml line 1: engine must be a section [engine]."),
        (
            "\nengine = {port = 0}",
            "config.toml line 2: engine.port must be a whole number from 1 to 65535, not 0.",
        ),
        (
            "[ui]\n[ui.keys]\nquit = 3",
            'config.toml line 2: ui.keys must be pairs of a binding and its key such as quit = "ctrl+q", '
            "not {'quit': 3}.",
        ),
        (
            '"\\u001b[31m[/red]" = 1',
            "config.toml line 1: '\\x1b[31m[/red]' is not a setting. "
            "Known here: hosts, read_only, [engine], [ui].",
        ),
    ],
)
def test_a_wrong_setting_is_named_with_its_line(file: Path, content: str, sentence: str) -> None:
    settings, problems = load(file, content)
    assert problems == (sentence,)
    assert settings == Settings()


def test_what_is_right_applies_beside_what_is_wrong(file: Path) -> None:
    settings, problems = load(file, "[engine]\nport = 'x'\nmax_loaded = 3\nfoo = 1\n[ui]\nascii = true")
    assert (settings.engine.port, settings.engine.max_loaded, settings.ui.ascii) == (None, 3, True)
    assert [problem.split(":")[0] for problem in problems] == ["config.toml line 2", "config.toml line 4"]


def test_a_wrong_variable_is_named_and_the_file_applies(file: Path) -> None:
    settings, problems = load(file, "[engine]\nport = 8080", {"LLMSTACK_ENGINE_PORT": "99999"})
    assert problems == ("LLMSTACK_ENGINE_PORT must be a whole number from 1 to 65535, not '99999'.",)
    assert settings.engine.port == 8080


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xfe[engine]", "not UTF-8"),
        ("[engine\nport = 1", "not valid TOML"),
        ("a = " + "[" * 100_000, "not valid TOML"),
        ("a = " + "9" * 10_000, "not valid TOML"),
        (b"#" * 10_000_000, "more than 1 MB"),
        (b"\0" * 100, "not valid TOML"),
    ],
)
def test_a_file_that_is_no_settings_is_one_sentence(file: Path, content: str | bytes, words: str) -> None:
    settings, problems = load(file, content)
    assert settings == Settings()
    (problem,) = problems
    assert words in problem
    assert "\n" not in problem


def test_a_folder_and_a_missing_file_that_was_named_are_problems(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.toml"):
        settings, problems = load_settings(path, {})
        assert settings == Settings()
        assert len(problems) == 1
        assert str(path) in problems[0]


def test_the_platforms_own_file_need_not_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load_settings(None, {}) == (Settings(), ())


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("10m", 600),
        ("1h30m", 5400),
        ("500ms", 0.5),
        ("2d", 172800),
        ("7", 7),
        ("-1", -1),
        ("-5m", -300),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "soon", "5 m", "m", "1h-30m", "9" * 40, "9" * 40 + "h", "nan", "٣m"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="not a length of time"):
        parse_duration(text)
