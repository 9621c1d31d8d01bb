"""The short way for programs: a prompt by its name, from where the program runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from llmstack_tui.base import paths
from llmstack_tui.base.languages import current
from llmstack_tui.prompts.rendering import render, render_text
from llmstack_tui.prompts.rules.parsing import NAME
from llmstack_tui.prompts.service import PromptService

if TYPE_CHECKING:
    from llmstack_tui.prompts.types import RenderedPrompt


def format_prompt(name_or_template: str, /, **values: object) -> str:
    """The text of a prompt with these values of its variables.

    A word of small letters, digits, ``-`` and ``_`` is the name of a prompt, as ``llmstack prompts`` lists
    them; everything else is a template itself. A prompt's system prompt, examples and parameters are in what
    `render_prompt` returns.

    >>> format_prompt("Say {{ word }} in {{ language }}.", word="bread", language="French")
    'Say bread in French.'
    >>> format_prompt("Say {{ word }}.")
    Traceback (most recent call last):
        ...
    llmstack_tui.prompts.types.WrongValues: The template uses word, which has no value.

    Raises:
        UnknownPrompt, InvalidPrompt, WrongValues, NotRendered: all are a `PromptError`, whose ``str`` says
            what to do.
    """
    if NAME.fullmatch(name_or_template):
        return render_prompt(name_or_template, **values).text
    return render_text(name_or_template, values)


def render_prompt(name: str, /, **values: object) -> RenderedPrompt:
    """All that a prompt sends: its messages and its parameters.

    >>> rendered = render_prompt("translate", input="Good morning", language="Spanish")
    >>> [role for role, _ in rendered.messages]
    ['system', 'user']
    >>> rendered.parameters["temperature"]
    0.2

    Raises:
        UnknownPrompt, InvalidPrompt, WrongValues, NotRendered: as `format_prompt`.
    """
    try:
        user = paths.prompts_folder()
    except paths.NoHome:
        user = None
    service = PromptService(user=user, cwd=Path.cwd(), language=current().code)
    return render(service.find(name), values)
