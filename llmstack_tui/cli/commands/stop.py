"""``llmstack stop``: unload models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.text import clean
from llmstack_tui.cli import output
from llmstack_tui.cli.options import add_command

if TYPE_CHECKING:
    from llmstack_tui.cli.options import Commands, Invocation
    from llmstack_tui.hosts.host import Host
    from llmstack_tui.lifecycle.actions import Departure
    from llmstack_tui.lifecycle.worker import Lifecycle

# What a stop came to, as a state and as a sentence, by the text of a `Departure`, which is imported late.
_STATES = {"gone": "inactive", "leaving": "stopping", "kept": "active"}
_SENTENCES = {
    "gone": "{} is stopped.",
    "leaving": "{} leaves when its request ends.",
    "kept": "{} stays: a newer request of another program keeps it loaded.",
}


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands, "stop", run, "Unload models. A request that is running is answered to its end first."
    )
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("names", metavar="NAME", nargs="*", default=[], help="a model that is loaded")
    which.add_argument("--all", action="store_true", help="every model that is loaded")


def run(call: Invocation) -> int:
    import asyncio

    return asyncio.run(_stop(call))


async def _stop(call: Invocation) -> int:
    import asyncio

    from llmstack_tui.cli.servers import acting, connect, refuse_if_read_only
    from llmstack_tui.cli.waiting import waiting

    refuse_if_read_only(call)
    async with connect(call, act=True) as hosts, acting() as acts:
        targets = await _targets(call, hosts)
        async with waiting("Stopping", call.environ):
            ends = await asyncio.gather(*(_end(acts.lifecycle, host, name) for host, name in targets))
    if call.json:
        output.write_document(
            {
                "models": [
                    {"host": host.url, "name": name, "state": _STATES[end]}
                    for (host, name), end in zip(targets, ends, strict=True)
                ]
            }
        )
    elif targets:
        for (_, name), end in zip(targets, ends, strict=True):
            output.write(clean(_SENTENCES[end].format(name)))
    else:
        output.say("No model is loaded.")
    return 0


async def _targets(call: Invocation, hosts: tuple[Host, ...]) -> list[tuple[Host, str]]:
    from llmstack_tui.cli.servers import locate, read_all

    if call.options.all:
        by_url = {host.url: host for host in hosts}
        return [(by_url[host.url], model.name) for host in await read_all(hosts) for model in host.running]
    located = [await locate(hosts, name) for name in call.options.names]
    return [(each.host, each.status.running.name if each.status.running else each.name) for each in located]


async def _end(lifecycle: Lifecycle, host: Host, name: str) -> Departure:
    return await lifecycle.deactivate(host, name)
