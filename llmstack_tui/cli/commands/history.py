"""``llmstack history``: when a model was loaded and how that ended, and which versions were installed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from llmstack_tui.base.units import bytes_text
from llmstack_tui.cli import output
from llmstack_tui.cli.options import add_command, count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmstack_tui.cli.options import Commands, Invocation
    from llmstack_tui.hosts.host import Host
    from llmstack_tui.store.store import Store
    from llmstack_tui.store.tables.activations import Activation
    from llmstack_tui.store.tables.models import SeenModel

_WHO = {
    "user": "the dashboard",
    "cli": "the command line",
    "guard": "the guard",
    "client": "another program",
    "unknown": "?",
}
_ENDS = {
    "failed": "was not loaded",
    "cancelled": "was cancelled",
    "stopped": "was stopped",
    "left": "left",
    "unnoticed": "left unnoticed",
    "replaced": "was loaded anew",
    "unknown": "?",
}


def add_parser(commands: Commands) -> None:
    parser = add_command(commands, "history", run, "Show when a model was loaded, and its versions.")
    parser.add_argument("name", metavar="NAME", nargs="?", help="a model, also one that was removed")
    parser.add_argument(
        "--gone", action="store_true", help="only versions that were installed once and are no more"
    )
    parser.add_argument("--limit", metavar="N", type=count, default=20, help="the newest N (default: 20)")


def run(call: Invocation) -> int:
    import asyncio

    return asyncio.run(_history(call))


async def _history(call: Invocation) -> int:
    import asyncio

    from llmstack_tui.cli.servers import connect, state_file
    from llmstack_tui.store.errors import StoreError
    from llmstack_tui.store.store import Store

    name, limit, path = call.options.name, call.options.limit, state_file()
    if name is None and not call.options.gone:
        raise output.WrongUsage("Name a model, or --gone for all that were removed or replaced.")
    loads: list[Activation] = []
    versions: list[tuple[SeenModel, bool]] = []
    if path is not None and path.exists():
        try:
            async with connect(call) as hosts, await Store.open(path, on_notice=output.say) as store:
                for host in hosts:
                    if not call.options.gone:
                        for each in _ways_to_write(name):
                            loads += await store.activations.history(host.url, each, limit)
                found = await asyncio.gather(*(_versions(store, host, name) for host in hosts))
                versions = [each for of_host in found for each in of_host]
        except StoreError as error:
            raise output.Failed(str(error)) from None
    loads = sorted(loads, key=lambda each: each.id, reverse=True)[:limit]
    versions = [each for each in versions if not (each[1] and call.options.gone)]
    versions = sorted(versions, key=lambda each: each[0].last_seen_at, reverse=True)[:limit]
    if call.json:
        documents = [_version_document(*each) for each in versions]
        output.write_document({"loads": [_document(each) for each in loads], "versions": documents})
        return 0
    if loads:
        output.write_table(*_table(loads))
    if versions:
        output.write("\n" if loads else "", end="")
        output.write_table(*_version_table(versions))
    if not loads and not versions:
        output.say(_nothing(call))
    return 0


def _nothing(call: Invocation) -> str:
    if call.options.gone:
        return "No model that is gone is on record."
    return f"Nothing is on record of {call.options.name}: it was not loaded while llmstack looked on."


async def _versions(store: Store, host: Host, name: str | None) -> list[tuple[SeenModel, bool]]:
    """Each version that was seen on a host, of all models without a name; and whether it is installed now.

    A host that does not answer is taken to have what it listed last.
    """
    from llmstack_tui.hosts.errors import HostError
    from llmstack_tui.hosts.types import Model

    if name is None:
        seen = [*await store.models.of_host(host.url)]
    else:
        seen = [each for way in _ways_to_write(name) for each in await store.models.versions(host.url, way)]
    if not seen:
        return []
    try:
        models: Sequence[Model] = await host.installed()
    except HostError as error:
        output.say(str(error))
        listed = await store.installed.load(host.url, Model)
        models = listed.models if listed else ()
    installed = {(model.name, model.digest) for model in models}
    return [(each, (each.name, each.digest) in installed) for each in seen]


def _ways_to_write(name: str) -> tuple[str, ...]:
    """As the record may have it: with its tag, and as somebody asked for it without."""
    from llmstack_tui.base.names import InvalidName, ModelName

    try:
        short = ModelName.parse(name).short
    except InvalidName:
        return (name,)
    return tuple(dict.fromkeys((short, short.removesuffix(":latest"), name)))


def _document(load: Activation) -> dict[str, object]:
    from llmstack_tui.core.wording import text

    return {
        "host": load.host,
        "name": load.model,
        "digest": load.digest or None,
        "asked_by": load.asked_by.value,
        "reason": text(*load.reason) or None,
        "context_length": load.context_length,
        "keep_alive": None if load.keep_alive is None else load.keep_alive.total_seconds(),
        "started_at": output.iso(load.started_at),
        "loaded_at": output.iso(load.loaded_at),
        "ended_at": output.iso(load.ended_at),
        "outcome": load.outcome.value if load.outcome else None,
        "ended_by": load.ended_by.value if load.ended_by else None,
        "end_reason": text(*load.end_reason) or None,
    }


def _version_document(version: SeenModel, is_installed: bool) -> dict[str, object]:
    return {
        "host": version.host,
        "name": version.name,
        "digest": version.digest,
        "size": version.size,
        "first_seen_at": output.iso(version.first_seen_at),
        "last_seen_at": output.iso(version.last_seen_at),
        "installed": is_installed,
    }


def _version_table(versions: Sequence[tuple[SeenModel, bool]]) -> tuple[list[str], list[list[str]]]:
    several = len({each.host for each, _ in versions}) > 1
    heads = ["NAME", "VERSION", ">SIZE", "FIRST SEEN", "LAST SEEN", *(["HOST"] if several else [])]
    return heads, [
        [
            each.name,
            each.digest[:12] or "-",
            bytes_text(each.size),
            f"{each.first_seen_at.astimezone():%Y-%m-%d %H:%M}",
            "installed" if is_installed else f"{each.last_seen_at.astimezone():%Y-%m-%d %H:%M}",
            *([each.host] if several else []),
        ]
        for each, is_installed in versions
    ]


def _table(loads: list[Activation]) -> tuple[list[str], list[list[str]]]:
    from llmstack_tui.core.wording import text

    several = len({each.host for each in loads}) > 1
    heads = ["STARTED", "ASKED BY", ">FOR", "END", "REASON", *(["HOST"] if several else [])]
    return heads, [
        [
            f"{each.started_at.astimezone():%Y-%m-%d %H:%M:%S}",
            _WHO[each.asked_by.value],
            _lasted(each),
            _end(each),
            text(*(each.end_reason or each.reason)) or "-",
            *([each.host] if several else []),
        ]
        for each in loads
    ]


def _lasted(load: Activation) -> str:
    if load.loaded_at is None:
        return "-"
    seconds = max(int(((load.ended_at or datetime.now(UTC)) - load.loaded_at).total_seconds()), 0)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _end(load: Activation) -> str:
    if load.outcome is None:
        return "is loaded" if load.loaded_at else "is being loaded"
    by = f" by {_WHO[load.ended_by.value]}" if load.ended_by is not None else ""
    return f"{_ENDS[load.outcome.value]}{by}"
