"""Keeps the activity up to date with the record, and says what this screen alone has to say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.sentences import quoted
from llmstack_tui.base.text import clean
from llmstack_tui.hosts.errors import HostError
from llmstack_tui.store.errors import StoreError
from llmstack_tui.store.tables.events import Event
from llmstack_tui.tui.activity.log import LIMIT, Activity, Choice, Kind
from llmstack_tui.tui.deferred import Later

if TYPE_CHECKING:
    from llmstack_tui.core import Stack, StackState
    from llmstack_tui.tui.app import Dashboard

_REMEMBERED = "activity.choice"


class Telling:
    """Reads when there is word of something new, one read at a time, and never while something is drawn."""

    def __init__(self, app: Dashboard) -> None:
        self.activity = Activity()
        self._app = app
        self._stack: Stack | None = None
        self._heard = 0
        self._is_behind = self._is_reading = False
        self._has_chosen = False
        self._unreadable = ""

    def record(self, kind: Kind, *texts: str, **details: object) -> None:
        """Lines that are on no record, for they concern this screen alone."""
        for text in texts:
            self.activity.add(Event(at=self._app.now(), kind=kind, sentence=quoted(text), details=details))
        if texts:
            self._app.draw_activity()

    def failed(self, what: str, error: BaseException, *, is_recorded: bool) -> None:
        """A toast, and a line unless the stack has put it on record."""
        is_told = isinstance(error, HostError)
        title = error.title if isinstance(error, HostError) else "Failed"
        text = f"{what}: {error}" if is_told else f"{what}: {type(error).__name__}: {error}"
        if not (is_told and is_recorded):
            self.record(Kind.FAILED, text, error=title, detail=getattr(error, "detail", ""))
        self._app.notify(clean(text, limit=400), title=title, severity="error", timeout=10, markup=False)

    def follow(self, stack: Stack | None, state: StackState) -> None:
        """Take note of a new state; what is new on record is read soon."""
        if news := self.activity.notice(state.notices, self._app.now()):
            self._app.draw_activity()
        for text in news:
            # The activity may be folded away, and this concerns what the program can still do.
            said = clean(text, limit=400)
            self._app.notify(said, title="Notice", severity="warning", timeout=15, markup=False)
        if stack is None:
            return
        if stack is not self._stack:
            self._stack, self._heard = stack, -1
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
        self._app.draw_activity()
        if self._stack is not None and self._app.connection.stack is self._stack:
            self._stack.remember(_REMEMBERED, choice.value)
            self._read_soon()

    def _read_soon(self) -> None:
        self._is_behind = True
        if not self._is_reading:
            self._is_reading = True
            self._app.run_worker(
                Later(self._read), group="activity", description="Activity", exit_on_error=False
            )

    async def _read(self) -> None:
        try:
            while self._is_behind and (stack := self._app.connection.stack) is not None:
                self._is_behind = False
                await self._read_once(stack)
        finally:
            self._is_reading = False

    async def _read_once(self, stack: Stack) -> None:
        try:
            if not self._has_chosen:
                choice = self.activity.choice
                remembered = await stack.recall(_REMEMBERED, choice.value, str)
                if self.activity.choice is choice and remembered in {*Choice}:
                    self.activity.choose(Choice(remembered))
                self._has_chosen = True
            choice = self.activity.choice
            kinds = choice.kinds
            events = await stack.events(LIMIT, after=self.activity.last_id, kinds=kinds)
        except StoreError as error:
            if stack is self._app.connection.stack and str(error) != self._unreadable:
                self._unreadable = str(error)
                self.record(Kind.NOTE, self._unreadable)
            return
        if choice is not self.activity.choice or stack is not self._stack:
            self._is_behind = True  # Another choice was made meanwhile.
        elif events or not self.activity.last_id:
            self.activity.read(events)
            self._app.draw_activity()
