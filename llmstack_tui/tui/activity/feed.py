"""Keeps the activity up to date with the record, and says what this screen alone has to say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.sentences import quoted
from llmstack_tui.hosts.errors import HostError
from llmstack_tui.store.errors import StoreError
from llmstack_tui.store.tables.events import Event
from llmstack_tui.tui.activity.log import LIMIT, Activity, Choice
from llmstack_tui.tui.controller import Controller
from llmstack_tui.tui.shell import NoteKind

if TYPE_CHECKING:
    from llmstack_tui.core.state import StackState
    from llmstack_tui.tui.shell import Shell
    from llmstack_tui.tui.stack import DashboardStack

_REMEMBERED = "activity.choice"


class ActivityFeed(Controller):
    """Reads when there is word of something new, one read at a time, and never while something is drawn."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self.activity = Activity()
        self._followed: DashboardStack | None = None
        self._heard = 0
        self._is_behind = self._is_reading = False
        self._has_chosen = False
        self._unreadable = ""

    def record(self, kind: NoteKind, *texts: str, **details: object) -> None:
        """Lines that are on no record, for they concern this screen alone."""
        for text in texts:
            self.activity.add(Event(at=self._shell.now(), kind=kind, sentence=quoted(text), details=details))
        if texts:
            self._shell.draw_activity()

    def failed(self, what: str, error: BaseException, *, is_recorded: bool) -> None:
        """A toast, and a line unless the stack has put it on record."""
        is_told = isinstance(error, HostError)
        title = error.title if isinstance(error, HostError) else "Failed"
        text = f"{what}: {error}" if is_told else f"{what}: {type(error).__name__}: {error}"
        if not (is_told and is_recorded):
            self.record(NoteKind.FAILED, text, error=title, detail=getattr(error, "detail", ""))
        self._shell.warn(text, title=title, severity="error")

    def follow(self, state: StackState) -> None:
        """What is new on record is read soon."""
        if news := self.activity.notice(state.notices, self._shell.now()):
            self._shell.draw_activity()
        for text in news:
            # The activity may be folded away, and this concerns what the program can still do.
            self._shell.warn(text, title="Notice")
        if (stack := self._shell.stack) is None:
            return
        if stack is not self._followed:
            self._followed, self._heard = stack, -1
            self.activity.forget()
        if state.last_event_id != self._heard:
            self._heard = state.last_event_id
            self._read_soon()

    def choose_next(self) -> None:
        """Show the next kinds of events, now and in the next session."""
        self._has_chosen = True
        choice = self.activity.choice.next()
        self.activity.choose(choice)
        self.activity.forget()
        self._shell.draw_activity()
        if self._followed is not None and self._shell.stack is self._followed:
            self._followed.records.remember(_REMEMBERED, choice.value)
            self._read_soon()

    def _read_soon(self) -> None:
        self._is_behind = True
        if not self._is_reading:
            self._is_reading = True
            self._shell.start("Activity", self._read, group="activity")

    async def _read(self) -> None:
        try:
            while self._is_behind and (stack := self._shell.stack) is not None:
                self._is_behind = False
                await self._read_once(stack)
        finally:
            self._is_reading = False

    async def _read_once(self, stack: DashboardStack) -> None:
        try:
            if not self._has_chosen:
                choice = self.activity.choice
                remembered = await stack.records.recall(_REMEMBERED, choice.value, str)
                if self.activity.choice is choice and remembered in {*Choice}:
                    self.activity.choose(Choice(remembered))
                self._has_chosen = True
            choice = self.activity.choice
            kinds = choice.kinds
            events = await stack.records.events(LIMIT, after=self.activity.last_id, kinds=kinds)
        except StoreError as error:
            if stack is self._shell.stack and str(error) != self._unreadable:
                self._unreadable = str(error)
                self.record(NoteKind.NOTE, self._unreadable)
            return
        if choice is not self.activity.choice or stack is not self._followed:
            self._is_behind = True  # Another choice was made meanwhile.
        elif events or not self.activity.last_id:
            self.activity.read(events)
            self._shell.draw_activity()
