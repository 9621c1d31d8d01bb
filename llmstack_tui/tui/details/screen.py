"""All that is known of one model, over the list."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.widgets import Static

from llmstack_tui.base.languages import later, tr
from llmstack_tui.base.text import brief
from llmstack_tui.core.wording import words
from llmstack_tui.hosts.errors import HostError
from llmstack_tui.tui.details import SCREEN_KEYS
from llmstack_tui.tui.details.cache import DetailsCache, digest_of
from llmstack_tui.tui.details.content import (
    TOLD,
    address_part,
    fit_part,
    loads_part,
    measured_part,
    told_parts,
    versions_part,
)
from llmstack_tui.tui.details.pane import how_it_did, what_it_is
from llmstack_tui.tui.draw.text import content_of
from llmstack_tui.tui.draw.updates import more_update_rows
from llmstack_tui.tui.screen import RecordScreen
from llmstack_tui.tui.shell import start
from llmstack_tui.tui.widgets.pane import Pane
from llmstack_tui.tui.widgets.section import (
    MOST_RECORDED,
    ScrollingText,
    Section,
    SectionText,
    events_part,
    rows_part,
)

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from llmstack_tui.fit.verdict import Fitted
    from llmstack_tui.hosts.types import ModelDetails
    from llmstack_tui.tui.stack import DashboardStack
    from llmstack_tui.tui.view import Key, View

_MODEL, _ADDRESSES, _NEEDED = later("Model"), later("Addresses"), later("Memory needed")
_VERSIONS, _LOADED = later("Installed versions"), later("Loaded")
_USED, _EVENTS = later("Memory used"), later("Events")
_BEFORE = (_MODEL, _ADDRESSES, _NEEDED)
_PAST = (_VERSIONS, _LOADED, _USED, _EVENTS)


class DetailsScreen(RecordScreen):
    """Follows the state; asks the server and the store when it opens and when something has changed."""

    CSS_PATH = "screen.tcss"
    AUTO_FOCUS = "ScrollingText"
    BINDINGS: ClassVar[list[BindingType]] = [*SCREEN_KEYS]

    def __init__(self, key: Key) -> None:
        super().__init__(Pane(brief(key[1], 200), id="frame"))
        self._key = key
        self._sections = {title: Section(title) for title in (*_BEFORE, *TOLD, *_PAST)}
        self._note = Static("", id="note", markup=False)
        self._told: ModelDetails | None = None
        self._asked_for: tuple[str, bool] | None = None
        self._fitted: Fitted | None = None

    def compose_body(self) -> ComposeResult:
        with ScrollingText():
            for title in _BEFORE:
                yield self._sections[title]
            yield self._note
            for title in (*TOLD, *_PAST):
                yield self._sections[title]

    @property
    def targets(self) -> tuple[Key, ...]:
        return (self._key,)

    @property
    def one_model(self) -> Key:
        return self._key

    # What is drawn

    def follow_language(self) -> None:
        super().follow_language()
        self._told = None

    def show(self, view: View) -> None:
        super().show(view)
        about = self.shell.controller(DetailsCache).about(view, self._key)
        if about is None:
            why = tr("no longer on any server") if view.state else tr("there is no server yet")
            rows = [(tr("State"), why)]
            self._sections[_MODEL].say(rows_part(rows))
            return
        if about.fitted is not self._fitted:
            self._fitted = about.fitted
            self.read_again()
        rows = [*what_it_is(about), *more_update_rows(about.update, about.now), *how_it_did(about)]
        self._sections[_MODEL].say(rows_part(rows))
        shown = self.shell.shown_keys()
        copies = (shown["models.copy_url"], shown["models.copy_native_url"])
        self._sections[_ADDRESSES].say(address_part(self._key[0], *copies))
        self._show_told(about.details)
        host = view.host(self._key[0])
        wanted = (digest_of(about.status), host is not None and host.snapshot.reachable)
        if about.details is None and wanted != self._asked_for:
            self._asked_for = wanted
            self._ask_again()

    def _show_told(self, details: ModelDetails | None) -> None:
        # Once for each answer: its texts may be long.
        if details is None or details is self._told:
            return
        self._told = details
        parts = told_parts(details, details.name)
        for title in TOLD:
            self._sections[title].say(parts.get(title))
        self._say("")

    def _say(self, text: str) -> None:
        self._note.update(content_of(text))
        self._note.display = bool(text)

    # What is asked

    def _ask_again(self) -> None:
        self._say(tr("Asking the server"))
        start(self, tr("Details"), self._ask, group="ask", exclusive=True)

    async def _ask(self) -> None:
        stack = self.shell.stack
        if stack is None:
            self._say(tr("There is no server yet."))
            return
        try:
            await self.shell.controller(DetailsCache).ask(stack, self._key)
        except HostError as error:
            self._say(brief(tr("The server gives no details: {why}", why=words(error)), 400))
        else:
            self.show(self.shell.view)

    def show_unreadable(self, reason: str) -> None:
        self._sections[_LOADED].say(SectionText(content_of(reason)))

    async def read(self, stack: DashboardStack) -> None:
        host, name = self._key
        now = self.shell.view.moment.now
        status = self.shell.view.model(self._key)
        model, digest = status.model if status else None, digest_of(status)
        versions = await stack.records.versions(host, name)
        self._sections[_VERSIONS].say(versions_part(versions, digest, now))
        loads = await stack.records.activations(host, name, MOST_RECORDED + 1)
        self._sections[_LOADED].say(loads_part(loads, now))
        measured = await stack.records.measured(host, digest, MOST_RECORDED + 1) if digest else ()
        self._sections[_USED].say(measured_part(measured, now))
        subject = stack.fit.subject(host, model) if model and not model.is_cloud else None
        if subject is not None:
            self._sections[_NEEDED].say(fit_part(subject, stack.fit.room(), measured))
        events = await stack.records.events(MOST_RECORDED + 1, host=host, model=name)
        self._sections[_EVENTS].say(events_part(events, now))

    # Keys

    def action_fold(self) -> None:
        """The part that has the focus; all of them where none has it."""
        if isinstance(self.focused, Section):
            self.focused.fold(is_open=not self.focused.is_open)
        else:
            self.action_fold_all()

    def action_fold_all(self) -> None:
        """Open all; or fold all, where all are open."""
        folding = [section for section in self._sections.values() if section.folds]
        is_open = not all(section.is_open for section in folding)
        for section in folding:
            section.fold(is_open=is_open)

    def action_ask(self) -> None:
        self.shell.act("servers.refresh")
        self.read_again()
        self._ask_again()
