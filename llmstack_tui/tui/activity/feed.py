"""Keeps the activity up to date with the record, and adds lines that concern only this dashboard."""

from __future__ import annotations

from collections import deque
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.kinds import EventKind
from llmstack_tui.base.languages import later, tr
from llmstack_tui.base.sentences import Failure, Sentence, quoted
from llmstack_tui.core.wording import text, words
from llmstack_tui.hosts.errors import HostError
from llmstack_tui.tui.shell import Controller, NoteKind

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from llmstack_tui.core.state import StackState
    from llmstack_tui.core.types import Event
    from llmstack_tui.tui.shell import Shell
    from llmstack_tui.tui.stack import DashboardStack

LIMIT = 500
_OWN_LIMIT = 100


_GUARD = frozenset({EventKind.PIN, EventKind.GUARD})
_ACTS = _GUARD | {EventKind.ACTIVATE, EventKind.DEACTIVATE, EventKind.REMOVE, EventKind.IMPORT}
_CLIENTS = frozenset({EventKind.LOADED, EventKind.LEFT, EventKind.DIFFERENCE})
_TROUBLE = frozenset({EventKind.FAILED, EventKind.SERVER, EventKind.NOTICE})


_GUARDED, _ACTED, _EVENT = later("guard"), later("act"), later("event")
_WORDS: dict[str, str] = {
    EventKind.LOADED: later("client"),
    EventKind.LEFT: later("client"),
    EventKind.DIFFERENCE: later("missed"),
    EventKind.FAILED: later("failed"),
    EventKind.SERVER: later("server"),
    EventKind.NOTICE: later("notice"),
    NoteKind.NOTE: later("notice"),
}


class Choice(StrEnum):
    """The filter of the activity."""

    ALL = later("all")
    ACTS = later("acts")
    CLIENTS = later("other clients")
    TROUBLE = later("warnings and errors")

    @property
    def kinds(self) -> frozenset[str] | None:
        """The kinds of events that pass; None means all, including kinds that only newer versions know."""
        return {
            Choice.ALL: None,
            Choice.ACTS: frozenset({*_ACTS, EventKind.FAILED, NoteKind.DONE}),
            Choice.CLIENTS: _CLIENTS,
            Choice.TROUBLE: frozenset({*_TROUBLE, NoteKind.NOTE}),
        }[self]

    @property
    def heading(self) -> str:
        return tr("Activity") if self is Choice.ALL else tr("Activity: {kinds}", kinds=tr(self))

    def next(self) -> Choice:
        every = list(Choice)
        return every[(every.index(self) + 1) % len(every)]


class Tone(StrEnum):
    """How a line looks; see `word` for its label."""

    DONE = "done"
    PLAIN = "plain"
    CLIENT = "client"
    WARNING = "warning"
    FAILED = "failed"


def tone(event: Event) -> Tone:
    kind = event.kind
    if kind == EventKind.FAILED:
        return Tone.FAILED
    if kind in _CLIENTS:
        return Tone.CLIENT
    if kind in _TROUBLE | {NoteKind.NOTE} and (kind != EventKind.SERVER or "error" in event.details):
        return Tone.WARNING
    has_ended_well = event.details.get("end") in {"loaded", "gone", "done"}
    return Tone.DONE if has_ended_well or kind in {EventKind.SERVER, NoteKind.DONE} else Tone.PLAIN


def word(event: Event) -> str:
    """The label of an event: one word for its kind."""
    if event.kind in _ACTS or event.kind == NoteKind.DONE:
        return tr(_GUARDED if event.kind in _GUARD or _is_by_guard(event) else _ACTED)
    return tr(_WORDS.get(event.kind, _EVENT))


def said(event: Event) -> str:
    """The text of an event's line; for an act of the guard with its reason."""
    return text(event.sentence, *(event.reason if _is_by_guard(event) else ()))


def _is_by_guard(event: Event) -> bool:
    return event.details.get("asked_by") == "guard"


def word_cells() -> int:
    """The width of the column of labels, with a gap behind the longest."""
    return max(8, *(len(tr(each)) + 1 for each in {*_WORDS.values(), _GUARDED, _ACTED, _EVENT}))


class ActivityLines(Struct, frozen=True):
    """The events that the activity shows, newest first, and the filter that chose them."""

    events: tuple[Event, ...]
    choice: Choice

    @property
    def heading(self) -> str:
        """The filter, and that there may be older events."""
        newest = f"  {tr('the newest {count}', count=LIMIT)}" if len(self.events) == LIMIT else ""
        return f"{self.choice.heading}{newest}"


