"""``llmstack copy``: a model from one server to another."""

from __future__ import annotations

import asyncio
import shlex
from contextlib import aclosing
from typing import TYPE_CHECKING

from llmstack_tui.base.address import InvalidAddress, parse_host
from llmstack_tui.base.languages import tr
from llmstack_tui.base.names import InvalidName, ModelName, same_model
from llmstack_tui.cli import output
from llmstack_tui.cli.commands.import_ import document
from llmstack_tui.cli.progress import step_text
from llmstack_tui.cli.stacks import answering, find_urls, locate, look, opened, refuse_read_only
from llmstack_tui.core.wording import words
from llmstack_tui.hosts.errors import Refused

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import AsyncGenerator

    from llmstack_tui.cli.parser import Parser
    from llmstack_tui.core.open import Core
    from llmstack_tui.core.stack import Stack
    from llmstack_tui.hosts.types import Progress
    from llmstack_tui.lifecycle.states import ModelStatus


def add_options(parser: Parser) -> None:
    parser.add_argument("name", metavar=tr("NAME"), help=tr("a model, as `llmstack ls` lists it"))
    parser.add_argument(
        "--to", metavar="HOST", required=True, help=tr("the server to copy it to, by its address or its name")
    )
    parser.add_argument("--as", dest="new_name", metavar=tr("NAME"), default="", help=tr("its name there"))
    parser.add_argument(
        "--force", action="store_true", help=tr("replace a model that has this name there already")
    )


async def run(core: Core, options: Namespace) -> int:
    refuse_read_only(core)
    try:
        wanted = ModelName.parse(options.new_name).short if options.new_name else ""
        to = _url(core, options.to)
    except (InvalidName, InvalidAddress) as error:
        raise output.WrongUsage(words(error)) from None
    async with opened(core, tuple(dict.fromkeys([*await find_urls(core), to]))) as stack:
        await stack.records.open()
        await look(stack, to)
        await look(stack)
        source = _source(stack, options.name, to)
        name = wanted or source.name
        steps = stack.actions.copy_to(source.host, source.name, to, name, replace=options.force)
        await _follow(core, steps, shlex.join(("llmstack", "pull", source.name, "--host", to)))
        await look(stack, to)
        found = document(to, name, stack.status(to, name))
    said = tr("{model} was copied from {source} to {host}.", model=name, source=source.host, host=to)
    return output.answer(options, {**found, "source": source.host}, said)


async def _follow(core: Core, steps: AsyncGenerator[Progress, None], pull: str) -> None:
    """Show the progress. ``pull`` is the command by which the other server fetches the model itself."""
    line = output.StatusLine(core.environ)
    try:
        async with aclosing(steps):
            async for step in steps:
                line.show(step_text(step))
    except Refused as error:
        advice = {
            "transfer.taken": tr("--force replaces it, --as NAME gives the copy another name."),
            "transfer.no_files": tr("If it is published, it can be pulled there: `{command}`", command=pull),
        }
        raise output.Failed(f"{words(error)} {advice.get(error.kind, '')}".rstrip()) from None
    except asyncio.CancelledError:
        line.clear()
        output.say(tr("The files that were sent whole stay there for now: the same command goes on."))
        raise
    finally:
        line.clear()


def _url(core: Core, text: str) -> str:
    """The base URL of a server, from the name that it has in the settings or from its address."""
    return next((each.url for each in core.settings.hosts if each.name == text), "") or parse_host(text)


def _source(stack: Stack, name: str, to: str) -> ModelStatus:
    """The model of that name on the first other server that has it."""
    hosts = [host for host in answering(stack) if host.snapshot.url != to]
    found = [status for host in hosts for status in host.models if same_model(status.name, name)]
    return found[0] if found else locate(stack, name)
