"""``llmstack update``: which models have a newer version, what changed, what it costs; and to have it."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

from llmstack_tui.base.units import bytes_text
from llmstack_tui.cli import output
from llmstack_tui.cli.options import add_command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmstack_tui.cli.options import Commands, Invocation
    from llmstack_tui.hosts.host import Host
    from llmstack_tui.hosts.types import Model, Snapshot
    from llmstack_tui.updates.rules import Update

    Row = tuple[str, Model, Update]


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands, "update", run, "Update models to the newest version, or only say which have a newer one."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="models, as `llmstack ls` lists them")
    parser.add_argument(
        "--all", action="store_true", help="all that have a newer version; never those that were changed here"
    )
    parser.add_argument("--check", action="store_true", help="only list what is newer: nothing is downloaded")
    parser.add_argument(
        "-y", "--yes", action="store_true", help="do not ask before a model that was changed here is replaced"
    )


def run(call: Invocation) -> int:
    import asyncio

    options = call.options
    if not (options.check or options.all or options.names):
        raise output.WrongUsage("Name the models, or say --all, or --check to list only what is newer.")
    if options.all and options.names:
        raise output.WrongUsage("Name the models, or say --all; not both.")
    return asyncio.run(_check(call) if options.check else _update(call))


async def _check(call: Invocation) -> int:
    from llmstack_tui.cli.servers import connect

    async with connect(call) as hosts:
        _write(call, await _rows(call, hosts))
    return 0


async def _update(call: Invocation) -> int:
    from llmstack_tui.cli.progress import pull_all
    from llmstack_tui.cli.servers import connect, refuse_if_read_only
    from llmstack_tui.downloads.types import Why

    refuse_if_read_only(call)
    async with connect(call, act=True) as hosts:
        rows = await _rows(call, hosts)
        for problem in dict.fromkeys(update.problem for _, _, update in rows if update.problem):
            output.say(problem)
        wanted, failed = _of_all(rows) if call.options.all else _of_names(call, rows)
        code = await pull_all(call, hosts, wanted, Why.UPDATE) if wanted else 0
    return max(code, int(failed))


async def _rows(call: Invocation, hosts: Sequence[Host]) -> list[Row]:
    """The verdicts of now on the models that are meant."""
    from llmstack_tui.base.names import model_key
    from llmstack_tui.cli.servers import read_all
    from llmstack_tui.cli.verdicts import checker
    from llmstack_tui.cli.waiting import waiting

    snapshots = await read_all(hosts)
    wanted = frozenset(map(model_key, call.options.names)) or None
    if wanted:
        _refuse_unknown(call.options.names, snapshots)
    async with checker(call, hosts, snapshots) as checks:
        async with waiting("asking the registries", call.environ):
            await checks.check(wanted)
        return [
            (snapshot.url, model, checks.updates(snapshot.url)[model.name])
            for snapshot in snapshots
            for model in snapshot.installed
            if wanted is None or model_key(model.name) in wanted
        ]


def _of_all(rows: Sequence[Row]) -> tuple[list[tuple[str, str]], bool]:
    """What to pull, and whether anything could not be told."""
    from llmstack_tui.updates.rules import UpdateState

    wanted = [(host, model.name) for host, model, update in rows if update.is_for_all]
    failed = any(update.state is UpdateState.UNKNOWN and not update.changed_here for _, _, update in rows)
    if not wanted and not failed:
        output.say("There is nothing to update.")
    return wanted, failed


def _of_names(call: Invocation, rows: Sequence[Row]) -> tuple[list[tuple[str, str]], bool]:
    from llmstack_tui.core.wording import text
    from llmstack_tui.updates.rules import UpdateState

    wanted: list[tuple[str, str]] = []
    failed = False
    for host, model, update in rows:
        # Of what was made here nobody asked the registry yet.
        is_ours = update.changed_here or (update.state is UpdateState.LOCAL and update.checked_at is None)
        if update.state is UpdateState.CURRENT:
            output.say(f"{model.name} is up to date.")
        elif update.state is UpdateState.STALE or (is_ours and _may_replace(call, model)):
            wanted.append((host, model.name))
        elif not is_ours:
            output.say(f"{model.name} cannot be updated: {text(*update.reason)}")
            failed = True
    return wanted, failed


def _may_replace(call: Invocation, model: Model) -> bool:
    """Whether the registry's version may take the place of one that was changed here; asks."""
    if call.options.yes:
        return True
    what = f"{model.name} was made or changed here, and the registry's version takes its place."
    if call.json or not output.is_terminal(sys.stdin):
        raise output.Failed(f"{what} There is no terminal to ask on: say --yes if that is meant.")
    if not output.ask(f"{what} Replace it?"):
        raise output.Failed(f"{model.name} was not updated.")
    return True


def _refuse_unknown(names: Sequence[str], snapshots: Sequence[Snapshot]) -> None:
    from llmstack_tui.base.names import same_model

    installed = [model.name for snapshot in snapshots for model in snapshot.installed]
    for name in names:
        if not any(same_model(name, each) for each in installed):
            raise output.Failed(f"There is no model {name!r}: `llmstack ls` lists those that are there.")


def _write(call: Invocation, rows: Sequence[Row]) -> None:
    from llmstack_tui.cli.verdicts import document
    from llmstack_tui.updates.rules import UpdateState

    for problem in dict.fromkeys(update.problem for _, _, update in rows if update.problem):
        output.say(problem)
    if call.json:
        models = [
            {"host": host, "name": model.name, "digest": model.digest or None, "update": document(update)}
            for host, model, update in rows
        ]
        output.write_document({"models": models})
        return
    newer = [row for row in rows if row[2].state is UpdateState.STALE or row[2].changed_here]
    if newer:
        output.write_table(*_table(newer))
    counts = Counter(update.state for _, _, update in rows)
    said = ", ".join(f"{counts[state]} {_WORDS[state]}" for state in UpdateState if counts[state])
    output.say(f"{said}." if said else "No model is installed.")


_WORDS = {
    "current": "up to date",
    "stale": "with a newer version",
    "local": "only here",
    "cloud": "in the cloud",
    "unknown": "not known",
}


def _table(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    several = len({host for host, _, _ in rows}) > 1
    heads = ["NAME", "CHANGED", ">DOWNLOAD", "NOTE", *(["HOST"] if several else [])]
    return heads, [
        [
            model.name,
            ", ".join(update.changed) or "?",
            _download(update),
            _note(update),
            *([host] if several else []),
        ]
        for host, model, update in rows
    ]


def _download(update: Update) -> str:
    most = "≤ " if output.shows(sys.stdout, "≤") else "<= "
    return (most if update.at_most else "") + bytes_text(update.download)


def _note(update: Update) -> str:
    if update.changed_here:
        return "changed here?"
    return f"left alone: {update.left_alone}" if update.left_alone else ""
