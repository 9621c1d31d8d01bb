"""``llmstack variables``: the variables of a real Ollama, and how they are set."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from llmstack_tui.base.languages import tr, tr_n
from llmstack_tui.base.sentences import listed
from llmstack_tui.cli import output
from llmstack_tui.cli.quiet import until_quiet
from llmstack_tui.cli.root import run_as_root
from llmstack_tui.cli.stacks import opened, refuse_read_only
from llmstack_tui.core.wording import text
from llmstack_tui.variables.files import left
from llmstack_tui.variables.plans import planned
from llmstack_tui.variables.rules.edits import difference
from llmstack_tui.variables.rules.shown import origin_text, value_text
from llmstack_tui.variables.types import Origin, Standing

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping

    from llmstack_tui.cli.parser import Parser
    from llmstack_tui.core.open import Core
    from llmstack_tui.variables.types import Changed, Overview, VariableChange, VariableRow

_ACTIONS = ("set", "unset", "suggest")


def add_options(parser: Parser) -> None:
    parser.add_argument(
        "action",
        nargs="?",
        choices=_ACTIONS,
        help=tr("set variables, take them out, or show what suits this machine (default: list them)"),
    )
    parser.add_argument(
        "names",
        metavar=tr("NAME=VALUE"),
        nargs="*",
        help=tr("what to set, as OLLAMA_KEEP_ALIVE=10m; with unset only the name"),
    )
    parser.add_argument("--all", action="store_true", help=tr("list those, too, that have their default"))
    parser.add_argument(
        "--restart",
        action="store_true",
        help=tr(
            "restart Ollama, so that it runs with them; if it does not come up, everything is taken back"
        ),
    )
    parser.add_argument("-y", "--yes", action="store_true", help=tr("do not ask"))


async def run(core: Core, options: Namespace) -> int:
    if options.action is None or options.action == "suggest":
        if options.names or options.restart:
            raise output.WrongUsage(tr("Say `set` before what is to be set."))
        overview = await (await core.server_variables()).overview()
        return output.answer(options, document(overview), lambda: _write(overview, options))
    if not options.names:
        raise output.WrongUsage(tr("Which variables? For example OLLAMA_KEEP_ALIVE=10m."))
    refuse_read_only(core)
    return await _change(core, options, _values(options))


def _values(options: Namespace) -> Mapping[str, str | None]:
    """What is to be set, None to be taken out."""
    if options.action == "unset":
        if pairs := [each for each in options.names if "=" in each]:
            raise output.WrongUsage(tr("{text!r}: with unset, give only the name.", text=pairs[0]))
        return {_name(each): None for each in options.names}
    found: dict[str, str | None] = {}
    for each in options.names:
        name, is_pair, value = each.partition("=")
        if not is_pair:
            raise output.WrongUsage(tr("{text!r} is not NAME=VALUE.", text=each))
        found[_name(name)] = value
    return found


def _name(text: str) -> str:
    """A name without Ollama's prefix, in any case, is meant as well."""
    name = text.strip().upper()
    return name if name.startswith("OLLAMA_") else f"OLLAMA_{name}"


async def _change(core: Core, options: Namespace, values: Mapping[str, str | None]) -> int:
    variables = await core.server_variables()
    overview = await variables.overview()
    change = planned(overview, values)
    if change.is_done and not options.restart:
        said = tr("{file} has that already; nothing was changed.", file=str(change.target.file))
        return output.answer(options, _document_of(change, None), lambda: output.inform(said))
    if not options.json:
        for line in difference(change.before, change.after):
            output.write(line)
    if change.by_hand:
        output.say(tr("{file} was edited by hand: that would be lost.", file=str(change.target.file)))
    output.confirm(options, _question(change, options), tr("Nothing was changed."))
    try:
        done = await variables.change(
            change, restart=options.restart, as_root=run_as_root, until_free=lambda: _free(core, overview.url)
        )
    except asyncio.CancelledError:
        output.say(text(left(change)))
        output.say(tr("`llmstack service` shows whether Ollama runs."))
        raise
    output.answer(options, _document_of(change, done), lambda: _say(done))
    if done.rolled_back:
        raise output.Failed(text(*done.rolled_back))
    return 0


