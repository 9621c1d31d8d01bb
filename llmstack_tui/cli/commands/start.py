"""``llmstack start``: load a model."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from llmstack_tui.base.durations import format_duration
from llmstack_tui.base.kinds import Capability
from llmstack_tui.base.languages import tr
from llmstack_tui.cli import output
from llmstack_tui.cli.commands.ps import document
from llmstack_tui.cli.loading import add_room_option, leaves, loading
from llmstack_tui.cli.options import count, duration
from llmstack_tui.cli.stacks import locate_local, look, opened, prepare

if TYPE_CHECKING:
    from argparse import Namespace

    from llmstack_tui.cli.parser import Parser
    from llmstack_tui.core.open import Core
    from llmstack_tui.core.stack import Stack
    from llmstack_tui.hosts.types import RunningModel
    from llmstack_tui.lifecycle.states import ModelStatus


def add_options(parser: Parser) -> None:
    parser.add_argument("name", metavar=tr("NAME"), help=tr("a model, as `llmstack ls` lists it"))
    parser.add_argument(
        "--keep-alive",
        metavar="D",
        type=duration,
        help=tr(
            "how long it stays after its last request: 10m, 1h30m, -1 for ever (default: the time that the "
            "settings let it be idle)"
        ),
    )
    parser.add_argument(
        "--ctx",
        metavar="N",
        type=count,
        help=tr(
            "tokens of context (default: the server's); other programs may reload it with another length"
        ),
    )
    add_room_option(parser)


async def run(core: Core, options: Namespace) -> int:
    async with opened(core, act=True, processes=True, start="loaded") as stack:
        await prepare(stack)
        status = locate_local(stack, options.name, short=True)
        url, name = status.host, status.name
        keep_alive: timedelta | None = options.keep_alive
        if keep_alive is None and options.ctx is None and (theirs := _theirs(stack, status)) is not None:
            # A load would take its program's context and keep-alive away.
            said = tr(
                "{model} is loaded at {host}. Another program loaded it: it {leaves}.",
                model=name,
                host=url,
                leaves=leaves(status),
            )
            return output.answer(options, {"models": [document(url, theirs)]}, said)
        if keep_alive is None:
            keep_alive = stack.guard.keep_alive(url, name)
        async with loading(stack, status, options, core.environ) as confirm:
            await stack.actions.activate(
                url, name, keep_alive=keep_alive, context_length=options.ctx, confirm=confirm
            )
        await look(stack, url)
        loaded = stack.status(url, name)
    if loaded is None or loaded.running is None:
        raise output.Failed(tr("{model} was loaded, but the server has unloaded it again.", model=name))
    models = [document(url, loaded.running)]
    said = tr("{model} is loaded at {host}.", model=name, host=url)
    takes_it = Capability.KEEP_ALIVE in stack.monitors[url].host.capabilities
    return output.answer(options, {"models": models}, said, _stays(keep_alive if takes_it else None))


def _theirs(stack: Stack, status: ModelStatus) -> RunningModel | None:
    """The model as it is loaded, if another program has loaded it."""
    running = status.running
    loaded = stack.guard.situation(status.host).loaded
    is_theirs = running is not None and any(each.name == running.name and not each.ours for each in loaded)
    return running if is_theirs else None


def _stays(keep_alive: timedelta | None) -> str:
    if keep_alive is None:
        return tr("It stays for as long as the server keeps a model.")
    if keep_alive < timedelta(0):
        return tr("It stays until it is unloaded.")
    return tr("It stays for {time} after its last request.", time=format_duration(keep_alive))
