"""``llmstack ls``: the models that are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.units import bytes_text
from llmstack_tui.cli import output
from llmstack_tui.cli.options import add_command

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from llmstack_tui.cli.fitting import Fitting, Key
    from llmstack_tui.cli.options import Commands, Invocation
    from llmstack_tui.hosts.host import Host
    from llmstack_tui.hosts.types import Snapshot
    from llmstack_tui.lifecycle.states import ModelStatus
    from llmstack_tui.updates.rules import Update


def add_parser(commands: Commands) -> None:
    add_command(commands, "ls", run, "List the models of the servers, loaded or not.")


def run(call: Invocation) -> int:
    import asyncio

    return asyncio.run(_list(call))


async def _list(call: Invocation) -> int:
    from llmstack_tui.cli.servers import connect, read_all
    from llmstack_tui.lifecycle.states import statuses

    async with connect(call) as hosts:
        snapshots = await read_all(hosts)
        updates, pins = await _remembered(call, hosts, snapshots) if call.json else ({}, {})
        fits = await _fits(call, hosts, snapshots) if call.json else {}
    models = [status for snapshot in snapshots for status in statuses(snapshot)]
    if call.json:
        documents = [
            _document(
                status,
                updates.get(status.host, {}).get(status.name),
                pinned=_is_pinned(status, pins.get(status.host, frozenset())),
                fit=fits.get((status.host, status.name)),
            )
            for status in models
        ]
        output.write_document({"models": documents})
    elif models:
        output.write_table(*_table(models))
    else:
        output.say("No model is installed: add one with `llmstack import FILE.gguf`.")
    return 0


async def _remembered(
    call: Invocation, hosts: Sequence[Host], snapshots: Sequence[Snapshot]
) -> tuple[Mapping[str, Mapping[str, Update]], Mapping[str, frozenset[str]]]:
    """What was learnt of newer versions, by host and name; and what is pinned, by host."""
    from llmstack_tui.cli.verdicts import remembered

    return await remembered(call, hosts, snapshots)


def _is_pinned(status: ModelStatus, pins: frozenset[str]) -> bool:
    from llmstack_tui.base.names import model_key

    return bool(pins) and model_key(status.name) in pins


async def _fits(
    call: Invocation, hosts: Sequence[Host], snapshots: Sequence[Snapshot]
) -> Mapping[Key, Fitting]:
    """What each would take, by host and name."""
    from llmstack_tui.cli.fitting import fittings

    return await fittings(call, hosts, snapshots)


def _document(
    status: ModelStatus, update: Update | None, *, pinned: bool, fit: Fitting | None
) -> dict[str, object]:
    from llmstack_tui.cli import verdicts
    from llmstack_tui.cli.fitting import Fitting

    model = status.model
    return {
        "host": status.host,
        "name": status.name,
        "digest": (model.digest if model else status.running.digest if status.running else None) or None,
        "size": model.size if model else None,
        "parameters": model.parameters if model else None,
        "quantization": model.quantization if model else None,
        "state": status.state.value,
        "pinned": pinned,
        "update": verdicts.document(update, is_cloud=bool(model and model.is_cloud)),
        "fit": (fit or Fitting()).document(),
        "modified_at": output.iso(model.modified_at) if model else None,
    }


def _table(models: list[ModelStatus]) -> tuple[list[str], list[list[str]]]:
    several = len({status.host for status in models}) > 1
    heads = ["", "NAME", ">SIZE", "QUANTIZATION", ">PARAMETERS", "STATE", *(["HOST"] if several else [])]
    return heads, [
        [
            output.mark(status.state),
            status.name,
            bytes_text(status.model.size) if status.model and not status.model.is_cloud else "-",
            (status.model and status.model.quantization) or "-",
            (status.model and status.model.parameters) or "-",
            status.state,
            *([status.host] if several else []),
        ]
        for status in models
    ]
