"""``llmstack import``: make a model from a GGUF file."""

from __future__ import annotations

from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

from llmstack_tui.base.languages import tr
from llmstack_tui.base.names import InvalidName, ModelName
from llmstack_tui.cli import output
from llmstack_tui.cli.progress import step_text
from llmstack_tui.cli.stacks import first_url, look, opened, refuse_read_only, template_notes
from llmstack_tui.core.wording import words
from llmstack_tui.library.creation import suggest_name

if TYPE_CHECKING:
    from argparse import Namespace

    from llmstack_tui.cli.parser import Parser
    from llmstack_tui.core.open import Core
    from llmstack_tui.lifecycle.states import ModelStatus


def add_options(parser: Parser) -> None:
    parser.add_argument("file", metavar=tr("FILE"), type=Path, help=tr("a GGUF file on this machine"))
    parser.add_argument(
        "name", metavar=tr("NAME"), nargs="?", help=tr("the model's name (default: from the file)")
    )


async def run(core: Core, options: Namespace) -> int:
    refuse_read_only(core)
    try:
        name = ModelName.parse(options.name or suggest_name(options.file)).short
    except InvalidName as error:
        raise output.WrongUsage(words(error)) from None
    line = output.StatusLine(core.environ)
    async with opened(core, act=True, start="owner") as stack:
        url = first_url(stack)
        try:
            async with aclosing(stack.actions.import_gguf(url, options.file.absolute(), name)) as steps:
                async for step in steps:
                    line.show(step_text(step))
        finally:
            line.clear()
        await look(stack, url)
        status = stack.status(url, name)
        notes = await template_notes(stack, url, name)
    said = tr("{model} is installed at {host}: `llmstack start {model}` loads it.", model=name, host=url)
    return output.answer(
        options, {**document(url, name, status), "template_notes": notes}, said, *([notes] if notes else [])
    )


def document(url: str, name: str, status: ModelStatus | None) -> dict[str, object]:
    model = status.model if status else None
    return {
        "host": url,
        "name": model.name if model else name,
        "digest": model.digest if model else None,
        "size": model.size if model else None,
    }
