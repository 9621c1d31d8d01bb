"""The language of the commands: where it is chosen, and what stays English."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from llmstack_tui.__main__ import main
from llmstack_tui.base import languages
from llmstack_tui.base.languages import filled
from llmstack_tui.cli import parser
from llmstack_tui.cli.main import build_parser

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    yield tmp_path
    languages.use("en")


@pytest.mark.parametrize(
    ("line", "variable", "setting", "code"),
    [
        ("--help", "", "", "en"),
        ("--help", "es", "", "es"),
        ("--help", "", "es", "es"),
        ("--help", "en", "es", "en"),
        ("ls --wrong", "", "es", "es"),
        ("config --path", "", "es", "es"),
        ("config --path --json", "", "es", "en"),
        ("config --path --json", "es", "", "en"),
    ],
)
def test_help_and_commands_have_the_language_of_the_settings_and_scripts_have_english(
    home: Path, line: str, variable: str, setting: str, code: str
) -> None:
    if setting:
        (home / "llmstack").mkdir()
        (home / "llmstack" / "config.toml").write_text(f'ui.language = "{setting}"')
    main(line.split(), {"LLMSTACK_UI_LANGUAGE": variable} if variable else {})
    assert languages.current().code == code


@pytest.mark.parametrize("line", ["--help", "config --path"])
def test_without_a_setting_the_locale_decides(line: str) -> None:
    main(line.split(), {"LANG": "es_ES.UTF-8"})
    assert languages.current().code == "es"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("nonsense", "<argument COMMAND: <invalid choice: 'nonsense' (choose from 'ls', "),
        ("ls extra", "<unrecognized arguments: extra>"),
        ("show", "<the following arguments are required: NAME>"),
        ("stop", "<one of the arguments NAME --all is required>"),
        ("stop a --all", "<argument --all: <not allowed with argument NAME>>"),
        ("start a --ctx", "<argument --ctx: <expected one argument>>"),
        ("ls --json=1", "<argument --json: <ignored explicit argument '1'>>"),
    ],
)
def test_the_errors_of_argparse_are_known(
    line: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = build_parser()
    monkeypatch.setattr(parser, "tr", lambda text, /, **values: filled(f"<{text}>", values))
    with pytest.raises(SystemExit):
        made.parse_args(line.split())
    assert said in capsys.readouterr().err
