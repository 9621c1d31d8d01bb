"""The options of every command, the types of options, and how options override settings.

Imports inside functions keep ``--help`` fast, which does not need them.
"""

from __future__ import annotations

from argparse import SUPPRESS, ArgumentTypeError
from typing import TYPE_CHECKING, TypeVar

from llmstack_tui import __version__
from llmstack_tui.base.kinds import ENGINE_CHOICES
from llmstack_tui.base.languages import tr

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Coroutine
    from datetime import timedelta
    from pathlib import Path

    from llmstack_tui.cli.parser import Parser
    from llmstack_tui.config.hosts import HostSettings
    from llmstack_tui.config.settings import Settings
    from llmstack_tui.core.open import Core

    Run = Callable[[Core, Namespace], int | Coroutine[object, object, int]]

T = TypeVar("T")


class Subcommands:
    """Adds the subcommands of a command.

    Args:
        usual: what the command does without a subcommand; None is an error.
    """

    def __init__(self, parser: Parser, *, depth: int, usual: Run | None = None) -> None:
        add_global_options(parser, depth=depth)
        is_required = usual is None
        self._parsers = parser.add_subparsers(
            title=tr("commands"), metavar=tr("COMMAND"), required=is_required
        )
        self._depth = depth
        self._json: bool | str = False
        if usual is not None:
            add_json(parser)
            parser.set_defaults(run=usual)
            self._json = SUPPRESS  # Else a subcommand would forget what stands before it.

    def add(self, name: str, run: Run, purpose: str, *, json: bool = True) -> Parser:
        """Add a subcommand with the options that all have; returns its parser, for its own options."""
        parser = self._parsers.add_parser(name, help=purpose, description=purpose)
        parser.set_defaults(run=run)
        if json:
            add_json(parser, default=self._json)
        add_global_options(parser, depth=self._depth)
        return parser


def add_json(parser: Parser, *, default: bool | str = False) -> None:
    parser.add_argument("--json", action="store_true", default=default, help=tr("write one JSON document"))


def add_global_options(parser: Parser, *, depth: int) -> None:
    """Add the options that may be given before or after a command's name.

    The parser of a command would overwrite values given before the name with its defaults. So these options
    have no defaults, and the hosts given at each ``depth`` are kept apart.
    """
    group = parser.add_argument_group(tr("options of every command"))
    if depth < 2:  # Further down, --host is an address to listen at.
        group.add_argument(
            "--host",
            dest=f"hosts_{depth}",
            metavar="URL",
            action="append",
            type=_host,
            default=SUPPRESS,
            help=tr("a server to use; may be given more than once (default: OLLAMA_HOST)"),
        )
    group.add_argument(
        "--engine",
        dest="engine_choice",
        choices=ENGINE_CHOICES,
        default=SUPPRESS,
        help=tr("which server to look for"),
    )
    group.add_argument(
        "--config", metavar=tr("FILE"), type=_existing_file, default=SUPPRESS, help=tr("the settings to read")
    )
    group.add_argument(
        "--read-only", action="store_true", default=SUPPRESS, help=tr("change nothing anywhere")
    )
    group.add_argument(
        "--version",
        action="version",
        version=f"llmstack {__version__}",
        help=tr("write the version and exit"),
    )


# --- options instead of settings ---


def hosts(options: Namespace) -> tuple[str, ...]:
    """The hosts given on the command line, in order and without duplicates."""
    return tuple(dict.fromkeys((*getattr(options, "hosts_0", ()), *getattr(options, "hosts_1", ()))))


def with_options(settings: Settings, options: Namespace) -> Settings:
    """The settings, overridden by the command line."""
    from llmstack_tui.config.table import with_values

    return with_values(settings, {name: value for name, (_, value) in overrides(settings, options).items()})


def overrides(settings: Settings, options: Namespace) -> dict[str, tuple[str, object]]:
    """The settings that the command line overrides: by name the option and the value."""
    found: dict[str, tuple[str, object]] = {}
    if named := hosts(options):
        found["hosts"] = ("--host", tuple(_as_settings(url, settings) for url in named))
    if choice := getattr(options, "engine_choice", None):
        found["engine.choice"] = ("--engine", choice)
    if getattr(options, "read_only", False):
        found["read_only"] = ("--read-only", True)
    return found


def _as_settings(url: str, settings: Settings) -> HostSettings:
    """The settings of a host given by --host: it may be acted on, unless the settings expressly forbid it."""
    from dataclasses import replace

    from llmstack_tui.config.hosts import HostSettings

    known = next((host for host in settings.hosts if host.url == url), HostSettings(url=url))
    return replace(known, allow=known.allow or "act")


# --- types of options ---


def duration(text: str) -> timedelta:
    """The type of an option that is a length of time."""
    from llmstack_tui.base.durations import parse_duration

    return _read(parse_duration, text)


def count(text: str) -> int:
    """The type of an option that is a number above zero."""
    if text.isascii() and text.isdigit() and 0 < len(text) < 12 and int(text):
        return int(text)
    raise ArgumentTypeError(tr("{text!r} is not a whole number above 0.", text=text))


def port(text: str) -> int:
    """The type of an option that is a TCP port; 0 is any free one."""
    if text.isascii() and text.isdigit() and len(text) < 6 and int(text) < 65536:
        return int(text)
    raise ArgumentTypeError(tr("{text!r} is not a port: ports are numbers from 1 to 65535.", text=text))


def _host(text: str) -> str:
    from llmstack_tui.base.address import parse_host

    return _read(parse_host, text)


def _read(read: Callable[[str], T], text: str) -> T:
    try:
        return read(text)
    except ValueError as error:
        from llmstack_tui.core.wording import words

        raise ArgumentTypeError(words(error)) from None


def _existing_file(text: str) -> Path:
    from pathlib import Path

    path = Path(text)
    try:
        if path.exists() and not path.is_dir():
            return path
    except (OSError, ValueError):  # The name is too long, or has a NUL in it.
        pass
    raise ArgumentTypeError(tr("there is no file {text!r}.", text=text))
