"""``llmstack config``: the settings in force, and an example file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from llmstack_tui.base.languages import tr
from llmstack_tui.base.paths import config_file
from llmstack_tui.base.secret import Secret
from llmstack_tui.cli import output
from llmstack_tui.cli.options import overrides
from llmstack_tui.config.hosts import HostSettings
from llmstack_tui.config.loading import SettingOrigin, load_settings
from llmstack_tui.config.table import example, table, value_of
from llmstack_tui.core.wording import text

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from llmstack_tui.cli.parser import Parser
    from llmstack_tui.config.settings import Settings
    from llmstack_tui.core.open import Core

    Origins = Callable[[str], SettingOrigin]


def add_options(parser: Parser) -> None:
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument(
        "--example", action="store_true", help=tr("write a settings file with every setting explained")
    )
    instead.add_argument(
        "--path", action="store_true", help=tr("write where the settings file is, or would be")
    )


def run(core: Core, options: Namespace) -> int:
    if options.example:
        shown = example()
        return output.answer(
            options, {"example": shown.rstrip("\n")}, lambda: output.write_text(shown, end="")
        )
    file = (core.config or config_file()).absolute()
    if options.path:
        return output.answer(options, {"file": file}, lambda: output.write(str(file)))
    loaded = load_settings(core.config, core.environ)
    overridden = overrides(loaded.settings, options)

    def origin(name: str) -> SettingOrigin:
        return SettingOrigin("option", overridden[name][0]) if name in overridden else loaded.origin(name)

    found = document(file, core.settings, origin, [*map(text, loaded.problems)])
    output.answer(options, found, lambda: _write_settings(file, core.settings, origin))
    return 1 if loaded.problems else 0


def document(file: Path, settings: Settings, origin: Origins, problems: Sequence[str]) -> dict[str, object]:
    return {
        "file": file,
        "exists": file.exists(),
        "settings": {
            setting.name: {
                "value": _plain_data(value_of(settings, setting.name)),
                "default": _plain_data(setting.default),
                "source": origin(setting.name)._asdict(),
            }
            for setting in table()
        },
        "problems": problems,
    }


def _write_settings(file: Path, settings: Settings, origin: Origins) -> None:
    absent = tr("{file} does not exist; `llmstack config --example` prints one to begin with", file=file)
    output.write(str(file) if file.exists() else absent)
    output.write_table(
        (tr("SETTING"), tr("VALUE"), tr("FROM")),
        [
            (name := setting.name, setting.kind.write(value_of(settings, name)), _source(origin(name)))
            for setting in table()
        ],
    )


def _source(origin: SettingOrigin) -> str:
    if origin.kind == "file":
        return tr("{file} line {line}", file=origin.name, line=str(origin.line))
    return origin.name or tr("default")


def _plain_data(value: object) -> object:
    """A setting's value in types that JSON has."""
    if isinstance(value, HostSettings):
        return {**asdict(value), "may_act": value.may_act}
    if isinstance(value, Secret):
        return str(value)
    if isinstance(value, tuple):
        return [_plain_data(each) for each in value]
    return dict(value) if isinstance(value, Mapping) else value
