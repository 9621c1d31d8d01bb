"""``llmstack start``: load a model."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from llmstack_tui.cli import output
from llmstack_tui.cli.options import add_command, count, duration

if TYPE_CHECKING:
    from llmstack_tui.cli.options import Commands, Invocation


def add_parser(commands: Commands) -> None:
    parser = add_command(commands, "start", run, "Load a model, and return when it can answer.")
    parser.add_argument("name", metavar="NAME", help="a model, as `llmstack ls` lists it")
    parser.add_argument(
        "--keep-alive",
        metavar="D",
        type=duration,
        help="how long it stays after its last request: 10m, 1h30m, -1 for ever (default: the server's)",
    )
    parser.add_argument(
        "--ctx",
        metavar="N",
        type=count,
        help="tokens of context (default: the server's); other programs may load it again with their own",
    )


def run(call: Invocation) -> int:
    import asyncio

    return asyncio.run(_start(call))


async def _start(call: Invocation) -> int:
    from llmstack_tui.cli.ps import document
    from llmstack_tui.cli.servers import acting, connect, locate, refuse_if_cloud, refuse_if_read_only
    from llmstack_tui.cli.waiting import waiting
    from llmstack_tui.lifecycle.states import Loaded

    refuse_if_read_only(call)
    async with connect(call, act=True) as hosts, acting() as acts:
        located = await locate(hosts, call.options.name)
        refuse_if_cloud(located)
        async with waiting(f"Loading {located.name}", call.environ):
            await acts.lifecycle.activate(
                located.host,
                located.name,
                keep_alive=call.options.keep_alive,
                context_length=call.options.ctx,
            )
        digest = located.status.model.digest if located.status.model else ""
        running = Loaded(await located.host.running()).find(located.name, digest)
    if running is None:
        raise output.Failed(f"{located.name} was loaded, but the server has unloaded it again.")
    if call.json:
        output.write_document({"models": [document(located.host.url, running, now=datetime.now(UTC))]})
    else:
        output.write(output.plain(f"{located.name} is active at {located.host.url}."))
    return 0
