"""``llmstack ps``: the models that are loaded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from llmstack_tui.base.durations import ENDLESS
from llmstack_tui.base.units import bytes_text
from llmstack_tui.cli import output
from llmstack_tui.cli.options import add_command

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from llmstack_tui.cli.options import Commands, Invocation
    from llmstack_tui.hosts.host import Host
    from llmstack_tui.hosts.types import RunningModel, Snapshot
    from llmstack_tui.store.tables.activations import Activation

# A model without a request leaves some milliseconds after its time.
_SECOND_LOOK_S = 0.15


def add_parser(commands: Commands) -> None:
    add_command(commands, "ps", run, "List the models that are loaded.")


def run(call: Invocation) -> int:
    import asyncio

    return asyncio.run(_list(call))


async def _list(call: Invocation) -> int:
    from llmstack_tui.cli.servers import connect, read_all

    async with connect(call) as hosts:
        snapshots = await read_all(hosts)
        overdue = await _overdue(hosts, snapshots) if call.json else set()
        estimates = await _estimates(call, hosts, snapshots) if call.json else {}
    now = datetime.now(UTC)
    loaded = [(snapshot.url, running) for snapshot in snapshots for running in snapshot.running]
    if call.json:
        loads, devices = await _loads(loaded), await _devices(loaded)
        models = [
            document(
                host,
                running,
                busy=(host, running) in overdue,
                now=now,
                load=loads.get((host, running)),
                device=devices.get((host, running)),
                estimate=estimates.get((host, running.digest)),
            )
            for host, running in loaded
        ]
        output.write_document({"models": models})
    elif loaded:
        output.write_table(*_table(loaded))
    else:
        output.say("No model is loaded.")
    return 0


async def _estimates(
    call: Invocation, hosts: Sequence[Host], snapshots: Sequence[Snapshot]
) -> Mapping[tuple[str, str], int]:
    """Bytes that each should take, by host and digest."""
    from llmstack_tui.cli.fitting import reckoned

    return await reckoned(call, hosts, snapshots)


async def _overdue(hosts: Sequence[Host], snapshots: Sequence[Snapshot]) -> set[tuple[str, RunningModel]]:
    """Those that should have left and are there at a second look, too: a request holds them."""
    import asyncio

    by_url, now = {host.url: host for host in hosts}, datetime.now(UTC)
    late = {
        (snapshot.url, running)
        for snapshot in snapshots
        for running in snapshot.running
        if running.requests is None and running.expires_at is not None and running.expires_at < now
    }
    if not late:
        return late
    await asyncio.sleep(_SECOND_LOOK_S)
    found = await asyncio.gather(*(by_url[url].running() for url in dict(late)), return_exceptions=True)
    again = {
        (url, running)
        for url, models in zip(dict(late), found, strict=True)
        if not isinstance(models, BaseException)
        for running in models
    }
    return late & again


async def _loads(loaded: Sequence[tuple[str, RunningModel]]) -> dict[tuple[str, RunningModel], Activation]:
    """What is on record of how each was loaded, where the server does not say when it was last used."""
    from llmstack_tui.cli.servers import state_file
    from llmstack_tui.store.errors import StoreError
    from llmstack_tui.store.store import Store

    asked = [(host, running) for host, running in loaded if running.used_at is None]
    file = state_file()
    if not asked or file is None or not file.exists():
        return {}
    try:
        async with await Store.open(file, on_notice=output.say) as store:
            active = await store.activations.active()
    except StoreError as error:
        output.say(str(error))
        return {}
    by_name = {(each.host, each.model): each for each in active if each.loaded_at is not None}
    found = {(host, running): by_name.get((host, running.name)) for host, running in asked}
    return {key: load for key, load in found.items() if load is not None}


async def _devices(loaded: Sequence[tuple[str, RunningModel]]) -> dict[tuple[str, RunningModel], int]:
    """What the devices of this machine say that each takes, where they tell."""
    import asyncio

    from llmstack_tui.base.address import is_loopback

    if not any(is_loopback(host) for host, _ in loaded):
        return {}
    from llmstack_tui.cli.machine import read_machine
    from llmstack_tui.lifecycle.placement import device_bytes
    from llmstack_tui.lifecycle.process_usage import Processors

    reading = await asyncio.to_thread(read_machine)
    found = {}
    for host in dict.fromkeys(host for host, _ in loaded):
        listed = tuple(running for url, running in loaded if url == host)
        # All at once: to find one process looks through all that there are.
        for running, timed in zip(listed, await Processors(host).timed(listed), strict=True):
            if (held := device_bytes(timed, reading)) is not None:
                found[host, running] = held
    return found


def document(
    host: str,
    running: RunningModel,
    *,
    now: datetime,
    busy: bool = False,
    load: Activation | None = None,
    device: int | None = None,
    estimate: int | None = None,
) -> dict[str, object]:
    """A loaded model as `ps` and `start` write it. Whether it is busy is unknown without a sign."""
    from llmstack_tui.lifecycle.activity import idle_time

    idle = idle_time(
        running,
        now,
        keep_alive=load.keep_alive if load else None,
        loaded_at=load.loaded_at if load else None,
    )
    return {
        "host": host,
        "name": running.name,
        "digest": running.digest or None,
        "state": "active",
        "busy": busy or None if running.requests is None else running.requests > 0,
        "memory": {"server": running.size, "device": device, "estimate": estimate},
        "context_length": running.context_length,
        "expires_at": output.iso(running.expires_at),
        "idle": None if idle is None or busy else round(idle.total_seconds(), 3),
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
            bytes_text(running.size),
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
    if left > ENDLESS:
        return "for ever"
    minutes, seconds = divmod(int(left.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02} from now" if hours else f"{minutes}:{seconds:02} from now"
