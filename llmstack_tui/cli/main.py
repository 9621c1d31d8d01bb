"""The parser of the command line. Building it imports no command's heavy parts."""

from __future__ import annotations

from llmstack_tui.cli.commands import (
    catalog,
    chat,
    config,
    disk,
    engine,
    fit,
    guard,
    history,
    import_,
    ls,
    pin,
    ps,
    pull,
    rm,
    show,
    start,
    status,
    stop,
    update,
)
from llmstack_tui.cli.options import Parser, add_global_options
from llmstack_tui.cli.output import PROGRAM

_COMMANDS = (
    ls,
    ps,
    show,
    start,
    stop,
    rm,
    import_,
    pull,
    update,
    chat,
    status,
    catalog,
    disk,
    fit,
    guard,
    pin,
    history,
    engine,
    config,
)


def build_parser() -> Parser:
    parser = Parser(
        prog=PROGRAM,
        description="The dashboard for language models on your own machine. Without a command it opens.",
    )
    add_global_options(parser, depth=0)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for command in _COMMANDS:
        command.add_parser(commands)
    return parser
