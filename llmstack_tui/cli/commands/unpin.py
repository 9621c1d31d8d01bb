"""``llmstack unpin``: let the guard unload a model again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.languages import tr
from llmstack_tui.cli import output
from llmstack_tui.cli.stacks import locate_local, opened, prepare, recorded
from llmstack_tui.lifecycle.states import ModelState

if TYPE_CHECKING:
    from argparse import Namespace

    from llmstack_tui.cli.parser import Parser
    from llmstack_tui.core.open import Core


def add_options(parser: Parser) -> None:
    parser.add_argument("name", metavar=tr("NAME"), help=tr("a model, as `llmstack ls` lists it"))


async def run(core: Core, options: Namespace) -> int:
    async with opened(core, act=True, processes=True) as stack:
        await prepare(stack)
        status = locate_local(stack, options.name)
        await stack.guard.pin(status.host, status.name, pinned=False)
        await recorded(stack.records.kept(), tr("{model} may still be pinned", model=status.name))
    state = ModelState.INACTIVE if status.running is None else ModelState.ACTIVE
    document = {"host": status.host, "name": status.name, "pinned": False, "state": state}
    return output.answer(
        options, {"models": [document]}, tr("{model} is no longer pinned.", model=status.name)
    )
