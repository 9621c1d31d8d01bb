"""``llmstack ps``: the models that are loaded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from llmstack_tui.cli import output
from llmstack_tui.cli.options import add_command

if TYPE_CHECKING:
    from llmstack_tui.cli.options import Commands, Invocation
    from llmstack_tui.hosts.types import RunningModel


def add_parser(commands: Commands) -> None:
    add_command(commands, "ps", run, "List the models that are loaded.")


def run(call: Invocation) -> int:
    import asyncio

    return asyncio.run(_list(call))


async def _list(call: Invocation) -> int:
    from llmstack_tui.cli.servers import connect, read_all

    async with connect(call) as hosts:
        loaded = [
            (snapshot.url, running) for snapshot in await read_all(hosts) for running in snapshot.running
        ]
    if call.json:
        output.write_document({"models": [document(host, running) for host, running in loaded]})
    elif loaded:
        output.write_table(*_table(loaded))
    else:
        output.say("No model is loaded.")
    return 0


def document(host: str, running: RunningModel) -> dict[str, object]:
    """A loaded model as `ps` and `start` write it."""
    return {
        "host": host,
        "name": running.name,
        "digest": running.digest or None,
        "state": "active",
        "busy": None if running.requests is None else running.requests > 0,
        "memory": {"server": running.size, "device": None, "estimate": None},
        "context_length": running.context_length,
        "expires_at": output.iso(running.expires_at),
        "idle": None,
        "requests": running.requests,
        "size_vram": running.size_vram,
    }


def _table(loaded: list[tuple[str, RunningModel]]) -> tuple[list[str], list[list[str]]]:
    several = len({host for host, _ in loaded}) > 1
    now = datetime.now(UTC)
    heads = ["", "NAME", ">MEMORY", "ON", ">CONTEXT", "UNTIL", *(["HOST"] if several else [])]
    return heads, [
        [
            output.mark("active"),
            running.name,
            output.size(running.size),
            _place(running),
            str(running.context_length or "?"),
            _until(running.expires_at, now),
            *([host] if several else []),
        ]
        for host, running in loaded
    ]


def _place(running: RunningModel) -> str:
    if running.size_vram is None or not running.size:
        return "?"
    share = round(100 * min(running.size_vram, running.size) / running.size)
    return "CPU" if share == 0 else "GPU" if share == 100 else f"{share} % GPU, rest CPU"


def _until(expires_at: datetime | None, now: datetime) -> str:
    """When the server will unload it. A past time means that a request is running; its end sets a new one."""
    if expires_at is None:
        return "?"
    left = expires_at - now
    if left < timedelta(0):
        return "in use"
    if left > timedelta(days=3650):
        return "for ever"
    minutes, seconds = divmod(int(left.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02} from now" if hours else f"{minutes}:{seconds:02} from now"
