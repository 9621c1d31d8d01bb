"""``llmstack completion``: the script with which a shell completes commands, options and names of models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.languages import tr
from llmstack_tui.cli import output
from llmstack_tui.cli.completion import forms, script
from llmstack_tui.cli.main import build_whole_parser

if TYPE_CHECKING:
    from argparse import Namespace

    from llmstack_tui.cli.parser import Parser
    from llmstack_tui.core.open import Core


def add_options(parser: Parser) -> None:
    parser.add_argument(
        "shell", choices=("bash", "zsh", "fish"), help=tr("in bash: source <(llmstack completion bash)")
    )


def run(_: Core, options: Namespace) -> int:
    text = script(options.shell, [*forms(build_whole_parser())])
    return output.answer(options, {"script": text}, lambda: output.write_text(text, end=""))
