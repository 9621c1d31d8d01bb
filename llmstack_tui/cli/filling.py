"""The values of a prompt's variables, as options and standard input give them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from llmstack_tui.base.languages import tr
from llmstack_tui.base.system_errors import system_words
from llmstack_tui.cli import output
from llmstack_tui.prompts.rendering import render
from llmstack_tui.prompts.rules.values import main_variable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmstack_tui.prompts.types import Prompt, RenderedPrompt


def assignment(text: str) -> tuple[str, str]:
    """The type of an option such as ``name=value``."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise output.WrongUsage(
            tr("{text} sets no variable: write its name, = and its value.", text=repr(text))
        )
    return name, value


def filled(prompt: Prompt, values: Sequence[tuple[str, str]], typed: str = "") -> RenderedPrompt:
    """The prompt with these values. What was typed, or else standard input, fills its main variable.

    Raises:
        PromptError: a value is missing, or wrong.
    """
    given = dict(values)
    main = main_variable(prompt)
    if typed and main is None:
        raise output.WrongUsage(
            tr("The prompt {prompt} takes no text: set its variables with --var.", prompt=prompt.name)
        )
    if main is not None and main not in given and (text := typed or piped().strip("\n")):
        given[main] = text
    return render(prompt, given)


def piped() -> str:
    """What standard input has, if that is no terminal."""
    if sys.stdin is None or output.is_terminal(sys.stdin):
        return ""
    try:
        return sys.stdin.buffer.read().decode(errors="replace")
    except OSError as error:
        raise output.Failed(
            tr("Standard input cannot be read: {why}.", why=system_words(error.strerror or "?"))
        ) from None
