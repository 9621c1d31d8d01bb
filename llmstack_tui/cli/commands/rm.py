"""``llmstack rm``: remove models from a server's disk."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from llmstack_tui.base.units import bytes_text
from llmstack_tui.cli import output
from llmstack_tui.cli.stacks import locate, look, opened, save_installed

if TYPE_CHECKING:
    from argparse import Namespace

    from llmstack_tui.cli.options import Parser
    from llmstack_tui.core.open import Core
    from llmstack_tui.core.removal import Removal
    from llmstack_tui.core.stack import Stack


def add_options(parser: Parser) -> None:
    parser.add_argument("names", metavar="NAME", nargs="+", help="a model, as `llmstack ls` lists it")
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")


async def run(core: Core, options: Namespace) -> int:
    if not options.yes and (options.json or not output.is_terminal(sys.stdin)):
        raise output.WrongUsage("There is no terminal to ask on: add --yes to remove without a question.")
    async with opened(core, act=True, start="owner") as stack:
        await look(stack)
        await save_installed(stack)
        # All names are looked up before anything is removed, so that a wrong one removes nothing.
        removals = await stack.actions.plan_removal([_located(stack, name) for name in options.names])
        if not options.yes:
            for removal in removals:
                output.inform(f"{_effect(removal)}.")
        question = "Remove?" if len(removals) == 1 else f"Remove all {len(removals)}?"
        output.confirm(options, question, "Nothing was removed.")
        for removal in removals:
            await stack.actions.delete(removal.host, removal.name)
            if not options.json:
                output.write(f"Removed {_effect(removal)}.")
    removed = [{"host": each.host, "name": each.name, "freed": each.freed} for each in removals]
    return output.answer(options, {"removed": removed})


def _located(stack: Stack, name: str) -> tuple[str, str]:
    status = locate(stack, name)
    if status.model is None:
        raise output.Failed(
            f"{status.name} is no longer on the disk, only loaded: `llmstack stop {status.name}` unloads it."
        )
    return status.host, status.name


def _effect(removal: Removal) -> str:
    if removal.is_cloud:
        return f"{removal.name}: frees nothing, it runs in the cloud"
    if removal.keeps_blobs:
        return f"{removal.name}: frees nothing while another manifest cannot be read (see `llmstack disk`)"
    freed = "next to nothing" if removal.freed is None else bytes_text(removal.freed)
    if not removal.sharers:
        return f"{removal.name}: frees {freed}"
    verb = "has" if len(removal.sharers) == 1 else "have"
    return f"{removal.name}: frees {freed}, {', '.join(removal.sharers)} {verb} the same weights"
