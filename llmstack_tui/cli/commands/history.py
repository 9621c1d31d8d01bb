"""``llmstack history``: when a model was loaded and how that ended, and which versions were installed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from llmstack_tui.base.names import listed_name
from llmstack_tui.base.units import bytes_text
from llmstack_tui.cli import output
from llmstack_tui.cli.options import count
from llmstack_tui.cli.stacks import opened
from llmstack_tui.core.types import StoreError
from llmstack_tui.core.wording import text

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from llmstack_tui.cli.options import Parser
    from llmstack_tui.core.open import Core
    from llmstack_tui.core.stack import Stack
    from llmstack_tui.core.state import HostState
    from llmstack_tui.core.types import Activation, SeenModel

    _Version = tuple[SeenModel, bool]

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


def add_options(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME", nargs="?", help="a model, also one that was removed")
    parser.add_argument(
        "--gone", action="store_true", help="only versions that were installed once and are no more"
    )
    parser.add_argument("--limit", metavar="N", type=count, default=20, help="the newest N (default: 20)")


async def run(core: Core, options: Namespace) -> int:
    if options.name is None and not options.gone:
        raise output.WrongUsage("Name a model, or --gone for all that were removed or replaced.")
    async with opened(core, ()) as stack:
        is_empty = stack.records.is_empty
    loads, versions = ([], []) if is_empty else await _read(core, options)
    if options.json:
        output.write_document(document(loads, versions))
        return 0
    if loads:
        output.write_table(*_load_table(loads))
    if versions:
        output.write("\n" if loads else "", end="")
        output.write_table(*_version_table(versions))
    if not loads and not versions:
        output.say(
            "No model that is gone is on record."
            if options.gone
            else f"Nothing is on record of {options.name}: it was not loaded while llmstack looked on."
        )
    return 0


async def _read(core: Core, options: Namespace) -> tuple[list[Activation], list[_Version]]:
    """The newest loads, and the newest versions."""
    loads: list[Activation] = []
    versions: list[_Version] = []
    ways = _ways_to_write(options.name) if options.name is not None else (None,)
    async with opened(core) as stack:
        await stack.look()
        try:
            for host in stack.state.hosts:
                for name in ways:
                    if name is not None and not options.gone:
                        loads += await stack.records.activations(host.snapshot.url, name, options.limit)
                versions += await _versions(stack, host, ways)
        except StoreError as error:
            raise output.Failed(str(error)) from None
    loads.sort(key=lambda each: each.id, reverse=True)
    versions = [each for each in versions if not (each[1] and options.gone)]
    versions.sort(key=lambda each: each[0].last_seen_at, reverse=True)
    return loads[: options.limit], versions[: options.limit]


async def _versions(stack: Stack, host: HostState, ways: Sequence[str | None]) -> list[_Version]:
    """Each version that was seen on a host, and whether it is installed now.

    A host that does not answer is taken to have what it listed last.
    """
    snapshot = host.snapshot
    seen = [each for way in ways for each in await stack.records.versions(snapshot.url, way)]
    if not seen:
        return []
    models = snapshot.installed
    if snapshot.error is not None:
        output.say(str(snapshot.error))
        models = await stack.records.installed(snapshot.url)
    installed = {(model.name, model.digest) for model in models}
    return [(each, (each.name, each.digest) in installed) for each in seen]


def _ways_to_write(name: str) -> tuple[str, ...]:
    """As the record may have it: with its tag, and as somebody asked for it without."""
    short = listed_name(name)
    return tuple(dict.fromkeys((short, short.removesuffix(":latest"), name)))


def document(loads: Sequence[Activation], versions: Sequence[_Version]) -> dict[str, object]:
    return {
        "loads": [_load(each) for each in loads],
        "versions": [_version(*each) for each in versions],
    }


def _load(load: Activation) -> dict[str, object]:
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


def _version(version: SeenModel, is_installed: bool) -> dict[str, object]:
    return {
        "host": version.host,
        "name": version.name,
        "digest": version.digest,
        "size": version.size,
        "first_seen_at": output.iso(version.first_seen_at),
        "last_seen_at": output.iso(version.last_seen_at),
        "installed": is_installed,
    }


def _version_table(versions: Sequence[_Version]) -> tuple[list[str], list[list[str]]]:
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


def _load_table(loads: Sequence[Activation]) -> tuple[list[str], list[list[str]]]:
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
    return output.clock(int(((load.ended_at or datetime.now(UTC)) - load.loaded_at).total_seconds()))


def _end(load: Activation) -> str:
    if load.outcome is None:
        return "is loaded" if load.loaded_at else "is being loaded"
    by = f" by {_WHO[load.ended_by.value]}" if load.ended_by is not None else ""
    return f"{_ENDS[load.outcome.value]}{by}"
