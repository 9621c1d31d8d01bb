"""``llmstack rm``: remove models from a server's disk."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llmstack_tui.base.text import clean
from llmstack_tui.base.units import bytes_text
from llmstack_tui.cli import output
from llmstack_tui.cli.options import add_command

if TYPE_CHECKING:
    from llmstack_tui.cli.options import Commands, Invocation
    from llmstack_tui.cli.servers import Located
    from llmstack_tui.hosts.host import Host
    from llmstack_tui.hosts.types import Model


@dataclass(frozen=True, slots=True)
class _Removal:
    """A model that is to go.

    Attributes:
        freed: bytes of disk that go with it; None if other models keep some of them, or if it is not known.
        sharers: the names of those.
    """

    host: str
    name: str
    freed: int | None
    sharers: tuple[str, ...]

    @property
    def effect(self) -> str:
        if self.sharers:
            return f"{self.name}: frees next to nothing, {', '.join(self.sharers)} has the same weights"
        return f"{self.name}: frees {bytes_text(self.freed)}"


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands, "rm", run, "Remove models from the disk; one that is loaded is stopped first."
    )
    parser.add_argument("names", metavar="NAME", nargs="+", help="a model, as `llmstack ls` lists it")
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")


def run(call: Invocation) -> int:
    import asyncio

    from llmstack_tui.cli.servers import refuse_if_read_only

    refuse_if_read_only(call)
    may_ask = output.is_terminal(sys.stdin) and not call.json
    if not call.options.yes and not may_ask:
        raise output.WrongUsage("There is no terminal to ask on: say --yes to remove without a question.")
    removals = asyncio.run(_plan(call))
    if not call.options.yes:
        # Outside of the event loop: a loop that waits for a line on a terminal does not hear Ctrl-C.
        for removal in removals:
            output.say(f"{removal.effect}.")
        if not output.ask("Remove?" if len(removals) == 1 else f"Remove all {len(removals)}?"):
            raise output.Failed("Nothing was removed.")
    asyncio.run(_carry_out(call, removals))
    if call.json:
        output.write_document(
            {"removed": [{"host": each.host, "name": each.name, "freed": each.freed} for each in removals]}
        )
    return 0


async def _plan(call: Invocation) -> list[_Removal]:
    """All models are looked up before the first one goes, so that a wrong name removes nothing."""
    from llmstack_tui.cli.servers import connect, locate

    plan: dict[tuple[str, str], _Removal] = {}
    async with connect(call, act=True) as hosts:
        for name in call.options.names:
            located = await locate(hosts, name)
            key = (located.host.url, located.name)
            gone = {name for host, name in plan if host == key[0]}
            if key not in plan:
                plan[key] = await _removal(located, gone)
    return list(plan.values())


async def _removal(located: Located, gone: set[str]) -> _Removal:
    """``gone`` are the models of the same host that go before this one."""
    model = located.status.model
    if model is None:
        raise output.Failed(
            f"{located.name} is on the disk no more, only in memory: `llmstack stop {located.name}` ends it."
        )
    others = [other for other in located.snapshot.installed if other.name not in gone | {model.name}]
    sharers = tuple([other.name for other in others if await _share_weights(located.host, model, other)])
    return _Removal(
        host=located.host.url,
        name=model.name,
        freed=None if sharers else model.size,
        sharers=sharers,
    )


async def _share_weights(host: Host, one: Model, other: Model) -> bool:
    if one.digest and one.digest == other.digest:
        return True
    alike = (one.family, one.parameters, one.quantization) == (
        other.family,
        other.parameters,
        other.quantization,
    )
    if not alike or one.is_cloud or other.is_cloud:
        return False
    weights = [model.weights_digest or (await host.show(model.name)).weights_digest for model in (one, other)]
    return weights[0] is not None and weights[0] == weights[1]


async def _carry_out(call: Invocation, removals: list[_Removal]) -> None:
    from llmstack_tui.base.names import model_key
    from llmstack_tui.cli.servers import acting, connect
    from llmstack_tui.lifecycle.changes import EventKind
    from llmstack_tui.lifecycle.removing import remove

    async with connect(call) as hosts, acting() as acts:
        by_url = {host.url: host for host in hosts}
        for removal in removals:
            host = by_url[removal.host]
            with acts.journal.act(EventKind.REMOVE, host.url, removal.name):
                await remove(acts.lifecycle, host, removal.name)
                acts.store.preferences.forget(host.url, model_key(removal.name))
            if not call.json:
                output.write(clean(f"Removed {removal.effect}."))
