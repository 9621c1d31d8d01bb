"""The list of commands. A command's module is imported only to run it or to show its help."""

from __future__ import annotations

from argparse import _SubParsersAction
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from llmstack_tui.base.languages import tr
from llmstack_tui.cli.options import add_global_options, add_json
from llmstack_tui.cli.output import PROGRAM
from llmstack_tui.cli.parser import Parser

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from llmstack_tui.cli.options import Run
    from llmstack_tui.core.open import Core

    _SubParsers = _SubParsersAction[Parser]
else:
    _SubParsers = _SubParsersAction


class Command(NamedTuple):
    """A command of the program.

    Its module has ``add_options(parser)`` and ``run(core, options)``, which returns the exit status or a
    coroutine that does. A command with subcommands instead adds a parser for each, with its own ``run``.

    Attributes:
        module: the module in ``cli.commands``, if its name is not the command's.
        has_subcommands: it is followed by a second word, as in ``guard run``.
    """

    name: str
    purpose: str
    module: str = ""
    has_subcommands: bool = False


COMMANDS = (
    Command("ls", "List the models of the servers, loaded or not."),
    Command("ps", "List the models that are loaded."),
    Command("show", "Show the details of a model."),
    Command("start", "Load a model, and return when it can answer."),
    Command("stop", "Unload models. Running requests are answered first."),
    Command("rm", "Remove models from the disk; one that is loaded is unloaded first."),
    Command("import", "Make a model from a GGUF file. The file itself stays as it is.", "import_"),
    Command(
        "pull",
        "Download models. A loaded one is unloaded first, once its request has ended, and then loaded again.",
    ),
    Command("copy", "Copy a model to another server. What that has already is not sent again."),
    Command("update", "Update models to the newest version, or only list which have a newer one."),
    Command("chat", "Ask a model a question, or talk to it; it is loaded if necessary."),
    Command("chats", "List, search, export and import the talks that are kept.", has_subcommands=True),
    Command("prompts", "List, show and fill in prompts: yours, the project's and those of llmstack."),
    Command("keys", "Add, validate, replace, list or move the keys of providers and servers; none is shown."),
    Command("providers", "List who can answer, here and in clouds, and what is missing to ask them."),
    Command("editors", "Show, write or test the settings with which an editor or an agent uses a model."),
    Command("status", "Show the servers and the memory. Fails when no server answers."),
    Command("doctor", "Examine the installation: what is wrong, why, and how to mend it."),
    Command("variables", "Show, set or suggest the variables with which Ollama runs on this machine."),
    Command("validate", "Try a model: load it, have it answer, and measure speed and memory."),
    Command("install", "Install Ollama or the built-in engine, and choose between versions of Ollama."),
    Command("catalog", "List recommended models, and which of them fit on this machine."),
    Command("disk", "Show the disk space of each model on this machine, and files that no model uses."),
    Command("fit", "Show how much memory a model takes, and whether this machine has it."),
    Command(
        "guard",
        "Keep the limit of loaded models, and unload those that are idle. Running requests are never cut.",
        has_subcommands=True,
    ),
    Command("pin", "Keep a model loaded: the guard never unloads it."),
    Command("unpin", "Let the guard unload a model again. This alone does not unload it."),
    Command("history", "Show when a model was loaded, and its versions."),
    Command(
        "service",
        "Start, stop or restart Ollama as a service, have it start at login, or read its log.",
        has_subcommands=True,
    ),
    Command("engine", "Start or stop the built-in engine, or serve one GGUF file.", has_subcommands=True),
    Command("completion", "Write a script that completes commands, options and names of models in a shell."),
    Command("mcp", "Offer the models of this machine as tools to another program, over MCP."),
    Command("guide", "Read the user's guide: a page for each topic."),
    Command("config", "Show the settings, and where each comes from. Fails when one is wrong."),
)


def build_parser() -> Parser:
    parser = Parser(
        prog=PROGRAM,
        description=tr(
            "The dashboard for language models on your own machine, which opens without a command."
        ),
    )
    add_global_options(parser, depth=0)
    commands = parser.add_subparsers(title=tr("commands"), metavar=tr("COMMAND"), action=_CommandsAction)
    for command in COMMANDS:
        purpose = tr(command.purpose)
        commands.add_parser(command.name, help=purpose, description=purpose)
    return parser


def build_whole_parser() -> Parser:
    """The parser with the options of all commands, which takes as long as all of them together."""
    parser = build_parser()
    (commands,) = (each for each in parser._actions if isinstance(each, _CommandsAction))  # noqa: SLF001
    for command in COMMANDS:
        commands.fill(command)
    return parser


def run_command(core: Core, options: Namespace) -> int:
    """Run the command that `build_parser` found in the arguments; returns the exit status."""
    run: Run = options.run
    done = run(core, options)
    if isinstance(done, int):
        return done
    from llmstack_tui.cli.interruption import run as run_until_signal

    return run_until_signal(done)


class _CommandsAction(_SubParsers):
    """Adds the options of the chosen command to its parser, and leaves the other parsers empty."""

    def __call__(
        self, parser: ArgumentParser, namespace: Namespace, values: object, option_string: str | None = None
    ) -> None:
        assert isinstance(values, list)  # noqa: S101  # The command's name, and the words after it.
        self.fill(next(each for each in COMMANDS if each.name == values[0]))
        super().__call__(parser, namespace, values, option_string)

    def fill(self, command: Command) -> None:
        """Add the options of a command to its parser."""
        chosen: Parser = self.choices[command.name]
        module = import_module(f"llmstack_tui.cli.commands.{command.module or command.name}")
        if not command.has_subcommands:
            add_json(chosen)
            add_global_options(chosen, depth=1)
            chosen.set_defaults(run=module.run, command=command.name)
        module.add_options(chosen)
