"""The options that every command has, and what a command is handed when it runs."""

from __future__ import annotations

from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from llmstack_tui import __version__
from llmstack_tui.base.text import clean
from llmstack_tui.config import ENGINE_CHOICES, HostSettings, Settings, parse_duration

if TYPE_CHECKING:
    from argparse import _SubParsersAction
    from datetime import timedelta

    from llmstack_tui.config.loading import LoadedSettings


class Parser(ArgumentParser):
    """argparse's, but it guesses at no shortened options and sends no control characters to the terminal."""

    def __init__(self, **options: object) -> None:
        super().__init__(**{"allow_abbrev": False, **options})  # type: ignore[arg-type]

    def error(self, message: str) -> NoReturn:
        super().error(clean(message))


if TYPE_CHECKING:
    Commands = _SubParsersAction[Parser]


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call of one command. ``settings`` are those of ``loaded`` with what the options say instead."""

    options: Namespace
    settings: Settings
    environ: Mapping[str, str]
    loaded: LoadedSettings

    @property
    def json(self) -> bool:
        return bool(self.options.json)


Run = Callable[[Invocation], int]


def add_command(commands: Commands, name: str, run: Run, purpose: str) -> Parser:
    """A command with the options that all have. Its own options are added to what this returns."""
    parser = commands.add_parser(name, help=purpose, description=purpose)
    parser.set_defaults(run=run)
    parser.add_argument("--json", action="store_true", help="write one JSON document")
    add_global_options(parser, depth=1)
    return parser


def add_global_options(parser: Parser, *, depth: int) -> None:
    """The options that may stand before or after a command's name.

    A parser of a command writes its defaults over what stood before the name, so these have none, and the
    hosts of each ``depth`` have a place of their own.
    """
    group = parser.add_argument_group("options of every command")
    if depth < 2:  # Deeper, --host is an address to listen at.
        group.add_argument(
            "--host",
            dest=f"hosts_{depth}",
            metavar="URL",
            action="append",
            type=_host,
            default=SUPPRESS,
            help="a server to use; may be given more than once (default: OLLAMA_HOST)",
        )
    group.add_argument(
        "--engine",
        dest="engine_choice",
        choices=ENGINE_CHOICES,
        default=SUPPRESS,
        help="which server to look for",
    )
    group.add_argument(
        "--config", metavar="FILE", type=_existing_file, default=SUPPRESS, help="the settings to read"
    )
    group.add_argument("--read-only", action="store_true", default=SUPPRESS, help="change nothing anywhere")
    group.add_argument(
        "--version", action="version", version=f"llmstack {__version__}", help="write the version and end"
    )


def hosts(options: Namespace) -> tuple[str, ...]:
    """The hosts of the command line, in their order."""
    return tuple(dict.fromkeys((*getattr(options, "hosts_0", ()), *getattr(options, "hosts_1", ()))))


def with_options(settings: Settings, options: Namespace) -> Settings:
    """The settings with what the command line says instead."""
    from llmstack_tui.config.table import with_values

    return with_values(settings, {name: value for name, (_, value) in given(settings, options).items()})


def given(settings: Settings, options: Namespace) -> dict[str, tuple[str, object]]:
    """What the command line says: the option and the value, by the names of the settings."""
    found: dict[str, tuple[str, object]] = {}
    if named := hosts(options):
        found["hosts"] = ("--host", tuple(_as_settings(url, settings) for url in named))
    if choice := getattr(options, "engine_choice", None):
        found["engine.choice"] = ("--engine", choice)
    if getattr(options, "read_only", False):
        found["read_only"] = ("--read-only", True)
    return found


def _as_settings(url: str, settings: Settings) -> HostSettings:
    """A host that was named for this once may be acted on, unless the settings expressly forbid it."""
    known = next((host for host in settings.hosts if host.url == url), HostSettings(url=url))
    return replace(known, allow=known.allow or "act")


def duration(text: str) -> timedelta:
    """The type of an option that is a length of time."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


def count(text: str) -> int:
    """The type of an option that is a number above zero."""
    if text.isascii() and text.isdigit() and 0 < len(text) < 12 and int(text):
        return int(text)
    raise ArgumentTypeError(f"{text!r} is not a whole number above 0.")


def port(text: str) -> int:
    """The type of an option that is a TCP port; 0 is "any free one"."""
    if text.isascii() and text.isdigit() and len(text) < 6 and int(text) < 65536:
        return int(text)
    raise ArgumentTypeError(f"{text!r} is not a port: ports are numbers from 1 to 65535.")


def _host(text: str) -> str:
    from llmstack_tui.base.address import InvalidAddress, parse_host

    try:
        return parse_host(text)
    except InvalidAddress as error:
        raise ArgumentTypeError(str(error)) from None


def _existing_file(text: str) -> Path:
    path = Path(text)
    try:
        if path.exists() and not path.is_dir():
            return path
    except (OSError, ValueError):  # A name that is too long, or has a NUL in it.
        pass
    raise ArgumentTypeError(f"there is no file {text!r}.")
