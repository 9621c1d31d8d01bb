"""``llmstack update``: list the models that have a newer version, with what changed, or update them."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

from llmstack_tui.base.languages import later_n, tr, tr_n
from llmstack_tui.base.names import model_key, same_model
from llmstack_tui.base.units import bytes_text
from llmstack_tui.cli import output
from llmstack_tui.cli.commands.ls import update_document
from llmstack_tui.cli.progress import pull_all, waiting
from llmstack_tui.cli.stacks import answering, look, opened, save_installed
from llmstack_tui.core.wording import text
from llmstack_tui.downloads.types import Why
from llmstack_tui.updates.rules import UpdateState

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from llmstack_tui.cli.parser import Parser
    from llmstack_tui.core.open import Core
    from llmstack_tui.core.stack import Stack
    from llmstack_tui.hosts.types import Model
    from llmstack_tui.updates.rules import Update

    Row = tuple[str, Model, Update]

_SUMMARIES = {
    UpdateState.CURRENT: later_n("1 up to date", "{count} up to date"),
    UpdateState.STALE: later_n("1 with a newer version", "{count} with a newer version"),
    UpdateState.CLOUD: later_n("1 in the cloud", "{count} in the cloud"),
    UpdateState.UNKNOWN: later_n("1 not known", "{count} not known"),
    UpdateState.LOCAL: later_n(
        "1 local model has no registry to check", "{count} local models have no registry to check"
    ),
}


def add_options(parser: Parser) -> None:
    parser.add_argument(
        "names", nargs="*", metavar=tr("NAME"), help=tr("models, as `llmstack ls` lists them")
    )
    parser.add_argument(
        "--all", action="store_true", help=tr("all that have a newer version, except those changed here")
    )
    parser.add_argument(
        "--check", action="store_true", help=tr("only list newer versions: downloads nothing")
    )
    parser.add_argument(
        "-y",
        "--yes",
        action="store_true",
        help=tr("do not ask before replacing a model that was changed here"),
    )


async def run(core: Core, options: Namespace) -> int:
    if not (options.check or options.all or options.names):
        raise output.WrongUsage(tr("Name the models, or give --all, or --check to only list newer versions."))
    if options.all and options.names:
        raise output.WrongUsage(tr("Name the models, or give --all; not both."))
    async with opened(core, act=not options.check) as stack:
        rows = await _checked(core, options, stack)
        for problem in dict.fromkeys(text(*update.problems) for _, _, update in rows if update.problems):
            output.say(problem)
        if options.check:
            return output.answer(options, document(rows), lambda: _write(rows))
        wanted, failed = _of_all(rows) if options.all else _of_names(options, rows)
        code = await pull_all(core, options, stack, wanted, Why.UPDATE) if wanted else 0
    return max(code, int(failed))


async def _checked(core: Core, options: Namespace, stack: Stack) -> list[Row]:
    """The named models, or all of them, with what their registries say now."""
    await look(stack)
    await save_installed(stack)
    _refuse_unknown(options.names, stack)
    async with waiting(tr("Asking the registries"), core.environ):
        await stack.updates.check(options.names or None)
    keys = frozenset(map(model_key, options.names))
    return [
        (host.snapshot.url, model, host.updates[model.name])
        for host in answering(stack)
        for model in host.snapshot.installed
        if not keys or model_key(model.name) in keys
    ]


def _of_all(rows: Sequence[Row]) -> tuple[list[tuple[str, str]], bool]:
    """The models to pull, and whether the check of any model failed."""
    wanted = [(host, model.name) for host, model, update in rows if update.is_for_all]
    failed = any(update.state is UpdateState.UNKNOWN and not update.changed_here for _, _, update in rows)
    if not wanted and not failed:
        output.inform(tr("There is nothing to update."))
    return wanted, failed


def _of_names(options: Namespace, rows: Sequence[Row]) -> tuple[list[tuple[str, str]], bool]:
    wanted: list[tuple[str, str]] = []
    failed = False
    for host, model, update in rows:
        # For a model that was made here, the registry was not asked.
        is_ours = update.changed_here or (update.state is UpdateState.LOCAL and update.checked_at is None)
        if update.state is UpdateState.CURRENT:
            output.inform(tr("{model} is up to date.", model=model.name))
        elif update.state is UpdateState.STALE or is_ours:
            if update.state is not UpdateState.STALE:
                question = tr(
                    "{model} was made or changed here, and the registry's version takes its place. Replace "
                    "it?",
                    model=model.name,
                )
                output.confirm(options, question, tr("{model} was not updated.", model=model.name))
            wanted.append((host, model.name))
        else:
            output.say(tr("{model} cannot be updated: {why}", model=model.name, why=text(*update.reason)))
            failed = True
    return wanted, failed


def _refuse_unknown(names: Sequence[str], stack: Stack) -> None:
    installed = [model.name for host in answering(stack) for model in host.snapshot.installed]
    for name in names:
        if not any(same_model(name, each) for each in installed):
            raise output.Failed(
                tr("There is no model {name!r}: `llmstack ls` lists the installed ones.", name=name)
            )


def document(rows: Sequence[Row]) -> dict[str, object]:
    return {
        "models": [
            {
                "host": host,
                "name": model.name,
                "digest": model.digest or None,
                "update": update_document(update),
            }
            for host, model, update in rows
        ]
    }


def _write(rows: Sequence[Row]) -> None:
    newer = [row for row in rows if row[2].state is UpdateState.STALE or row[2].changed_here]
    if newer:
        _write_table(newer)
    counts = Counter(update.state for _, _, update in rows)
    said = [tr_n(*_SUMMARIES[state], counts[state]) for state in UpdateState if counts[state]]
    output.inform(f"{', '.join(said)}." if said else tr("No model is installed."))


def _write_table(rows: Sequence[Row]) -> None:
    cells = [
        [model.name, ", ".join(map(tr, update.changed)) or "?", _download(update), _note(update)]
        for _, model, update in rows
    ]
    output.write_table(
        [tr("NAME"), tr("CHANGED?"), tr(">DOWNLOAD"), tr("NOTE")], cells, [host for host, _, _ in rows]
    )


def _download(update: Update) -> str:
    most = "≤ " if output.shows(sys.stdout, "≤") else "<= "
    return (most if update.at_most else "") + bytes_text(update.download)


def _note(update: Update) -> str:
    if update.changed_here:
        return tr("changed here?")
    return tr("left alone: {what}", what=update.left_alone) if update.left_alone else ""
