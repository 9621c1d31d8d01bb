"""``llmstack status``: which servers answer, and how much memory is in use."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from llmstack_tui.base.address import InvalidAddress
from llmstack_tui.base.kinds import SERVER_NAMES, HostKind
from llmstack_tui.base.languages import tr, tr_n
from llmstack_tui.base.units import bytes_text
from llmstack_tui.cli import output
from llmstack_tui.cli.stacks import find_urls, opened, running_urls
from llmstack_tui.core.wording import words
from llmstack_tui.guard.rules.limits import limits

if TYPE_CHECKING:
    from argparse import Namespace

    from llmstack_tui.cli.parser import Parser
    from llmstack_tui.core.discovery import Discovery
    from llmstack_tui.core.open import Core
    from llmstack_tui.core.state import StackState
    from llmstack_tui.hardware.readings import Device
    from llmstack_tui.hosts.types import ServerVersion


def add_options(parser: Parser) -> None:
    parser.add_argument(
        "--find",
        action="store_true",
        help=tr("look for other servers on this machine, at the ports that they are known by"),
    )


async def run(core: Core, options: Namespace) -> int:
    return await (_find(core, options) if options.find else _status(core, options))


async def _find(core: Core, options: Namespace) -> int:
    try:
        used = await running_urls(core) or ()
    except InvalidAddress as error:
        output.say(words(error))
        used = ()
    found = await core.discover(used)
    return output.answer(options, found_document(found), lambda: _write_found(found))


def found_document(found: Discovery) -> dict[str, object]:
    return {
        "found": [
            {
                "url": each.url,
                "server": server_id(each.server),
                "needs_key": each.server is None,
                "used": each.is_used,
            }
            for each in found.servers
        ],
        "setting": found.setting or None,
    }


def _write_found(found: Discovery) -> None:
    for each in found.servers:
        program = _name(each.server) if each.server else tr("a server that asks for a key")
        note = tr("in use") if each.is_used else tr("not in use")
        output.write(f"{output.mark('active')} {each.url}  {program}  {note}")
    if not found.servers:
        output.inform(tr("No server answers at the ports that servers are known by."))
    if found.setting:
        output.inform(tr("To use them all, put this line into config.toml:"))
        output.write(found.setting)


async def _status(core: Core, options: Namespace) -> int:
    urls: tuple[str, ...] = ()
    problem: Exception | None = None
    try:
        urls = await find_urls(core)
    except (output.Failed, InvalidAddress) as error:
        problem = error
    async with opened(core, urls) as stack:
        await asyncio.gather(stack.look(), stack.machine.read_once())
        state = stack.state
    limit = _limit(core, state)
    output.answer(options, document(state, limit), lambda: _write(state, limit))
    if problem:
        raise problem
    errors = [host.snapshot.error for host in state.hosts if host.snapshot.error]
    if errors and len(errors) == len(state.hosts):
        raise errors[0]
    return 0


def document(state: StackState, limit: int | None) -> dict[str, object]:
    return {
        "hosts": [
            {
                "url": snapshot.url,
                "kind": snapshot.server.kind if snapshot.server else None,
                "server": server_id(snapshot.server),
                "version": snapshot.server.version or None if snapshot.server else None,
                "reachable": snapshot.reachable,
            }
            for snapshot in (host.snapshot for host in state.hosts)
        ],
        "devices": [
            {"name": each.name, "kind": each.kind, "used": each.used, "total": each.total}
            for each in _devices(state)
        ],
        "profile": state.profile.name if state.profile else None,
        "limit": limit,
    }


def _write(state: StackState, limit: int | None) -> None:
    for snapshot in (host.snapshot for host in state.hosts):
        if snapshot.server:
            program = f"{_name(snapshot.server)} {snapshot.server.version}".rstrip()
            server = f"{program}  {snapshot.url}"
            installed = tr_n("1 model", "{count} models", len(snapshot.installed))
            loaded = tr_n("1 loaded", "{count} loaded", len(snapshot.running))
            text = f"{output.mark('active')} {server}  {installed}, {loaded}"
        else:
            text = f"{output.mark('inactive')} {snapshot.url}  {words(snapshot.error)}"
        output.write(text)
    for each in _devices(state):
        output.write(_device(each))
    if state.profile:
        profile = tr("CPU only") if state.profile.name == "cpu" else state.profile.name
        output.write(tr("Profile: {profile}", profile=profile))
    if limit:
        output.write(tr_n("At most 1 model loaded at once", "At most {count} models loaded at once", limit))


def server_id(server: ServerVersion | None) -> str | None:
    """Which program serves, for scripts: our own engine is "builtin"."""
    if server is None or server.kind is HostKind.BUILTIN:
        return None if server is None else server.kind
    return server.server


def _name(server: ServerVersion) -> str:
    return tr("built-in engine") if server.kind is HostKind.BUILTIN else SERVER_NAMES[server.server]


def _devices(state: StackState) -> tuple[Device, ...]:
    return (state.machine.ram, *state.machine.devices) if state.machine else ()


def _limit(core: Core, state: StackState) -> int | None:
    """How many models may be loaded on this machine: by the guard, or without one by the engine's setting."""
    guard = core.settings.guard
    return limits(guard, state.profile).max_loaded if guard.enabled else core.settings.engine.max_loaded


def _device(device: Device) -> str:
    if device.lost:
        return tr("{device} does not answer", device=device.name)
    if device.asleep:
        return tr("{device} is asleep", device=device.name)
    share = "" if device.percent is None else f" ({device.percent:.0f} %)"
    used, total = bytes_text(device.used), bytes_text(device.total)
    return tr("{device} {used} of {total} in use", device=device.name, used=used, total=total) + share
