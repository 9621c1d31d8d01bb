"""``llmstack history``: when a model was loaded, how each load ended, and which versions were installed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec.structs import asdict

from llmstack_tui.base.languages import tr, tr_n
from llmstack_tui.base.names import listed_name
from llmstack_tui.base.units import ago_text, bytes_text
from llmstack_tui.cli import output
from llmstack_tui.cli.options import count
from llmstack_tui.cli.stacks import opened, recorded, save_installed
from llmstack_tui.core.wording import text, words
from llmstack_tui.lifecycle.wording import ACTORS, end_text

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from llmstack_tui.cli.parser import Parser
    from llmstack_tui.core.open import Core
    from llmstack_tui.core.stack import Stack
    from llmstack_tui.core.state import HostState
    from llmstack_tui.core.types import Activation, SeenModel

    _Version = tuple[SeenModel, bool]


def add_options(parser: Parser) -> None:
    parser.add_argument("name", metavar=tr("NAME"), nargs="?", help=tr("a model, maybe one that was removed"))
    parser.add_argument("--gone", action="store_true", help=tr("only versions that are no longer installed"))
    parser.add_argument("--limit", metavar="N", type=count, default=20, help=tr("the newest N (default: 20)"))


async def run(core: Core, options: Namespace) -> int:
    if options.name is None and not options.gone:
        raise output.WrongUsage(tr("Name a model, or give --gone for all that were removed or replaced."))
    async with opened(core, ()) as stack:
        is_empty = stack.records.is_empty
    loads, versions = ([], []) if is_empty else await _read(core, options)
    more = max(len(loads), len(versions)) > options.limit
    loads, versions = loads[: options.limit], versions[: options.limit]
    said = tr_n(
        "Only the newest is shown: --limit N shows more.",
        "The newest {count:,} are shown: --limit N shows more.",
        options.limit,
    )
    return output.answer(
        options,
        document(loads, versions) | {"more": more},
        lambda: _write(options, loads, versions),
        lambda: output.inform(said) if more else None,
    )


async def _read(core: Core, options: Namespace) -> tuple[list[Activation], list[_Version]]:
    """The newest loads, and the newest versions: one more than was asked for tells that there are more."""
    loads: list[Activation] = []
    versions: list[_Version] = []
    names = _recorded_names(options.name) if options.name is not None else (None,)
    async with opened(core) as stack:
        await recorded(stack.records.readable(), tr("What was recorded cannot be read"))
        await stack.look()
        await save_installed(stack)
        for host in stack.state.hosts:
            for name in names:
                if name is not None and not options.gone:
                    loads += await stack.records.activations(host.snapshot.url, name, options.limit + 1)
            versions += await _versions(stack, host, names)
    loads.sort(key=lambda each: each.id, reverse=True)
    versions = [each for each in versions if not (each[1] and options.gone)]
    versions.sort(key=lambda each: each[0].last_seen_at, reverse=True)
    return loads, versions


async def _versions(stack: Stack, host: HostState, names: Sequence[str | None]) -> list[_Version]:
    """Each version that was seen on a host, and whether it is installed now.

    For a host that does not answer, its last list counts.
    """
    snapshot = host.snapshot
    seen = [each for name in names for each in await stack.records.versions(snapshot.url, name)]
    if not seen:
        return []
    models = snapshot.installed
    if snapshot.error is not None:
        output.say(words(snapshot.error))
        models = await stack.records.installed(snapshot.url)
    installed = {(model.name, model.digest) for model in models}
    return [(each, (each.name, each.digest) in installed) for each in seen]


def _recorded_names(name: str) -> tuple[str, ...]:
    """The names under which a model may be recorded: with its tag, without it, and as it was given."""
    short = listed_name(name)
    return tuple(dict.fromkeys((short, short.removesuffix(":latest"), name)))


def _write(options: Namespace, loads: Sequence[Activation], versions: Sequence[_Version]) -> None:
    if loads:
        _write_loads(loads)
    if versions:
        output.write_text("\n" if loads else "", end="")
        _write_versions(versions)
    if not loads and not versions:
        output.inform(
            tr("No version is known that was removed or replaced.")
            if options.gone
            else tr(
                "Nothing is recorded about {model}: it was not loaded while llmstack ran.", model=options.name
            )
        )


def document(loads: Sequence[Activation], versions: Sequence[_Version]) -> dict[str, object]:
    return {
        "loads": [_load(each) for each in loads],
        "versions": [asdict(each) | {"installed": is_installed} for each, is_installed in versions],
    }


def _load(load: Activation) -> dict[str, object]:
    return {
        "host": load.host,
        "name": load.model,
        "digest": load.digest or None,
        "asked_by": load.asked_by,
        "reason": text(*load.reason) or None,
        "context_length": load.context_length,
        "keep_alive": load.keep_alive,
        "started_at": load.started_at,
        "loaded_at": load.loaded_at,
        "ended_at": load.ended_at,
        "outcome": load.outcome,
        "ended_by": load.ended_by,
        "end_reason": text(*load.end_reason) or None,
    }


def _write_versions(versions: Sequence[_Version]) -> None:
    now = datetime.now(UTC)
    rows = [
        [
            each.name,
            each.digest[:12] or "-",
            bytes_text(each.size),
            ago_text(each.first_seen_at, now),
            tr("installed") if is_installed else ago_text(each.last_seen_at, now),
        ]
        for each, is_installed in versions
    ]
    heads = [tr("NAME"), tr("VERSION"), tr(">SIZE?"), tr("FIRST SEEN?"), tr("LAST SEEN")]
    output.write_table(heads, rows, [each.host for each, _ in versions])


def _write_loads(loads: Sequence[Activation]) -> None:
    rows = [
        [
            f"{each.started_at.astimezone():%Y-%m-%d %H:%M:%S}",
            tr(ACTORS[each.asked_by]),
            _lasted(each),
            end_text(each),
            text(*(each.end_reason or each.reason)) or "-",
        ]
        for each in loads
    ]
    heads = [tr("WHEN"), tr("ASKED BY?"), tr(">FOR"), tr("END"), tr("REASON")]
    output.write_table(heads, rows, [each.host for each in loads])


def _lasted(load: Activation) -> str:
    if load.loaded_at is None:
        return "-"
    return output.clock(int(((load.ended_at or datetime.now(UTC)) - load.loaded_at).total_seconds()))
