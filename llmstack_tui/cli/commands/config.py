"""``llmstack config``: the settings in force, one of them shown or changed, and an example file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from llmstack_tui.base.languages import tr
from llmstack_tui.base.paths import config_file
from llmstack_tui.base.secret import Secret
from llmstack_tui.base.sentences import Sentence
from llmstack_tui.cli import output
from llmstack_tui.cli.options import overrides
from llmstack_tui.cli.stacks import refuse_read_only
from llmstack_tui.config.editing import InvalidSetting, change, toml_of
from llmstack_tui.config.hosts import HostSettings
from llmstack_tui.config.kinds import wrong
from llmstack_tui.config.lines import SettingOrigin
from llmstack_tui.config.loading import load_settings, load_theme
from llmstack_tui.config.settings import THEMES
from llmstack_tui.config.table import example, find_setting, table, value_of
from llmstack_tui.core.wording import text, words

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from llmstack_tui.cli.parser import Parser
    from llmstack_tui.config.settings import Settings
    from llmstack_tui.config.table import Setting
    from llmstack_tui.core.open import Core

    Origins = Callable[[str], SettingOrigin]


def add_options(parser: Parser) -> None:
    parser.add_argument(
        "action",
        nargs="?",
        choices=("get", "set", "unset"),
        help=tr("show one setting, write it into the file, or take it out of the file"),
    )
    parser.add_argument("name", metavar=tr("NAME"), nargs="?", help=tr("a setting, such as ui.theme"))
    parser.add_argument(
        "value", metavar=tr("VALUE"), nargs="?", help=tr("with set: as in the setting's variable, or in TOML")
    )
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
    setting = _setting(options)
    if setting is not None and options.action != "get":
        _change(core, options, setting, file)
    loaded = core.load_settings()
    overridden = overrides(loaded.settings, options)

    def origin(name: str) -> SettingOrigin:
        return SettingOrigin("option", overridden[name][0]) if name in overridden else loaded.origin(name)

    if setting is not None:
        settings = core.settings if options.action == "get" else loaded.settings
        one = {"file": file, "name": setting.name, **_described(setting, settings, origin)}
        value = setting.kind.write(value_of(settings, setting.name))
        if options.action == "get":
            return output.answer(options, one, lambda: output.write(_unquoted(value)))
        return output.answer(options, one, *_told(setting, value, origin(setting.name)))
    # What only `core.load_settings` finds has not been said at the start.
    started = load_settings(core.config, core.environ)
    for problem in loaded.problems:
        if problem not in started.problems:
            output.say(text(problem))
    found = document(file, core.settings, origin, [*map(text, loaded.problems)])
    output.answer(options, found, lambda: _write_settings(file, core.settings, origin))
    return 1 if loaded.problems else 0


def document(file: Path, settings: Settings, origin: Origins, problems: Sequence[str]) -> dict[str, object]:
    return {
        "file": file,
        "exists": file.exists(),
        "settings": {setting.name: _described(setting, settings, origin) for setting in table()},
        "problems": problems,
    }


def _described(setting: Setting, settings: Settings, origin: Origins) -> dict[str, object]:
    return {
        "value": _plain_data(value_of(settings, setting.name)),
        "default": _plain_data(setting.default),
        "source": origin(setting.name)._asdict(),
        "live": setting.is_live,
    }


def _setting(options: Namespace) -> Setting | None:
    """The setting that is meant; None for all."""
    if options.action is None:
        return None
    if options.name is None or (options.value is None) == (options.action == "set"):
        raise output.WrongUsage(
            tr("It is `config get NAME`, `config set NAME VALUE` or `config unset NAME`.")
        )
    if (found := find_setting(options.name)) is None:
        raise output.WrongUsage(
            tr("There is no setting {name}; `llmstack config` lists them.", name=repr(options.name))
        )
    return found


def _change(core: Core, options: Namespace, setting: Setting, file: Path) -> None:
    read_only = core.load_settings().origin("read_only").kind
    if getattr(options, "read_only", False) or read_only == "environment":
        refuse_read_only(core)
    try:
        value = toml_of(setting, options.value) if options.action == "set" else None
    except InvalidSetting as error:
        raise output.WrongUsage(words(error)) from None
    if setting.name == "ui.theme" and value is not None:
        _check_theme(core, setting, _unquoted(value))
    change(file, {setting.place: value})


def _check_theme(core: Core, setting: Setting, name: str) -> None:
    if name in THEMES or (folder := core.themes_folder()) is None:
        return
    found = load_theme(folder, name)
    if found is None:
        fault = wrong(setting.kind.allowed, name)
        raise output.WrongUsage(text(Sentence(fault.kind, {"name": setting.name, **fault.params})))
    if found.theme is None:
        raise output.WrongUsage(text(*found.problems))


def _told(setting: Setting, value: str, origin: SettingOrigin) -> Iterator[str]:
    yield tr("{name} is {value} ({source}).", name=setting.name, value=value, source=_source(origin))
    if origin.kind in ("environment", "option"):
        yield tr("{source} has the last word: what the file says does not count.", source=origin.name)
    elif not setting.is_live:
        yield tr("That counts from the next start.")


def _unquoted(value: str) -> str:
    """A text without the quotation marks of TOML, as scripts want it."""
    return value[1:-1] if value.startswith('"') and "\\" not in value else value


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