async def _free(core: Core, url: str) -> None:
    """Return when no request runs, as far as that shows."""

    def tell(models: tuple[str, ...]) -> None:
        output.say(tr("Waiting for the running requests of {models}.", models=listed(models)))

    async with opened(core, (url,), processes=True) as stack:
        await until_quiet(stack, url, tell)


def _question(change: VariableChange, options: Namespace) -> str:
    if options.restart:
        return tr("Write {file} and restart Ollama?", file=str(change.target.file))
    return tr("Write {file}?", file=str(change.target.file))


def _say(done: Changed) -> None:
    if done.rolled_back:
        return
    output.inform(tr("Written: {file}.", file=str(done.file)))
    if done.backup is not None:
        output.inform(tr("What it was before is in {backup}.", backup=str(done.backup)))
    if not done.was_restarted:
        output.inform(tr("Ollama reads it when it starts: `llmstack service restart`."))


def _write(overview: Overview, options: Namespace) -> None:
    if options.action == "suggest":
        _write_suggestions(overview)
        return
    shown = [each for each in overview.rows if options.all or _is_of_interest(each)]
    output.write_table(
        [tr("VARIABLE"), tr("IN FORCE"), tr("FROM"), tr("SET")],
        [[each.name, value_text(each), origin_text(each), _set_text(each)] for each in shown],
    )
    if hidden := len(overview.rows) - len(shown):
        output.inform(
            tr_n("1 more has its default: --all.", "{count} more have their default: --all.", hidden)
        )
    for each in overview.rows:
        if each.fault is not None:
            output.say(text(each.fault))
    if overview.pid is None:
        output.inform(tr("Ollama does not run at {url}.", url=overview.url))
    if overview.why_not is not None:
        output.inform(text(overview.why_not))


def _is_of_interest(row: VariableRow) -> bool:
    return bool(row.sources) or row.standing is not Standing.FINE or row.origin not in _PLAIN


_PLAIN = (Origin.DEFAULT, Origin.UNKNOWN)


def _write_suggestions(overview: Overview) -> None:
    rows = [(each, each.suggestion) for each in overview.rows if each.suggestion is not None]
    output.write_table(
        [tr("VARIABLE"), tr("IN FORCE"), tr("SUITS"), tr("WHY")],
        [[each.name, value_text(each), found.value, text(found.why)] for each, found in rows],
    )
    wanted = [f"{each.name}={found.value}" for each, found in rows if each.wanted != found.value]
    if wanted and overview.target is not None:
        output.inform(tr("To set them: {command}", command=f"llmstack variables set {' '.join(wanted)}"))


def _set_text(row: VariableRow) -> str:
    if row.standing is Standing.IDLE:
        return tr("{value}, not in force", value=row.wanted or "")
    if row.standing is Standing.UNSET:
        return tr("nowhere")
    return row.wanted or "-"


def document(overview: Overview) -> dict[str, object]:
    return {
        "url": overview.url,
        "pid": overview.pid,
        "file": overview.target.file if overview.target else None,
        "reason": text(overview.why_not) if overview.why_not else None,
        "edited_by_hand": overview.by_hand,
        "variables": [_row(each) for each in overview.rows],
    }


def _row(row: VariableRow) -> dict[str, object]:
    return {
        "name": row.name,
        "value": row.value,
        "origin": row.origin.name.lower(),
        "file": row.file or None,
        "set": row.wanted,
        "standing": row.standing,
        "fault": text(row.fault) if row.fault else None,
        "default": row.variable.default or None,
        "known": row.is_known,
        "suggestion": row.suggestion.value if row.suggestion else None,
        "purpose": row.variable.purpose or None,
    }


def _document_of(change: VariableChange, done: Changed | None) -> dict[str, object]:
    return {
        "file": change.target.file,
        "values": change.values,
        "changed": done is not None and not done.rolled_back,
        "backup": done.backup if done else None,
        "restarted": done is not None and done.was_restarted,
        "rolled_back": text(*done.rolled_back) if done and done.rolled_back else None,
    }
