"""``llmstack update --check``: which models have a newer version, what changed, and what an update costs."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

from llmstack_tui.cli import output
from llmstack_tui.cli.options import add_command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmstack_tui.cli.options import Commands, Invocation
    from llmstack_tui.hosts.types import Model, Snapshot
    from llmstack_tui.updates.check import Update

    Row = tuple[str, Model, Update]


def add_parser(commands: Commands) -> None:
    parser = add_command(commands, "update", run, "Say which models have a newer version.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="models, as `llmstack ls` lists them")
    parser.add_argument("--check", action="store_true", help="only list what is newer: nothing is downloaded")


def run(call: Invocation) -> int:
    import asyncio

    if not call.options.check:
        raise output.WrongUsage("Say `llmstack update --check`: it lists what is newer.")
    return asyncio.run(_check(call))


async def _check(call: Invocation) -> int:
    from llmstack_tui.cli.servers import connect, read_all
    from llmstack_tui.cli.verdicts import checker
    from llmstack_tui.cli.waiting import waiting
    from llmstack_tui.ollama.names import model_key

    async with connect(call) as hosts:
        snapshots = await read_all(hosts)
        wanted = frozenset(map(model_key, call.options.names)) or None
        if wanted:
            _refuse_unknown(call.options.names, snapshots)
        async with checker(call, hosts, snapshots) as checks:
            async with waiting("asking the registries", call.environ):
                await checks.check(wanted)
            rows: list[Row] = [
                (snapshot.url, model, checks.updates(snapshot.url)[model.name])
                for snapshot in snapshots
                for model in snapshot.installed
                if wanted is None or model_key(model.name) in wanted
            ]
    _write(call, rows)
    return 0


def _refuse_unknown(names: Sequence[str], snapshots: Sequence[Snapshot]) -> None:
    from llmstack_tui.ollama.names import same_model

    installed = [model.name for snapshot in snapshots for model in snapshot.installed]
    for name in names:
        if not any(same_model(name, each) for each in installed):
            raise output.Failed(f"There is no model {name!r}: `llmstack ls` lists those that are there.")


def _write(call: Invocation, rows: Sequence[Row]) -> None:
    from llmstack_tui.cli.verdicts import document
    from llmstack_tui.updates.check import UpdateState

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
    return (most if update.at_most else "") + output.size(update.download)


def _note(update: Update) -> str:
    if update.changed_here:
        return "changed here?"
    return f"left alone: {update.left_alone}" if update.left_alone else ""
