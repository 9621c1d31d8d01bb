"""``llmstack config``: the settings in force, and a file to begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.text import clean
from llmstack_tui.cli import output
from llmstack_tui.cli.options import add_command, given

if TYPE_CHECKING:
    from pathlib import Path

    from llmstack_tui.cli.options import Commands, Invocation
    from llmstack_tui.config.loading import SettingOrigin


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands, "config", run, "Show the settings, and where each comes from. Fails when one is wrong."
    )
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument(
        "--example", action="store_true", help="write a settings file with every setting explained"
    )
    instead.add_argument("--path", action="store_true", help="write where the settings file is, or would be")


def run(call: Invocation) -> int:
    if call.options.example:
        from llmstack_tui.config.table import example

        _write(call, "example", example())
        return 0
    file = _file(call)
    if call.options.path:
        _write(call, "file", f"{file}\n")
        return 0
    if call.json:
        output.write_document(_document(call, file))
    else:
        _write_settings(call, file)
    return 1 if call.loaded.problems else 0


def _file(call: Invocation) -> Path:
    from llmstack_tui.base.paths import config_file

    named: Path | None = getattr(call.options, "config", None)
    return (named or config_file()).absolute()


def _write(call: Invocation, key: str, text: str) -> None:
    if call.json:
        output.write_document({key: text.removesuffix("\n")})
    else:
        output.write(text, end="")


def _document(call: Invocation, file: Path) -> dict[str, object]:
    from llmstack_tui.config.table import table, value_of

    return {
        "file": str(file),
        "exists": file.exists(),
        "settings": {
            setting.name: {
                "value": _plain_data(value_of(call.settings, setting.name)),
                "default": _plain_data(setting.default),
                "source": _origin(call, setting.name)._asdict(),
            }
            for setting in table()
        },
        "problems": list(call.loaded.problems),
    }


def _write_settings(call: Invocation, file: Path) -> None:
    from llmstack_tui.config.table import table, value_of

    there = "" if file.exists() else " is not there; `llmstack config --example` writes one to begin with"
    output.write(clean(f"{file}{there}"))
    output.write_table(
        ("SETTING", "VALUE", "FROM"),
        [
            (
                setting.name,
                setting.kind.write(value_of(call.settings, setting.name)),
                _told(_origin(call, setting.name)),
            )
            for setting in table()
        ],
    )


def _origin(call: Invocation, name: str) -> SettingOrigin:
    if option := given(call.loaded.settings, call.options).get(name):
        from llmstack_tui.config.loading import SettingOrigin

        return SettingOrigin("option", option[0])
    return call.loaded.origin(name)


def _told(origin: SettingOrigin) -> str:
    if origin.kind == "file":
        return f"{origin.name} line {origin.line}"
    return origin.name or origin.kind


def _plain_data(value: object) -> object:
    """A value as JSON has it: seconds for a length of time."""
    from collections.abc import Mapping
    from dataclasses import asdict
    from datetime import timedelta

    from llmstack_tui.config import HostSettings

    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, HostSettings):
        return {**asdict(value), "may_act": value.may_act}
    if isinstance(value, tuple):
        return [_plain_data(each) for each in value]
    return dict(value) if isinstance(value, Mapping) else value
