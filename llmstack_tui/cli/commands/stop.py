"""``llmstack stop``: unload models."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from llmstack_tui.base.languages import later, tr
from llmstack_tui.base.sentences import listed
from llmstack_tui.cli import output
from llmstack_tui.cli.progress import waiting
from llmstack_tui.cli.stacks import answering, locate, look, opened
from llmstack_tui.lifecycle.actions import Departure

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence

    from llmstack_tui.cli.parser import Parser
    from llmstack_tui.core.open import Core
    from llmstack_tui.core.stack import Stack

    _Stop = tuple[str, str, Departure]
    _Shared = Mapping[tuple[str, str], Sequence[str]]

# The outcome of a stop, as a state and as a sentence.
_STATES = {Departure.GONE: "inactive", Departure.LEAVING: "stopping", Departure.KEPT: "active"}
_SENTENCES = {
    Departure.GONE: later("{model} is unloaded."),
    Departure.LEAVING: later("{model} is unloaded when its request ends."),
    Departure.KEPT: later("{model} stays: a newer request of another program keeps it loaded."),
}


def add_options(parser: Parser) -> None:
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("names", metavar=tr("NAME"), nargs="*", default=[], help=tr("a model that is loaded"))
    which.add_argument("--all", action="store_true", help=tr("every model that is loaded"))


async def run(core: Core, options: Namespace) -> int:
    async with opened(core, act=True) as stack:
        await look(stack)
        shared = {(each.host, each.name): each.shares for host in answering(stack) for each in host.models}
        async with waiting(tr("Unloading"), core.environ):
            stops = await stack.actions.stop_all() if options.all else await _stop(stack, options.names)
    return output.answer(options, document(stops, shared), lambda: _write(stops, shared))


async def _stop(stack: Stack, names: Sequence[str]) -> Sequence[_Stop]:
    located = [locate(stack, name, short=True) for name in names]
    targets = [(each.host, each.running.name if each.running else each.name) for each in located]
    ends = await asyncio.gather(*(stack.actions.deactivate(url, name) for url, name in targets))
    return [(url, name, end) for (url, name), end in zip(targets, ends, strict=True)]


def _write(stops: Sequence[_Stop], shared: _Shared) -> None:
    for url, name, departure in stops:
        output.write(tr(_SENTENCES[departure], model=name))
        if others := shared.get((url, name)):
            output.write(tr("The same goes for {models}: they share one process.", models=listed(others)))
    if not stops:
        output.inform(tr("No model is loaded."))


def document(stops: Sequence[_Stop], shared: _Shared) -> dict[str, object]:
    return {
        "models": [
            {
                "host": url,
                "name": name,
                "state": _STATES[departure],
                "shares": shared.get((url, name), ()),
            }
            for url, name, departure in stops
        ]
    }
