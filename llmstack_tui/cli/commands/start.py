"""``llmstack start``: load a model."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from llmstack_tui.base.durations import format_duration
from llmstack_tui.cli import output
from llmstack_tui.cli.commands.ps import document
from llmstack_tui.cli.options import count, duration
from llmstack_tui.cli.progress import waiting
from llmstack_tui.cli.stacks import load, locate_local, look, opened, prepare

if TYPE_CHECKING:
    from argparse import Namespace

    from llmstack_tui.cli.options import Parser
    from llmstack_tui.core.open import Core


def add_options(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME", help="a model, as `llmstack ls` lists it")
    parser.add_argument(
        "--keep-alive",
        metavar="D",
        type=duration,
        help="how long it stays after its last request: 10m, 1h30m, -1 for ever (default: the time that the "
        "settings let it be idle)",
    )
    parser.add_argument(
        "--ctx",
        metavar="N",
        type=count,
        help="tokens of context (default: the server's); other programs may reload it with another length",
    )


async def run(core: Core, options: Namespace) -> int:
    async with opened(core, act=True, processes=True) as stack:
        await prepare(stack)
        status = locate_local(stack, options.name)
        url, name = status.host, status.name
        keep_alive: timedelta | None = options.keep_alive
        if keep_alive is None:
            keep_alive = stack.guard.keep_alive(url, name)
        async with waiting(f"Loading {name}", core.environ):
            await load(stack, status, keep_alive=keep_alive, context_length=options.ctx)
        await look(stack, url)
        loaded = stack.status(url, name)
    if loaded is None or loaded.running is None:
        raise output.Failed(f"{name} was loaded, but the server has unloaded it again.")
    models = [document(url, loaded.running)]
    return output.answer(options, {"models": models}, f"{name} is active at {url}.", _stays(keep_alive))


def _stays(keep_alive: timedelta | None) -> str:
    if keep_alive is None:
        return "It stays for as long as the server keeps a model."
    if keep_alive < timedelta(0):
        return "It stays until it is stopped."
    return f"It stays for {format_duration(keep_alive)} after its last request."
