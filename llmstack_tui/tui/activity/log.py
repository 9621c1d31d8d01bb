"""What the activity shows, newest first: what is on record, and what this screen alone has to say."""

from __future__ import annotations

from collections import deque
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.sentences import quoted
from llmstack_tui.core.wording import text
from llmstack_tui.lifecycle.changes import EventKind
from llmstack_tui.store.tables.events import Event
from llmstack_tui.tui.shell import NoteKind

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

LIMIT = 500
_OWN_LIMIT = 100


_GUARD = frozenset({EventKind.PIN, EventKind.GUARD})
_ACTS = _GUARD | {EventKind.ACTIVATE, EventKind.DEACTIVATE, EventKind.REMOVE, EventKind.IMPORT}
_CLIENTS = frozenset({EventKind.LOADED, EventKind.LEFT, EventKind.DIFFERENCE})
_TROUBLE = frozenset({EventKind.FAILED, EventKind.SERVER, EventKind.NOTICE, EventKind.DIFFERENCE})


class Choice(StrEnum):
    """Which lines are shown."""

    ALL = "all"
    ACTS = "acts"
    CLIENTS = "other clients"
    TROUBLE = "warnings and errors"

    @property
    def kinds(self) -> frozenset[str] | None:
        """The kinds of events; None is every one, of newer versions, too."""
        return {
            Choice.ALL: None,
            Choice.ACTS: frozenset({*_ACTS, EventKind.FAILED, NoteKind.DONE}),
            Choice.CLIENTS: frozenset(_CLIENTS),
            Choice.TROUBLE: frozenset({*_TROUBLE, NoteKind.NOTE}),
        }[self]

    @property
    def heading(self) -> str:
        return "Activity" if self is Choice.ALL else f"Activity: {self}"

    def next(self) -> Choice:
        every = list(Choice)
        return every[(every.index(self) + 1) % len(every)]


class Tone(StrEnum):
    """How a line looks; the word for it stands in `word`."""

    DONE = "done"
    PLAIN = "plain"
    CLIENT = "client"
    WARNING = "warning"
    FAILED = "failed"


def tone(event: Event) -> Tone:
    kind = event.kind
    if kind == EventKind.FAILED:
        return Tone.FAILED
    if kind in _CLIENTS and kind != EventKind.DIFFERENCE:
        return Tone.CLIENT
    if kind == EventKind.SERVER:
        return Tone.WARNING if "error" in event.details else Tone.DONE
    if kind in _TROUBLE or kind == NoteKind.NOTE:
        return Tone.WARNING
    return (
        Tone.DONE
        if event.details.get("end") in {"loaded", "gone", "done"} or kind == NoteKind.DONE
        else Tone.PLAIN
    )


def word(event: Event) -> str:
    """What sort of thing an event is, in one word."""
    match event.kind:
        case EventKind.LOADED | EventKind.LEFT:
            return "client"
        case EventKind.DIFFERENCE:
            return "missed"
        case EventKind.FAILED | EventKind.SERVER | EventKind.NOTICE:
            return event.kind
        case NoteKind.NOTE:
            return "notice"
        case _ if event.kind in _ACTS or event.kind == NoteKind.DONE:
            return "guard" if event.kind in _GUARD or _is_by_guard(event) else "act"
        case _:
            return "event"


def said(event: Event) -> str:
    """What stands in its line: of what nobody here asked for, why it was done, too."""
    return text(event.sentence, *(event.reason if _is_by_guard(event) else ()))


def _is_by_guard(event: Event) -> bool:
    return event.details.get("asked_by") == "guard"


class Lines(Struct, frozen=True):
    """What stands in the activity: these events, newest first, of those that were chosen."""

    events: tuple[Event, ...]
    choice: Choice


class Activity:
    """The newest `LIMIT` events of the chosen kinds."""

    def __init__(self) -> None:
        self.choice = Choice.ALL
        self._recorded: tuple[Event, ...] = ()
        self._own: deque[Event] = deque(maxlen=_OWN_LIMIT)
        self._notices: dict[str, Event] = {}
        self.lines = Lines((), self.choice)

    @property
    def last_id(self) -> int:
        """Of the newest recorded event that is known."""
        return self._recorded[0].id if self._recorded else 0

    def add(self, event: Event) -> None:
        """A line that is on no record."""
        self._own.appendleft(event)
        self._arrange()

    def notice(self, texts: Iterable[str], now: datetime) -> tuple[str, ...]:
        """What the program has to say of its own affairs, until it is on record; returns what is news."""
        new = {
            notice: Event(at=now, kind=EventKind.NOTICE, sentence=quoted(notice))
            for notice in texts
            if notice not in self._notices
        }
        self._notices = dict([*self._notices.items(), *new.items()][-_OWN_LIMIT:])
        if new:
            self._arrange()
        return tuple(new)

    def read(self, events: tuple[Event, ...]) -> None:
        """What has come on record since the last one, newest first."""
        self._recorded = (*events, *self._recorded)[:LIMIT]
        self._arrange()

    def forget(self) -> None:
        """What is on record is to be read anew."""
        self._recorded = ()

    def choose(self, choice: Choice) -> None:
        self.choice = choice
        kinds = choice.kinds
        self._recorded = tuple(each for each in self._recorded if kinds is None or each.kind in kinds)
        self._arrange()

    def _arrange(self) -> None:
        kinds, recorded = (
            self.choice.kinds,
            {text(each.sentence) for each in self._recorded if each.kind == EventKind.NOTICE},
        )
        own = (*self._own, *(each for notice, each in self._notices.items() if notice not in recorded))
        shown = [each for each in own if kinds is None or each.kind in kinds]
        events = self._recorded
        if shown:
            # Stable: what is on record keeps its order where a clock was set back.
            events = tuple(_merged(sorted(shown, key=lambda each: each.at, reverse=True), [*events]))[:LIMIT]
        self.lines = Lines(events, self.choice)


def _merged(own: list[Event], recorded: list[Event]) -> Iterable[Event]:
    """Both are newest first; the order of what is on record is kept even where a clock was set back."""
    for event in recorded:
        while own and own[0].at >= event.at:
            yield own.pop(0)
        yield event
    yield from own
