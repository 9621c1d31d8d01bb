"""Has the doctor examine the installation, some time after the first list and on request, and mend it."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from llmstack_tui.base.languages import tr, tr_n
from llmstack_tui.tui.shell import Controller

if TYPE_CHECKING:
    from llmstack_tui.base.commands import NeedsRoot
    from llmstack_tui.core.state import StackState
    from llmstack_tui.doctor.types import Finding, Report, Undo

# Nobody waits for the first examination; what the first list needs comes before.
FIRST_AFTER_S = 5.0
_GROUP = "doctor"


class SystemController(Controller):
    """Keeps the last report.

    Attributes:
        report: None before the first examination.
        is_examining: one is under way.
        undo: what takes back the last fix.
        is_open: the findings are on the screen.
    """

    report: Report | None = None
    is_examining = False
    undo: Undo | None = None
    is_open = False
    _began = False
    _is_stale = False
    _servers: frozenset[str] | None = None

    def follow(self, state: StackState) -> None:
        if not self._began:
            self._began = True
            self._shell.start(tr("The doctor"), self._later, group=_GROUP)
        if all(host.snapshot.was_polled for host in state.hosts):
            self._follow_servers(
                frozenset(each.snapshot.url for each in state.hosts if each.snapshot.reachable)
            )

    def _follow_servers(self, answering: frozenset[str]) -> None:
        """Where other servers answer than before, examine again: now, or when the findings are looked at."""
        if self._servers not in (None, answering):
            self._is_stale = True
            if self.is_open:
                self.look()
        self._servers = answering

    def look_where_due(self) -> None:
        """Examine unless there is a report of the servers that answer now, or one is being made."""
        if not self.is_examining and (self.report is None or self._is_stale):
            self.look()

    def notes(self) -> tuple[str, ...]:
        count = len(self.report.wrong) if self.report is not None else 0
        key = self._shell.view.keys["app.system"]
        return (tr_n("{count} finding ({key})", "{count} findings ({key})", count, key=key),) if count else ()

    def look(self) -> None:
        """Examine now."""
        self._began = self.is_examining = True
        self._is_stale = False
        self._shell.start(tr("The doctor"), self._examine, group=_GROUP, exclusive=True)

    def fix(self, finding: Finding | None) -> None:
        """Carry out the fix of a finding, after a question."""
        if finding is not None and finding.fix is None and finding.opens:
            self._start(tr("System"), partial(self._shell.open, *finding.opens))
        elif finding is not None and finding.command:
            said = tr("This is mended in a terminal: {command}", command=finding.command)
            self._shell.tell(said)
        elif finding is None or finding.fix is None:
            self._shell.tell(tr("There is nothing here that llmstack could mend: Enter shows what to do."))
        elif self._shell.read_only:
            self._shell.tell(tr("Nothing can be changed: llmstack is read-only."))
        else:
            self._start(tr("The fix"), partial(self._fix, finding))

    async def _fix(self, finding: Finding) -> None:
        from llmstack_tui.base.commands import NeedsRoot
        from llmstack_tui.core.wording import text

        assert finding.fix is not None  # noqa: S101 (`fix` has looked)
        does = text(finding.fix.does)
        if finding.fix.undo is not None:
            does += "\n\n" + tr("To take it back: {undo}", undo=text(finding.fix.undo))
        if await self._confirm(tr("Mend this?"), does, tr("Leave it"), tr("Mend")):
            self.undo = None
            try:
                self.undo = await (await self._shell.check_up()).mend(finding)
            except NeedsRoot as error:
                if not await self._as_root(error):
                    return
            self._shell.tell(tr("Done."), title=finding.id)
            await self._examine()

    async def _as_root(self, error: NeedsRoot) -> bool:
        """Whether the user has had the command run that only root may run."""
        shown = error.command.shown
        title, said = tr("This needs root"), tr("sudo asks for the password in the terminal.")
        if not await self._confirm(title, f"{shown}\n\n{said}", tr("Leave it"), tr("Run it")):
            return False
        await self._shell.run_as_root(error.command)
        return True

    def take_back(self) -> None:
        """Take the last fix back, after a question."""
        if self.undo is None:
            self._shell.tell(tr("There is no fix that could be taken back."))
        elif self._shell.read_only:
            self._shell.tell(tr("Nothing can be changed: llmstack is read-only."))
        else:
            self._start(tr("The fix"), partial(self._take_back, self.undo))

    async def _take_back(self, undo: Undo) -> None:
        from llmstack_tui.core.wording import text

        if await self._confirm(tr("Take it back?"), text(undo.does), tr("Leave it"), tr("Take back")):
            self.undo = None
            await (await self._shell.check_up()).take_back(undo)
            self._shell.tell(tr("Done."))
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
