"""Findings as a document, and as lines for a person; for `doctor` and `validate`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.languages import tr
from llmstack_tui.cli import output
from llmstack_tui.core.wording import text
from llmstack_tui.doctor.types import FindingState, verdict

if TYPE_CHECKING:
    from llmstack_tui.doctor.types import Finding, Report


def document(report: Report) -> dict[str, object]:
    return {
        "status": "fail" if report.broken else "pass",
        "verdict": _verdict(report),
        "findings": [*map(_document, report.findings)],
    }


def _document(finding: Finding) -> dict[str, object]:
    fix = finding.fix
    undo = None if fix is None or fix.undo is None else text(fix.undo)
    return {
        "id": finding.id,
        "about": finding.about or None,
        "state": finding.state,
        "says": text(finding.says),
        "evidence": [*map(text, finding.evidence)],
        "advice": [*map(text, finding.advice)],
        "command": finding.command or None,
        "fix": None if fix is None else {"does": text(fix.does), "undo": undo},
    }


def _verdict(report: Report) -> str:
    return verdict(tuple(each.id for each in report.broken))


def write(report: Report, *, everything: bool = False) -> None:
    """Write what was found, the verdict last; without ``everything``, not what does not apply."""
    hidden = 0
    for each in report.findings:
        if everything or each.state is not FindingState.DOES_NOT_APPLY:
            _write_finding(each)
        else:
            hidden += 1
    if hidden:
        output.inform(tr("{count} more do not apply here: --all shows them.", count=hidden))
    output.write(_verdict(report))


def _write_finding(finding: Finding) -> None:
    output.write_marked(finding.state, f"{tr(finding.state)}  {finding.id}  {text(finding.says)}")
    if finding.state in (FindingState.FINE, FindingState.DOES_NOT_APPLY):
        return
    more = [*map(text, (*finding.evidence, *finding.advice))]
    if finding.fix is not None:
        more.append(tr("`llmstack doctor --fix {id}`: {does}", id=finding.id, does=text(finding.fix.does)))
    if finding.command:
        more.append(tr("In a terminal: {command}", command=finding.command))
    for each in more:
        output.write(f"    {each}")
