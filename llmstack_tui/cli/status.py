"""``llmstack status``: which servers answer, and what the machine has left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.cli import output
from llmstack_tui.cli.options import add_command

if TYPE_CHECKING:
    from llmstack_tui.cli.options import Commands, Invocation
    from llmstack_tui.hardware.memory import Memory
    from llmstack_tui.hosts.types import Snapshot


def add_parser(commands: Commands) -> None:
    add_command(commands, "status", run, "Show the servers and the memory. Fails when no server answers.")


def run(call: Invocation) -> int:
    import asyncio

    return asyncio.run(_status(call))


async def _status(call: Invocation) -> int:
    import asyncio

    from llmstack_tui.cli.servers import connect, read
    from llmstack_tui.hardware.memory import read_memory

    memory = read_memory()
    problem = ""
    snapshots: list[Snapshot] = []
    try:
        async with connect(call) as hosts:
            snapshots = await asyncio.gather(*map(read, hosts))
    except output.Failed as error:
        problem = str(error)
    if snapshots and all(snapshot.error for snapshot in snapshots):
        problem = str(snapshots[0].error)
    if call.json:
        output.write_document(_document(call, snapshots, memory))
    else:
        _write(call, snapshots, memory)
    if problem:
        raise output.Failed(problem)
    return 0


def _document(call: Invocation, snapshots: list[Snapshot], memory: Memory) -> dict[str, object]:
    return {
        "hosts": [
            {
                "url": snapshot.url,
                "kind": snapshot.server.kind.value if snapshot.server else None,
                "version": snapshot.server.version if snapshot.server else None,
                "reachable": snapshot.reachable,
            }
            for snapshot in snapshots
        ],
        "devices": [{"name": "RAM", "kind": "ram", "used": memory.used, "total": memory.total}],
        "profile": None,
        "limit": call.settings.engine.max_loaded,
    }


def _write(call: Invocation, snapshots: list[Snapshot], memory: Memory) -> None:
    for snapshot in snapshots:
        if snapshot.server:
            kind = {"ollama": "Ollama", "builtin": "built-in engine", "openai": "OpenAI API"}[
                snapshot.server.kind
            ]
            text = f"{output.mark('active')} {kind} {snapshot.server.version}  {snapshot.url}"
            loaded = len(snapshot.running)
            text += f"  {len(snapshot.installed)} models, {loaded} loaded"
        else:
            text = f"{output.mark('inactive')} {snapshot.url}  {snapshot.error}"
        output.write(output.plain(text))
    output.write(
        f"RAM {output.size(memory.used)} of {output.size(memory.total)} in use ({memory.percent:.0f} %)"
    )
    if limit := call.settings.engine.max_loaded:
        output.write(f"At most {limit} {'model' if limit == 1 else 'models'} loaded at once")
