"""``llmstack pin``: keep a model loaded, and have the guard never unload it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from llmstack_tui.base.languages import tr
from llmstack_tui.cli import output
from llmstack_tui.cli.loading import add_room_option, leaves, loading
from llmstack_tui.cli.stacks import locate_local, opened, prepare, recorded
from llmstack_tui.guard.types import PinEffect
from llmstack_tui.lifecycle.states import ModelState

if TYPE_CHECKING:
    from argparse import Namespace

    from llmstack_tui.cli.parser import Parser
    from llmstack_tui.core.open import Core
    from llmstack_tui.core.stack import Stack
    from llmstack_tui.lifecycle.states import ModelStatus


def add_options(parser: Parser) -> None:
    parser.add_argument("name", metavar=tr("NAME"), help=tr("a model, as `llmstack ls` lists it"))
    add_room_option(parser)
    parser.add_argument(
        "--reload",
        action="store_true",
        help=tr(
            "if another program loaded it, load it again with the server's defaults, so that it stays; that "
            "program's context is lost"
        ),
    )


async def run(core: Core, options: Namespace) -> int:
    async with opened(core, act=True, processes=True, start="loaded") as stack:
        await prepare(stack)
        status = locate_local(stack, options.name)
        # Before and after: what cannot be kept is no pin, and nothing is loaded for it.
        await recorded(stack.records.kept(), tr("{model} was not pinned", model=status.name))
        stays = await _pin(core, options, stack, status)
        await recorded(stack.records.kept(), tr("{model} was not pinned", model=status.name))
    document = {
        "host": status.host,
        "name": status.name,
        "pinned": True,
        "state": ModelState.ACTIVE,
        "stays": stays,
    }
    return output.answer(options, {"models": [document]}, tr("{model} is pinned.", model=status.name))


async def _pin(core: Core, options: Namespace, stack: Stack, status: ModelStatus) -> bool:
    """Pin a model; whether it stays loaded."""
    url, name = status.host, status.name
    async with loading(stack, status, options, core.environ) as confirm:
        effect = await stack.actions.pin(url, name, confirm=confirm)
    if effect is PinEffect.THEIRS and _may_reload(options, status):
        async with loading(stack, status, options, core.environ) as confirm:
            return await stack.actions.keep(url, name, confirm=confirm)
    if effect is PinEffect.THEIRS:
        output.say(
            tr(
                "Another program loaded {model}: the guard will not unload it, and it {leaves}, as that "
                "program asked.",
                model=name,
                leaves=leaves(status),
            )
        )
    elif effect is PinEffect.IN_USE:
        output.say(
            tr(
                "{model} is in use: a guard keeps it when its request has ended, such as that of an open "
                "dashboard or of `llmstack guard run`.",
                model=name,
            )
        )
    return effect is PinEffect.KEPT


def _may_reload(options: Namespace, status: ModelStatus) -> bool:
    if options.reload or options.json or not output.is_terminal(sys.stdin):
        return bool(options.reload)
    output.say(
        tr(
            "Another program loaded {model}, and it {leaves}, as that program asked. To keep it, it is "
            "loaded again with the server's defaults: its program's context is lost.",
            model=status.name,
            leaves=leaves(status),
        )
    )
    return output.ask(tr("Load it again?"))
