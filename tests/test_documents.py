"""What README and CONTRIBUTING name is there: files, modules, commands, settings."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from llmstack_tui.cli.main import build_parser
from llmstack_tui.config.table import table
from llmstack_tui.tui.features import OPENING
from tests.config.files import load

ROOT = Path(__file__).parent.parent
README, CONTRIBUTING = (
    (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "CONTRIBUTING.md")
)


@pytest.mark.parametrize("text", [README, CONTRIBUTING], ids=["README", "CONTRIBUTING"])
def test_files_and_modules_are_there(text: str) -> None:
    paths = {
        *re.findall(r"(?:\w+/)+\w+\.(?:py|toml|tcss|svg)\b", text),
        *re.findall(r"`((?:\w+/)+)`", text),
    }
    named = {path for path in paths if "NAME" not in path}
    assert {
        path for path in named if not any((base / path).exists() for base in (ROOT, ROOT / "llmstack_tui"))
    } == set()
    modules = [
        *re.findall(r"python -m (tests[\w.]*|llmstack_tui[\w.]*)", text),
        *(name.rpartition(".")[0] for name in re.findall(r"`(llmstack_tui\.[\w.]+)`", text)),
    ]
    assert [name for name in modules if importlib.util.find_spec(name) is None] == []


def test_the_readme_has_every_command_and_no_other() -> None:
    rows = re.findall(r"^\| (`llmstack .*?) \|", README.replace("\\|", "/"), flags=re.MULTILINE)
    named = {word for row in rows for word in re.findall(r"`(?:llmstack )?([a-z]+)", row)}
    help_text = build_parser().format_help()
    commands = set(re.findall(r"^    ([a-z]+) ", help_text, flags=re.MULTILINE))
    assert commands <= named


def test_the_readme_has_every_key_that_opens_a_screen() -> None:
    named = {
        key for row in re.findall(r"^\| `.*", README, flags=re.MULTILINE) for key in re.findall(r"`(.)`", row)
    }
    assert {binding.key for binding in OPENING} <= named


def test_the_settings_of_the_readme_are_settings(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", README, flags=re.DOTALL)
    assert load(tmp_path, example).problems == ()
    named = {".".join(found) for found in re.findall(r"`\[(\w+)\] (\w+)", README)}
    assert named <= {setting.name for setting in table()}
