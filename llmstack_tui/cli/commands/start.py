"""``llmstack start``: load a model."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from llmstack_tui.base.text import clean
from llmstack_tui.cli import output
from llmstack_tui.cli.options import add_command, count, duration

if TYPE_CHECKING:
    from llmstack_tui.cli.options import Commands, Invocation
    from llmstack_tui.cli.servers import Acting, Located


def add_parser(commands: Commands) -> None:
    parser = add_command(commands, "start", run, "Load a model, and return when it can answer.")
    parser.add_argument("name", metavar="NAME", help="a model, as `llmstack ls` lists it")
    parser.add_argument(
        "--keep-alive",
        metavar="D",
        type=duration,
        help="how long it stays after its last request: 10m, 1h30m, -1 for ever (default: for as long as it "
        "may be idle by the settings)",
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
    from llmstack_tui.cli.commands.ps import document
    from llmstack_tui.cli.servers import acting, connect, locate, refuse_if_cloud, refuse_if_read_only
    from llmstack_tui.cli.waiting import waiting
    from llmstack_tui.lifecycle.states import Loaded

    refuse_if_read_only(call)
    async with connect(call, act=True) as hosts, acting() as acts:
        located = await locate(hosts, call.options.name)
        refuse_if_cloud(located)
        keep_alive: timedelta | None = call.options.keep_alive
        if keep_alive is None:
            keep_alive = await _promised(call, acts, located)
        async with waiting(f"Loading {located.name}", call.environ):
            await acts.lifecycle.activate(
                located.host,
                located.name,
                keep_alive=keep_alive,
                context_length=call.options.ctx,
            )
        digest = located.status.model.digest if located.status.model else ""
        running = Loaded(await located.host.running()).find(located.name, digest)
    if running is None:
        raise output.Failed(f"{located.name} was loaded, but the server has unloaded it again.")
    if call.json:
        output.write_document({"models": [document(located.host.url, running, now=datetime.now(UTC))]})
    else:
        output.write(clean(f"{located.name} is active at {located.host.url}."))
        output.write(_stays(keep_alive))
    return 0


async def _promised(call: Invocation, acts: Acting, located: Located) -> timedelta | None:
    """What the dashboard would have it carry."""
    from llmstack_tui.cli.guarding import off
    from llmstack_tui.guard.rules.limits import carried
    from llmstack_tui.store.errors import StoreError

    try:
        wishes = await acts.store.preferences.of(located.host.url)
    except StoreError as error:
        output.say(str(error))
        wishes = {}
    return carried(call.settings.guard, located.name, wishes, off=off(call, located.host))


def _stays(keep_alive: timedelta | None) -> str:
    from llmstack_tui.base.durations import format_duration

    if keep_alive is None:
        return "It stays for as long as the server keeps a model."
    if keep_alive < timedelta(0):
        return "It stays until it is stopped."
    return f"It stays for {format_duration(keep_alive)} after its last request."
