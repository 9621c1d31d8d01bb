"""``llmstack pull``: models from their registries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.languages import tr
from llmstack_tui.base.names import InvalidName, ModelName
from llmstack_tui.cli import output
from llmstack_tui.cli.progress import pull_all
from llmstack_tui.cli.stacks import first_url, look, opened, template_notes
from llmstack_tui.core.wording import words
from llmstack_tui.downloads.types import Why

if TYPE_CHECKING:
    from argparse import Namespace

    from llmstack_tui.cli.parser import Parser
    from llmstack_tui.core.open import Core


def add_options(parser: Parser) -> None:
    parser.add_argument(
        "names",
        nargs="+",
        metavar=tr("NAME"),
        help=tr("qwen2.5-coder:7b, hf.co/user/model:Q4_K_M, registry/a/b:tag"),
    )


async def run(core: Core, options: Namespace) -> int:
    try:
        for name in options.names:
            ModelName.parse(name)
    except InvalidName as error:
        raise output.WrongUsage(words(error)) from None
    async with opened(core, act=True, start="owner") as stack:
        url = first_url(stack)
        await look(stack, url)
        status = await pull_all(core, options, stack, [(url, name) for name in options.names], Why.PULL)
        for name in options.names:
            if notes := await template_notes(stack, url, name):
                output.say(f"{name}: {notes}")
        return status
