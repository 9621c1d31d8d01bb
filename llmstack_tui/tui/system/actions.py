"""Has the doctor examine the installation, some time after the first list and on request, and mend it."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from llmstack_tui.base.languages import tr, tr_n
from llmstack_tui.tui.shell import Controller

if TYPE_CHECKING:
    from llmstack_tui.core.state import StackState
    from llmstack_tui.doctor.types import Finding, Report

# Nobody waits for the first examination; what the first list needs comes before.
FIRST_AFTER_S = 5.0
_GROUP = "doctor"


class SystemController(Controller):
    """Keeps the last report.

    Attributes:
        report: None before the first examination.
        is_examining: one is under way.
    """

    report: Report | None = None
    is_examining = False
    _began = False

    def follow(self, state: StackState) -> None:
        if not self._began:
            self._began = True
            self._shell.start(tr("The doctor"), self._later, group=_GROUP)

    def notes(self) -> tuple[str, ...]:
        count = len(self.report.wrong) if self.report is not None else 0
        key = self._shell.view.keys["app.system"]
        return (tr_n("{count} finding ({key})", "{count} findings ({key})", count, key=key),) if count else ()

    def look(self) -> None:
        """Examine now."""
        self._began = self.is_examining = True
        self._shell.start(tr("The doctor"), self._examine, group=_GROUP, exclusive=True)

    def fix(self, finding: Finding | None) -> None:
        """Carry out the fix of a finding, after a question."""
        if finding is None or finding.fix is None:
            self._shell.tell(tr("There is nothing here that llmstack could mend: Enter shows what to do."))
        elif self._shell.read_only:
            self._shell.tell(tr("Nothing can be changed: llmstack is read-only."))
        else:
            self._start(tr("The fix"), partial(self._fix, finding))

    async def _fix(self, finding: Finding) -> None:
        from llmstack_tui.core.wording import text

        assert finding.fix is not None  # noqa: S101 (`fix` has looked)
        does = text(finding.fix.does)
        if finding.fix.undo is not None:
            does += "\n\n" + tr("To take it back: {undo}", undo=text(finding.fix.undo))
        if await self._confirm(tr("Mend this?"), does, tr("Leave it"), tr("Mend")):
            await (await self._shell.check_up()).mend(finding)
            self._shell.tell(tr("Done."), title=finding.id)
            await self._examine()

    async def _later(self) -> None:
        await asyncio.sleep(FIRST_AFTER_S)
        await self._examine()

    async def _examine(self) -> None:
        self.is_examining = True
        self._shell.draw()
        try:
            self.report = await (await self._shell.check_up()).examine()
        finally:
            self.is_examining = False
            self._shell.draw()
