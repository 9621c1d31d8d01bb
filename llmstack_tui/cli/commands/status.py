"""``llmstack status``: which servers answer, and what the machine has left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.text import clean
from llmstack_tui.base.units import bytes_text
from llmstack_tui.cli import output
from llmstack_tui.cli.options import add_command

if TYPE_CHECKING:
    from llmstack_tui.cli.options import Commands, Invocation
    from llmstack_tui.hardware.profile import Profile
    from llmstack_tui.hardware.readings import Device
    from llmstack_tui.hosts.types import Snapshot


def add_parser(commands: Commands) -> None:
    add_command(commands, "status", run, "Show the servers and the memory. Fails when no server answers.")


def run(call: Invocation) -> int:
    import asyncio

    return asyncio.run(_status(call))


async def _status(call: Invocation) -> int:
    import asyncio

    from llmstack_tui.cli.machine import this_machine
    from llmstack_tui.cli.servers import connect, read

    problem = ""
    snapshots: list[Snapshot] = []
    # Beside the questions to the servers: a driver may take its time.
    reading_task = asyncio.create_task(asyncio.to_thread(this_machine, call))
    try:
        async with connect(call) as hosts:
            snapshots = await asyncio.gather(*map(read, hosts))
    except output.Failed as error:
        problem = str(error)
    reading, profile = await reading_task
    devices = (reading.ram, *reading.devices)
    if snapshots and all(snapshot.error for snapshot in snapshots):
        problem = str(snapshots[0].error)
    if call.json:
        output.write_document(_document(call, snapshots, devices, profile))
    else:
        _write(call, snapshots, devices, profile)
    if problem:
        raise output.Failed(problem)
    return 0


def _document(
    call: Invocation, snapshots: list[Snapshot], devices: tuple[Device, ...], profile: Profile
) -> dict[str, object]:
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
        "devices": [
            {"name": each.name, "kind": each.kind.value, "used": each.used, "total": each.total}
            for each in devices
        ],
        "profile": profile.name,
        "limit": _limit(call, profile),
    }


def _write(
    call: Invocation, snapshots: list[Snapshot], devices: tuple[Device, ...], profile: Profile
) -> None:
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
        output.write(clean(text))
    for each in devices:
        output.write(clean(_device(each)))
    output.write(f"Profile {profile.name}")
    if limit := _limit(call, profile):
        output.write(f"At most {limit} {'model' if limit == 1 else 'models'} loaded at once")


def _limit(call: Invocation, profile: Profile) -> int | None:
    """How many models the guard leaves loaded on this machine; without it, what the engine was told."""
    from llmstack_tui.guard.rules.limits import limits

    guard = call.settings.guard
    return limits(guard, profile).max_loaded if guard.enabled else call.settings.engine.max_loaded


def _device(device: Device) -> str:
    if device.lost:
        return f"{device.name} does not answer"
    share = "" if device.percent is None else f" ({device.percent:.0f} %)"
    return f"{device.name} {bytes_text(device.used)} of {bytes_text(device.total)} in use{share}"
