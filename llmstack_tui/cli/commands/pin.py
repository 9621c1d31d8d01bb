"""``llmstack pin`` and ``unpin``: models that the guard never stops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.cli import output
from llmstack_tui.cli.progress import waiting
from llmstack_tui.cli.stacks import load, locate_local, opened, prepare, recorded
from llmstack_tui.hosts.errors import HostError
from llmstack_tui.lifecycle.actions import because
from llmstack_tui.lifecycle.states import ModelState

if TYPE_CHECKING:
    from argparse import Namespace

    from llmstack_tui.cli.options import Parser
    from llmstack_tui.core.open import Core


def add_options(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME", help="a model, as `llmstack ls` lists it")


async def run(core: Core, options: Namespace) -> int:
    pinned = options.command == "pin"
    async with opened(core, act=True, processes=True) as stack:
        await prepare(stack)
        status = locate_local(stack, options.name)
        otherwise = f"{status.name} {'was not pinned' if pinned else 'may still be pinned'}"
        await recorded(stack.records.kept(), otherwise)
        async with waiting(f"Loading {status.name}", core.environ):
            renewed = await stack.guard.pin(status.host, status.name, pinned=pinned)
            await recorded(stack.records.kept(), otherwise)
            if pinned and status.running is None:
                try:
                    await load(stack, status, reason=because("pinned"))
                except HostError:
                    output.say(f"{status.name} is pinned from now on, and was not loaded.")
                    raise
            elif pinned and not renewed:
                output.say(
                    f"{status.name} was loaded by another program, or is in use: it leaves when that program "
                    "says."
                )
    state = ModelState.ACTIVE if pinned or status.running is not None else ModelState.INACTIVE
    document = {"host": status.host, "name": status.name, "pinned": pinned, "state": state}
    said = f"{status.name} is {'pinned' if pinned else 'no longer pinned'}."
    return output.answer(options, {"models": [document]}, said)
