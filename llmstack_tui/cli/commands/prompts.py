"""``llmstack prompts``: the prompts that there are, what is in one, and its text with values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.languages import tr
from llmstack_tui.base.sentences import listed
from llmstack_tui.cli import output
from llmstack_tui.cli.filling import assignment, filled
from llmstack_tui.core.wording import text
from llmstack_tui.prompts.types import Faulty, Prompt

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from llmstack_tui.cli.parser import Parser
    from llmstack_tui.core.open import Core
    from llmstack_tui.prompts.service import PromptFolder
    from llmstack_tui.prompts.types import PromptVariable, RenderedPrompt


def add_options(parser: Parser) -> None:
    parser.add_argument("name", metavar=tr("NAME"), nargs="?", help=tr("a prompt (default: list them)"))
    parser.add_argument(
        "--render",
        action="extend",
        metavar=tr("VAR=VALUE"),
        nargs="*",
        type=assignment,
        help=tr("write its text with these values; standard input is its input, unless that is given"),
    )
    parser.add_argument(
        "--path", action="store_true", help=tr("write where its file is, or the folders that have prompts")
    )


def run(core: Core, options: Namespace) -> int:
    service = core.prompts()
    if options.name is None:
        if options.render is not None:
            raise output.WrongUsage(tr("Say which prompt is meant: `llmstack prompts` lists them."))
        if options.path:
            return output.answer(options, _folders(service.folders), lambda: _write_folders(service.folders))
        found = service.all()
        return output.answer(options, document(found), lambda: _write_table(found))
    prompt = service.find(options.name)
    if options.path:
        return output.answer(options, {"name": prompt.name, "file": prompt.file}, str(prompt.file))
    if options.render is not None:
        rendered = filled(prompt, options.render)
        return output.answer(options, _rendered(prompt, rendered), lambda: output.write_text(rendered.text))
    return output.answer(options, _whole(prompt), lambda: _write(prompt))


def _write_table(found: Sequence[Prompt | Faulty]) -> None:
    rows = [
        [each.name, _origin(each), each.purpose, ", ".join(variable.name for variable in each.variables)]
        for each in found
        if isinstance(each, Prompt)
    ]
    output.write_table([tr("NAME"), tr("FROM"), tr("PURPOSE"), tr("VARIABLES")], rows)
    for each in found:
        if isinstance(each, Faulty):
            output.say(text(each.why))


def _origin(found: Prompt) -> str:
    return {"project": tr("the project"), "user": tr("you"), "shipped": "llmstack"}[found.origin]


def _write_folders(folders: Sequence[PromptFolder]) -> None:
    for each in folders:
        output.write(str(each.path))


def _write(prompt: Prompt) -> None:
    output.write(prompt.title)
    output.write(prompt.purpose)
    output.write(str(prompt.file))
    if prompt.variables:
        output.write("")
        rows = [[each.name, each.type, _default(each), _about(each)] for each in prompt.variables]
        output.write_table([tr("VARIABLE"), tr("TYPE"), tr("DEFAULT"), tr("PURPOSE")], rows)
    if prompt.parameters:
        output.write("")
        output.write(", ".join(f"{name} = {_shown(value)}" for name, value in prompt.parameters.items()))
    _write_part(tr("System prompt"), prompt.system)
    for each in prompt.examples:
        _write_part(tr("Example"), f"{each.user}\n\n{each.assistant}")
    _write_part(tr("Template"), prompt.template)


def _write_part(title: str, body: str) -> None:
    if body:
        output.write("")
        output.write(f"--- {title} ---")
        output.write_text(body)


def _default(variable: PromptVariable) -> str:
    if variable.is_required:
        return tr("(needed)")
    return "" if variable.default is None else _shown(variable.default)


def _about(variable: PromptVariable) -> str:
    if not variable.choices:
        return variable.purpose
    choices = listed(map(_shown, variable.choices))
    return f"{variable.purpose}: {choices}" if variable.purpose else choices


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def document(found: Sequence[Prompt | Faulty]) -> dict[str, object]:
    return {
        "prompts": [_entry(each) for each in found if isinstance(each, Prompt)],
        "faulty": [
            {"name": each.name, "origin": each.origin, "file": each.file, "why": text(each.why)}
            for each in found
            if isinstance(each, Faulty)
        ],
    }


def _entry(prompt: Prompt) -> dict[str, object]:
    return {
        "name": prompt.name,
        "title": prompt.title,
        "purpose": prompt.purpose,
        "language": prompt.language or None,
        "origin": prompt.origin,
        "file": prompt.file,
        "variables": [_variable(each) for each in prompt.variables],
    }


def _variable(variable: PromptVariable) -> dict[str, object]:
    return {
        "name": variable.name,
        "type": variable.type,
        "purpose": variable.purpose,
        "required": variable.is_required,
        "default": variable.default,
        "choices": variable.choices,
    }


def _whole(prompt: Prompt) -> dict[str, object]:
    return {
        **_entry(prompt),
        "system": prompt.system,
        "examples": [{"user": each.user, "assistant": each.assistant} for each in prompt.examples],
        "parameters": dict(prompt.parameters),
        "template": prompt.template,
    }


def _rendered(prompt: Prompt, rendered: RenderedPrompt) -> dict[str, object]:
    return {
        "name": prompt.name,
        "messages": [{"role": role, "content": content} for role, content in rendered.messages],
        "parameters": dict(rendered.parameters),
    }


def _folders(folders: Sequence[PromptFolder]) -> dict[str, object]:
    return {"folders": [{"path": each.path, "origin": each.origin} for each in folders]}