class ActivityLog:
    """The newest `LIMIT` events of the chosen kinds."""

    def __init__(self) -> None:
        self.choice = Choice.ALL
        self._recorded: tuple[Event, ...] = ()
        self._own: deque[Event] = deque(maxlen=_OWN_LIMIT)
        self._notices: dict[Sentence, Event] = {}
        self.lines = ActivityLines((), self.choice)

    @property
    def last_id(self) -> int:
        """The id of the newest recorded event that was read; 0 for none."""
        return self._recorded[0].id if self._recorded else 0

    def add(self, event: Event) -> None:
        """Add a line that is not on record."""
        self._own.appendleft(event)
        self._arrange()

    def notice(self, notices: Iterable[Sentence], now: datetime) -> tuple[Sentence, ...]:
        """Show notices of the program about itself until they are on record; returns the new ones."""
        from llmstack_tui.core.types import Event

        new = {
            notice: Event(at=now, kind=EventKind.NOTICE, sentence=notice)
            for notice in notices
            if notice not in self._notices
        }
        self._notices = dict([*self._notices.items(), *new.items()][-_OWN_LIMIT:])
        if new:
            self._arrange()
        return tuple(new)

    def read(self, events: tuple[Event, ...]) -> None:
        """Add the events recorded since `last_id`, newest first."""
        self._recorded = (*events, *self._recorded)[:LIMIT]
        self._arrange()

    def forget(self) -> None:
        """Forget the recorded events, so that they are read again from the start."""
        self._recorded = ()

    def choose(self, choice: Choice) -> None:
        self.choice = choice
        kinds = choice.kinds
        self._recorded = tuple(each for each in self._recorded if kinds is None or each.kind in kinds)
        self._arrange()

    def _arrange(self) -> None:
        kinds = self.choice.kinds
        recorded = {each.sentence for each in self._recorded if each.kind == EventKind.NOTICE}
        own = (*self._own, *(each for notice, each in self._notices.items() if notice not in recorded))
        shown = [each for each in own if kinds is None or each.kind in kinds]
        events = self._recorded
        if shown:
            # Recorded events keep their order, even if the clock was set back.
            events = tuple(_merged(sorted(shown, key=lambda each: each.at, reverse=True), [*events]))[:LIMIT]
        self.lines = ActivityLines(events, self.choice)


def _merged(own: list[Event], recorded: list[Event]) -> Iterable[Event]:
    """Merge both, newest first, keeping the order of the recorded ones even if the clock was set back."""
    for event in recorded:
        while own and own[0].at >= event.at:
            yield own.pop(0)
        yield event
    yield from own


_REMEMBERED = "activity.choice"


class ActivityFeed(Controller):
    """Reads new events when the state tells of them, in the background, one read at a time."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self.activity = ActivityLog()
        self._followed: DashboardStack | None = None
        self._heard = 0
        self._is_behind = self._is_reading = False
        self._has_chosen = False
        self._unreadable = ""

    def record(self, kind: NoteKind, *texts: str, **details: object) -> None:
        """Add lines that are not on record, because they concern only this dashboard."""
        from llmstack_tui.core.types import Event

        at = self._shell.view.moment.now
        for each in texts:
            self.activity.add(Event(at=at, kind=kind, sentence=quoted(each), details=details))
        if texts:
            self._shell.draw()

    def failed(self, what: str, error: BaseException, *, is_recorded: bool) -> None:
        """Show a toast, and add a line unless the stack has recorded the failure."""
        is_told = isinstance(error, HostError)
        kind = error.title if isinstance(error, HostError) else "title.other"
        why = words(error) if isinstance(error, Failure) else f"{type(error).__name__}: {error}"
        said = f"{what}: {why}"
        if not (is_told and is_recorded):
            self.record(NoteKind.FAILED, said, error=kind, detail=getattr(error, "detail", ""))
        self._shell.warn(said, title=text(Sentence(kind)), severity="error")

    def follow(self, state: StackState) -> None:
        """Show new notices; read new events soon."""
        for notice in self.activity.notice(state.notices, self._shell.view.moment.now):
            # A toast, too: the activity may be hidden, and a notice says what the program can no longer do.
            self._shell.warn(text(notice), title=tr("Notice"))
        if (stack := self._shell.stack) is None:
            return
        if stack is not self._followed:
            self._followed, self._heard = stack, -1
            self.activity.forget()
        if state.last_event_id != self._heard:
            self._heard = state.last_event_id
            self._read_soon()

    def choose_next(self) -> None:
        """Go to the next filter, and remember it for the next session."""
        self._has_chosen = True
        choice = self.activity.choice.next()
        self.activity.choose(choice)
        self.activity.forget()
        self._shell.draw()
        if self._followed is not None and self._shell.stack is self._followed:
            self._followed.records.remember(_REMEMBERED, choice.value)
            self._read_soon()

    def _read_soon(self) -> None:
        self._is_behind = True
        if not self._is_reading:
            self._is_reading = True
            self._shell.start(tr("Activity"), self._read, group="activity")

    async def _read(self) -> None:
        try:
            while self._is_behind and (stack := self._shell.stack) is not None:
                self._is_behind = False
                await self._read_once(stack)
        finally:
            self._is_reading = False

    async def _read_once(self, stack: DashboardStack) -> None:
        from llmstack_tui.core.types import StoreError

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
            if stack is self._shell.stack and words(error) != self._unreadable:
                self._unreadable = words(error)
                self.record(NoteKind.NOTE, self._unreadable)
            return
        if choice is not self.activity.choice or stack is not self._followed:
            self._is_behind = True  # Another choice was made meanwhile.
        elif events or not self.activity.last_id:
            self.activity.read(events)
            self._shell.draw()
