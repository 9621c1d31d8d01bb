"""Templates, by minijinja: in a sandbox, without files, with an end.

A template sees its variables alone. A variable that has no value is an error, as is a template that takes too
many steps; minijinja counts a step for each instruction, and more where much text is made.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from llmstack_tui.base.text import excerpt, with_full_stop
from llmstack_tui.prompts.rules.values import checked
from llmstack_tui.prompts.types import InvalidPrompt, NotRendered, RenderedPrompt, WrongValues

if TYPE_CHECKING:
    from collections.abc import Mapping

    from minijinja import Environment, TemplateError

    from llmstack_tui.prompts.types import Prompt, PromptValue

MOST_BYTES = 4 * 2**20
"""Of a rendered text. The longest context of a model of today takes some 4 MB of English."""

# A prompt that lists a thousand files takes some 10,000.
_STEPS = 200_000
_GLOBALS = frozenset({"cycler", "debug", "dict", "joiner", "namespace", "range"})
_PLACE = re.compile(r" \(in .*:\d+\)$")


def render(prompt: Prompt, given: Mapping[str, object]) -> RenderedPrompt:
    """What a prompt sends with these values of its variables.

    Raises:
        WrongValues, NotRendered: see there.
    """
    values = checked(prompt, given)
    return RenderedPrompt(
        text=_rendered(prompt.template, values, prompt.name),
        system=_rendered(prompt.system, values, prompt.name),
        examples=prompt.examples,
        parameters=prompt.parameters,
    )


def render_text(template: str, given: Mapping[str, object]) -> str:
    """A template that stands for itself, whose variables may have any text, number, boolean or list.

    Raises:
        InvalidPrompt, WrongValues, NotRendered: see there.
    """
    used = variables_of(template)
    if missing := tuple(sorted(used - given.keys())):
        raise WrongValues("prompts.missing_in_text", count=len(missing), names=missing)
    if unknown := sorted(given.keys() - used):
        raise WrongValues("prompts.unknown_in_text", name=unknown[0])
    return _rendered(template, given, "")


def variables_of(template: str, *, file: str = "", first_line: int = 1) -> set[str]:
    """The names of the variables that a template uses.

    Raises:
        InvalidPrompt: its syntax is wrong; the line is that of the file.
    """
    from minijinja import TemplateError  # noqa: PLC0415

    try:
        used: set[str] = _environment().undeclared_variables_in_str(template)
    except TemplateError as error:
        line = (error.line or 1) + first_line - 1
        why = with_full_stop(excerpt(error.detail or _said(error)))
        if file:
            raise InvalidPrompt("prompts.syntax", file=file, line=line, why=why) from None
        raise InvalidPrompt("prompts.syntax_of_text", line=line, why=why) from None
    return used - _GLOBALS


def _rendered(template: str, values: Mapping[str, PromptValue] | Mapping[str, object], name: str) -> str:
    from minijinja import TemplateError  # noqa: PLC0415

    if sum(len(each) for each in values.values() if isinstance(each, str)) > MOST_BYTES:
        raise NotRendered("prompts.too_long", most=MOST_BYTES, prompt=name)
    try:
        text: str = _environment().render_str(template, None, **values)
    except TemplateError as error:
        if error.kind == "OutOfFuel":
            raise NotRendered("prompts.endless", prompt=name) from None
        if error.kind == "TemplateNotFound":
            raise NotRendered("prompts.includes", prompt=name) from None
        why = with_full_stop(excerpt(error.detail or _said(error)))
        raise NotRendered("prompts.failed", prompt=name, line=error.line or 1, why=why) from None
    if len(text.encode(errors="replace")) > MOST_BYTES:
        raise NotRendered("prompts.too_long", most=MOST_BYTES, prompt=name)
    return text.strip("\n")


def _said(error: TemplateError) -> str:
    return _PLACE.sub("", str(error.message))


def _environment() -> Environment:
    from minijinja import Environment  # noqa: PLC0415  # 20 ms, for who renders

    environment = Environment(
        fuel=_STEPS,
        undefined_behavior="strict",
        auto_escape_callback=lambda _: False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.remove_global("debug")
    return environment
