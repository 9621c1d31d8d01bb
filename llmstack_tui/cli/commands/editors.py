"""``llmstack editors``: the settings with which editors and agents use a model, and a test from here."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from llmstack_tui.base.languages import tr, tr_n
from llmstack_tui.base.sentences import listed
from llmstack_tui.cli import output
from llmstack_tui.cli.loading import add_room_option, loading
from llmstack_tui.cli.progress import waiting
from llmstack_tui.cli.stacks import answering, locate, look, opened, refuse_read_only
from llmstack_tui.core.wording import text
from llmstack_tui.editors.rules.clients import LABELS
from llmstack_tui.editors.rules.keys import exports, masked
from llmstack_tui.editors.rules.remarks import remarks, works
from llmstack_tui.editors.types import Client, Setup
from llmstack_tui.lifecycle.states import ModelState

if TYPE_CHECKING:
    from argparse import Namespace

    from llmstack_tui.base.text_files import Written
    from llmstack_tui.cli.parser import Parser
    from llmstack_tui.core.open import Core
    from llmstack_tui.core.stack import Stack
    from llmstack_tui.editors.types import Endpoint, TrialReport, Unsuited
    from llmstack_tui.lifecycle.states import ModelStatus

_MARKS = {True: "✓", False: "✗", None: "·"}
_ASCII_MARKS = {True: "+", False: "x", None: "-"}


def add_options(parser: Parser) -> None:
    parser.add_argument(
        "name",
        metavar=tr("NAME"),
        nargs="?",
        help=tr("a model, as `llmstack ls` lists it (default: the one that is active)"),
    )
    parser.add_argument(
        "--for",
        dest="client",
        choices=tuple(map(str, Client)),
        help=tr("the settings of this one; without it, all are listed"),
    )
    parser.add_argument(
        "--write",
        action="store_true",
        help=tr("write the settings into the client's file, after a question; the file is copied before"),
    )
    parser.add_argument("--yes", action="store_true", help=tr("with --write: do not ask"))
    parser.add_argument(
        "--with-key", action="store_true", help=tr("show the server's key, which is hidden otherwise")
    )
    parser.add_argument(
        "--test",
        action="store_true",
        help=tr("send one request as the client does, and say what came back; loads the model if necessary"),
    )
    add_room_option(parser)


async def run(core: Core, options: Namespace) -> int:
    _check_usage(options)
    if options.write:
        refuse_read_only(core)
    async with opened(core, processes=options.test) as stack:
        await look(stack)
        status = locate(stack, options.name, short=True) if options.name else _active(stack)
        if options.test and status.running is None and status.state is not ModelState.CLOUD:
            status = await _loaded(core, options, stack, status)
        return await _answer(core, options, stack, status)


def _check_usage(options: Namespace) -> None:
    if options.client is None and (options.write or options.test or options.with_key):
        raise output.WrongUsage(tr("Say which client is meant: --for zed, for example."))
    if options.json and options.with_key:
        raise output.WrongUsage(tr("A document never has the key: leave out --json or --with-key."))


def _active(stack: Stack) -> ModelStatus:
    """The one model that is loaded."""
    loaded = [each for host in answering(stack) for each in host.models if each.running is not None]
    if not loaded:
        raise output.Failed(tr("No model is active: name one, or load one with `llmstack start NAME`."))
    if len(loaded) > 1:
        names = listed(each.name for each in loaded)
        raise output.Failed(tr("Several models are active: which of {names}?", names=names))
    return loaded[0]


async def _loaded(core: Core, options: Namespace, stack: Stack, status: ModelStatus) -> ModelStatus:
    await stack.prepare()
    async with loading(stack, status, options, core.environ) as confirm:
        await stack.actions.activate(status.host, status.name, confirm=confirm)
    await look(stack, status.host)
    return stack.status(status.host, status.name) or status


async def _answer(core: Core, options: Namespace, stack: Stack, status: ModelStatus) -> int:
    editors = stack.editors
    snapshot = stack.monitors[status.host].snapshot
    can = await stack.actions.capabilities(status.host, status.name)
    endpoint = editors.endpoint(snapshot, status.name, can)
    offered = editors.offers(endpoint)
    if options.client is None:
        found = document(status, endpoint, offered)
        return output.answer(options, found, lambda: _write_table(offered))
    (offer,) = (each for each in offered if each.client == options.client)
    if not isinstance(offer, Setup):
        raise output.Failed(text(offer.reason))
    if not options.json:
        _write_settings(options, stack, offer, endpoint)
    written = await _written(options, stack, offer, endpoint) if options.write else None
    trial = None
    if options.test:
        async with waiting(tr("Waiting for the answer"), core.environ):
            trial = await editors.test(offer.api, endpoint)
    if options.json:
        output.write_document(document(status, endpoint, (offer,), written, trial))
    elif trial is not None:
        _write_remarks(trial, endpoint)
    return 0 if trial is None or works(trial) else 1


def _write_table(offered: tuple[Setup | Unsuited, ...]) -> None:
    rows = [[each.client.value, LABELS[each.client], *_about(each)] for each in offered]
    output.write_table([tr("FOR"), tr("CLIENT"), tr("SPEAKS"), tr("SETTINGS")], rows)
    output.inform(tr("`llmstack editors NAME --for CLIENT` shows the settings, --write writes them."))


def _about(offer: Setup | Unsuited) -> list[str]:
    if not isinstance(offer, Setup):
        return ["-", text(offer.reason)]
    return [offer.api.value, str(offer.files[-1]) if offer.files else tr("to be pasted or typed")]


def _write_settings(options: Namespace, stack: Stack, setup: Setup, endpoint: Endpoint) -> None:
    """The settings to standard output; what to do with them is no part of that."""
    if options.with_key:
        output.write_text(stack.editors.whole(setup, endpoint).text)
    else:
        output.write_text(masked(setup.text))
    if output.is_terminal(sys.stdout):
        output.write("")
    if setup.variables:
        output.inform(tr("In its environment:"))
        shown = stack.editors.exports(setup, endpoint).text if options.with_key else None
        for line in (shown or masked(exports(setup.variables))).splitlines():
            output.inform(line)
    if setup.files:
        output.inform(tr("These belong into {file}.", file=str(setup.files[-1])))
    for note in setup.notes:
        output.inform(text(note))


async def _written(options: Namespace, stack: Stack, setup: Setup, endpoint: Endpoint) -> Written | None:
    """Write the settings, if the user wants it; None where they are there already."""
    plan = await stack.editors.plan(setup, endpoint)
    if plan.is_done:
        output.inform(tr("{file} has these settings already.", file=str(plan.file)))
        return None
    if plan.link is not None:
        output.inform(tr("{link} is a link: {file} is written.", link=str(plan.link), file=str(plan.file)))
    if plan.replaced:
        names = listed(plan.replaced)
        output.inform(
            tr_n(
                "Another value replaces that of {names}.",
                "Other values replace those of {names}.",
                len(plan.replaced),
                names=names,
            )
        )
    question = tr("Write the settings into {file}?", file=str(plan.file))
    output.confirm(options, question, tr("Nothing was written."))
    written = await stack.editors.write(setup, plan, endpoint)
    said = tr("Written: {file}.", file=str(written.file))
    if written.backup is not None:
        said = tr(
            "Written: {file}. What it was before is in {backup}.",
            file=str(written.file),
            backup=str(written.backup),
        )
    output.inform(said)
    return written


def _write_remarks(trial: TrialReport, endpoint: Endpoint) -> None:
    marks = _MARKS if output.shows(sys.stdout, "".join(_MARKS.values())) else _ASCII_MARKS
    for each in remarks(trial, endpoint):
        output.write(f"{marks[each.is_good]} {text(each.sentence)}")


def document(
    status: ModelStatus,
    endpoint: Endpoint,
    offered: tuple[Setup | Unsuited, ...],
    written: Written | None = None,
    trial: TrialReport | None = None,
) -> dict[str, object]:
    return {
        "host": status.host,
        "name": status.name,
        "state": status.state,
        "context_length": endpoint.context_length,
        "has_key": endpoint.has_key,
        "clients": [_client(each) for each in offered],
        "written": written and {"file": written.file, "backup": written.backup},
        "test": trial and _trial(trial, endpoint),
    }


def _client(offer: Setup | Unsuited) -> dict[str, object]:
    """The key is masked in all of it."""
    found: dict[str, object] = {"client": offer.client, "label": LABELS[offer.client]}
    if not isinstance(offer, Setup):
        return {
            **found,
            "reason": text(offer.reason),
            "api": None,
            "form": None,
            "settings": None,
            "file": None,
            "environment": {},
            "notes": [],
        }
    return {
        **found,
        "reason": None,
        "api": offer.api,
        "form": offer.form,
        "settings": masked(offer.text),
        "file": offer.files[-1] if offer.files else None,
        "environment": {name: masked(value) for name, value in offer.variables.items()},
        "notes": [text(note) for note in offer.notes],
    }


def _trial(trial: TrialReport, endpoint: Endpoint) -> dict[str, object]:
    heard = trial.heard
    return {
        "works": works(trial),
        "api": trial.api,
        "status": trial.status,
        "first_token": trial.first_token_s,
        "seconds": trial.seconds,
        "ended": heard.is_closed,
        "cut": heard.was_cut,
        "had_tools": trial.had_tools,
        "tool": heard.tool or None,
        "arguments": heard.arguments or None,
        "text": heard.text,
        "without_key": trial.without_key,
        "remarks": [{"good": each.is_good, "text": text(each.sentence)} for each in remarks(trial, endpoint)],
    }
