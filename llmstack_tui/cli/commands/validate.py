"""``llmstack validate``: whether a model works here, how fast, and what memory it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.languages import tr
from llmstack_tui.base.sentences import quoted, said
from llmstack_tui.cli import output
from llmstack_tui.cli.findings import document, write
from llmstack_tui.cli.loading import add_room_option, loading
from llmstack_tui.cli.stacks import locate, look, opened, refuse_read_only, running_urls
from llmstack_tui.core.validation import try_out
from llmstack_tui.doctor.rules.trials import judged_trial
from llmstack_tui.doctor.trial import Step, Trial
from llmstack_tui.hosts.errors import HostError
from llmstack_tui.lifecycle.states import ModelState

if TYPE_CHECKING:
    from argparse import Namespace

    from llmstack_tui.base.sentences import Sentences
    from llmstack_tui.cli.parser import Parser
    from llmstack_tui.core.open import Core


def add_options(parser: Parser) -> None:
    parser.add_argument("name", metavar=tr("NAME"), help=tr("a model, as `llmstack ls` lists it"))
    parser.add_argument("-y", "--yes", action="store_true", help=tr("load it without a question"))
    add_room_option(parser)


async def run(core: Core, options: Namespace) -> int:
    report = judged_trial(await _try(core, options))
    output.answer(options, document(report), lambda: write(report, everything=True))
    return 1 if report.broken else 0


async def _try(core: Core, options: Namespace) -> Trial:
    urls = await running_urls(core)
    if urls is None:
        _agree(
            core,
            options,
            tr("No server runs. Start the built-in engine for it, and load {model}?", model=options.name),
        )
    async with opened(core, urls, processes=True, start="owner") as stack:
        try:
            await look(stack)
        except HostError as error:
            return _failed(options, Step.SERVICE, said(error))
        try:
            status = locate(stack, options.name, short=True)
        except output.Failed as error:
            return _failed(options, Step.MODEL, (quoted(str(error)),))
        if urls is not None and status.running is None and status.state is not ModelState.CLOUD:
            _agree(core, options, tr("{model} is not loaded. Load it?", model=status.name))
        await stack.prepare()
        doing = tr("Trying {model}", model=status.name)
        async with loading(stack, status, options, core.environ, doing) as confirm:
            return await try_out(stack, status, confirm)


def _agree(core: Core, options: Namespace, question: str) -> None:
    refuse_read_only(core)
    output.confirm(options, question, tr("Nothing was loaded."))


def _failed(options: Namespace, step: Step, why: Sentences) -> Trial:
    return Trial(name=options.name, failed=step, why=why)
