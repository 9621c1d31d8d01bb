"""``llmstack doctor``: what is wrong with this installation, and how to mend it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from llmstack_tui.base.languages import tr
from llmstack_tui.cli import output
from llmstack_tui.cli.findings import document, write
from llmstack_tui.cli.stacks import refuse_read_only
from llmstack_tui.core.wording import text

if TYPE_CHECKING:
    from argparse import Namespace

    from llmstack_tui.cli.parser import Parser
    from llmstack_tui.core.check_up import CheckUp
    from llmstack_tui.core.open import Core
    from llmstack_tui.doctor.types import Finding, Report


def add_options(parser: Parser) -> None:
    parser.add_argument("--all", action="store_true", help=tr("show what does not apply here, too"))
    parser.add_argument(
        "--report",
        metavar=tr("FILE"),
        type=Path,
        help=tr("also write what fits a bug report, without secrets and names"),
    )
    parser.add_argument("--fix", metavar="ID", help=tr("carry out the fix of a finding, after a question"))
    parser.add_argument("-y", "--yes", action="store_true", help=tr("with --fix: do not ask"))


async def run(core: Core, options: Namespace) -> int:
    if options.yes and not options.fix:
        raise output.WrongUsage(tr("--yes answers the question of --fix: give both, or neither."))
    check_up = await core.check_up()
    report = await check_up.examine()
    if options.fix:
        await _mend(core, options, check_up, _fixable(report, options.fix))
        report = await check_up.examine()
    if options.report:
        _write_report(options.report, check_up.report(report))
    output.answer(options, document(report), lambda: write(report, everything=options.all))
    return 1 if report.broken else 0


def _fixable(report: Report, id_: str) -> Finding:
    for each in report.findings:
        if each.id == id_ and each.fix is not None:
            return each
    known = sorted({each.id for each in report.findings})
    if id_ not in known:
        raise output.Failed(tr("There is no finding {id!r}: `llmstack doctor` lists them.", id=id_))
    raise output.Failed(
        tr("{id} has no fix that llmstack could carry out now: `llmstack doctor` says what to do.", id=id_)
    )


async def _mend(core: Core, options: Namespace, check_up: CheckUp, finding: Finding) -> None:
    assert finding.fix is not None  # noqa: S101 (`_fixable` has looked)
    refuse_read_only(core)
    does = text(finding.fix.does)
    if finding.fix.undo is not None:
        does += " " + tr("To take it back: {undo}", undo=text(finding.fix.undo))
    output.say(does)
    output.confirm(options, tr("Do that?"), tr("Nothing was changed."))
    await check_up.mend(finding)


def _write_report(path: Path, content: str) -> None:
    try:
        path.write_text(content, encoding="utf-8")
    except OSError as error:
        said = tr("{file} cannot be written: {why}.", file=path, why=error.strerror or error)
        raise output.Failed(said) from None
    output.say(tr("Written to {file}.", file=path))
