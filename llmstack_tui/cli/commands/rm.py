"""``llmstack rm``: remove models from a server's disk."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from llmstack_tui.base.languages import tr, tr_n
from llmstack_tui.base.units import bytes_text
from llmstack_tui.cli import output
from llmstack_tui.cli.stacks import locate, look, opened, save_installed

if TYPE_CHECKING:
    from argparse import Namespace

    from llmstack_tui.cli.parser import Parser
    from llmstack_tui.core.open import Core
    from llmstack_tui.core.removal import Removal
    from llmstack_tui.core.stack import Stack


def add_options(parser: Parser) -> None:
    parser.add_argument("names", metavar=tr("NAME"), nargs="+", help=tr("a model, as `llmstack ls` lists it"))
    parser.add_argument("-y", "--yes", action="store_true", help=tr("do not ask"))


async def run(core: Core, options: Namespace) -> int:
    if not options.yes and (options.json or not output.is_terminal(sys.stdin)):
        raise output.WrongUsage(tr("There is no terminal to ask on: add --yes to remove without a question."))
    async with opened(core, act=True, start="owner") as stack:
        await look(stack)
        await save_installed(stack)
        # All names are looked up before anything is removed, so that a wrong one removes nothing.
        removals = await stack.actions.plan_removal([_located(stack, name) for name in options.names])
        if not options.yes:
            for removal in removals:
                output.inform(f"{_effect(removal)}.")
        question = tr_n("Remove?", "Remove all {count}?", len(removals))
        output.confirm(options, question, tr("Nothing was removed."))
        for removal in removals:
            await stack.actions.delete(removal.host, removal.name)
            if not options.json:
                output.write(tr("Removed {effect}.", effect=_effect(removal)))
    removed = [{"host": each.host, "name": each.name, "freed": each.freed} for each in removals]
    return output.answer(options, {"removed": removed})


def _located(stack: Stack, name: str) -> tuple[str, str]:
    status = locate(stack, name)
    if status.model is None:
        raise output.Failed(
            tr(
                "{model} is no longer on the disk, only loaded: `llmstack stop {model}` unloads it.",
                model=status.name,
            )
        )
    return status.host, status.name


def _effect(removal: Removal) -> str:
    name = removal.name
    if removal.is_cloud:
        return tr("{model}: frees nothing, it runs in the cloud", model=name)
    if removal.keeps_blobs:
        return tr(
            "{model}: frees nothing while another manifest cannot be read (see `llmstack disk`)", model=name
        )
    freed = tr("next to nothing") if removal.freed is None else bytes_text(removal.freed)
    if not removal.sharers:
        return tr("{model}: frees {size}", model=name, size=freed)
    return tr_n(
        "{model}: frees {size}, {sharers} has the same weights",
        "{model}: frees {size}, {sharers} have the same weights",
        len(removal.sharers),
        model=name,
        size=freed,
        sharers=", ".join(removal.sharers),
    )
