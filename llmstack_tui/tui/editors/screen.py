"""The settings for each client of one model: shown, copied, written, and tested from here."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct
from textual import on
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from llmstack_tui.base.languages import tr
from llmstack_tui.base.sentences import Failure
from llmstack_tui.base.text import brief
from llmstack_tui.base.text_files import NotWritten
from llmstack_tui.core.wording import text, words
from llmstack_tui.editors.rules.clients import LABELS
from llmstack_tui.editors.types import Client, Setup
from llmstack_tui.lifecycle.states import ModelState
from llmstack_tui.tui.draw.text import content_of
from llmstack_tui.tui.editors import KEYS
from llmstack_tui.tui.editors.text import home_path, offer_content, question, trial_content, written_text
from llmstack_tui.tui.screen import FramedScreen
from llmstack_tui.tui.shell import AnswerChoice, start
from llmstack_tui.tui.widgets.list import RowList
from llmstack_tui.tui.widgets.pane import Pane
from llmstack_tui.tui.widgets.section import ScrollingText

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.segment import Segment
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.content import Content
    from textual.worker import Worker

    from llmstack_tui.editors.types import Endpoint, Unsuited
    from llmstack_tui.tui.draw.text import Pen
    from llmstack_tui.tui.stack import DashboardEditors
    from llmstack_tui.tui.view import Key, View

_TICK_S = 0.5
# Those that can answer a test without a load.
_READY = frozenset({ModelState.ACTIVE, ModelState.CLOUD})


class ClientRow(Struct, frozen=True, kw_only=True):
    """A client; muted if it cannot use the model."""

    key: str
    label: str
    is_suited: bool


class ClientList(RowList[ClientRow]):
    """Lists the clients by their names."""

    def draw(self, row: ClientRow, line: int, width: int, pen: Pen) -> Sequence[Segment]:
        return [pen.pointer(), pen.cell(row.label, width - 1, "name" if row.is_suited else "muted")]


class EditorsScreen(FramedScreen):
    """Follows the model: its settings change with the context length that it is loaded for."""

    DEFAULT_CSS = """
    EditorsScreen ClientList { width: 15; }
    EditorsScreen #about { padding: 0 1; }
    EditorsScreen ScrollingText { height: 1fr; }
    EditorsScreen #said { height: auto; max-height: 50%; padding: 0 1; display: none; }
    EditorsScreen #said.-said { display: block; border-bottom: solid $pane-border; }
    """
    AUTO_FOCUS = "ClientList"
    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]

    def __init__(self, key: Key) -> None:
        super().__init__(Pane("", id="frame"))
        self._key = key
        self._home = Path(os.path.expanduser("~"))  # noqa: PTH111  # the other way fails without a home
        self.list = ClientList()
        self._about = Static("", id="about", markup=False)
        self._said = Static("", id="said", markup=False)
        self._capabilities: frozenset[str] | None = None
        self._endpoint: Endpoint | None = None
        self._offers: tuple[Setup | Unsuited, ...] = ()
        self._testing: Worker[object] | None = None
        self._began_s = 0.0
        self._has_begun = False

    def compose_body(self) -> ComposeResult:
        with Horizontal():
            yield self.list
            with Vertical():
                yield self._said
                with ScrollingText():
                    yield self._about

    def on_mount(self) -> None:
        self.set_interval(_TICK_S, self._tick)
        start(self, tr("What the model can do"), self._ask)

    async def _ask(self) -> None:
        if self.shell.stack is not None:
            self._capabilities = await self.shell.stack.actions.capabilities(*self._key)
            self.show(self.shell.view)

    @property
    def _editors(self) -> DashboardEditors | None:
        return self.shell.stack.editors if self.shell.stack is not None else None

    @property
    def _offer(self) -> Setup | Unsuited | None:
        """That of the client under the cursor."""
        row = self.list.row
        return next((each for each in self._offers if row and each.client == row.key), None)

    # What is drawn

    def follow_language(self) -> None:
        self._endpoint = None

    def show(self, view: View) -> None:
        self.frame.show_title(tr("{model} for editors and agents", model=brief(self._key[1], 60)))
        host, editors = view.host(self._key[0]), self._editors
        if host is None or editors is None:
            self._about.update(content_of(tr("There is no server yet.")))
            return
        endpoint = editors.endpoint(host.snapshot, self._key[1], self._capabilities)
        if endpoint == self._endpoint:
            return
        try:
            offers = editors.offers(endpoint)
        except Failure as error:
            self._about.update(content_of((words(error), "$text-error")))
            return
        self._endpoint, self._offers = endpoint, offers
        suited = {each.client for each in offers if isinstance(each, Setup)}
        self.list.show([ClientRow(key=each, label=LABELS[each], is_suited=each in suited) for each in Client])
        self._show_offer()

    def _show_offer(self) -> None:
        if (offer := self._offer) is not None:
            self._about.update(offer_content(offer, self._home))

    @on(RowList.Moved)
    def _moved(self) -> None:
        self._stop_test()
        self._say(content_of(""))
        self._show_offer()
        self.query_one(ScrollingText).scroll_home(animate=False)

    def _say(self, content: Content) -> None:
        self._said.update(content)
        self._said.set_class(bool(content.plain), "-said")

    # Keys

    def _usable(self) -> tuple[DashboardEditors, Setup, Endpoint] | None:
        """What a key acts on; None, with the reason, where it cannot."""
        offer, editors, endpoint = self._offer, self._editors, self._endpoint
        if offer is None or editors is None or endpoint is None:
            return None
        if isinstance(offer, Setup):
            return editors, offer, endpoint
        self.shell.tell(text(offer.reason))
        return None

    def action_copy(self) -> None:
        if usable := self._usable():
            editors, setup, endpoint = usable
            self.shell.copy(editors.whole(setup, endpoint).text, lines=True)
            said = tr("The settings for {client} are copied.", client=LABELS[setup.client])
            if endpoint.has_key:
                said += " " + tr("They have the server's key: paste them only where it belongs.")
            self.shell.tell(said)

    def action_copy_environment(self) -> None:
        if (usable := self._usable()) is None:
            return
        editors, setup, endpoint = usable
        if not setup.variables:
            self.shell.tell(tr("{client} needs nothing in its environment.", client=LABELS[setup.client]))
            return
        self.shell.copy(editors.exports(setup, endpoint).text, lines=True)
        self.shell.tell(tr("The lines for a shell are copied."))

    def action_write(self) -> None:
        if (usable := self._usable()) is None:
            return
        if self.shell.read_only:
            self.shell.tell(tr("Nothing can be changed: llmstack is read-only."))
            return
        start(self, tr("The settings"), lambda: self._write(*usable), group="write", exclusive=True)

    async def _write(self, editors: DashboardEditors, setup: Setup, endpoint: Endpoint) -> None:
        try:
            draft = await editors.plan(setup, endpoint)
            if draft.is_done:
                file = home_path(draft.file, self._home)
                self._say(content_of(tr("{file} has these settings already.", file=file)))
                return
            title = tr("Write the settings for {client}?", client=LABELS[setup.client])
            answers = (AnswerChoice("no", tr("Not now")), AnswerChoice("write", tr("Write them")))
            if await self.shell.ask(title, question(draft, self._home), answers, escape="no") == "write":
                written = await editors.write(setup, draft, endpoint)
                self._say(content_of((written_text(written, self._home), "$text-success")))
        except NotWritten as error:
            said = words(error).replace(f"{self._home}/", "~/")
            self._say(content_of((said, "$text-error")))

    def action_test(self) -> None:
        if self._stop_test():
            self._say(content_of(tr("You gave the test up: nothing came of it.")))
            return
        if (usable := self._usable()) is None:
            return
        status = self.shell.view.model(self._key)
        if status is None or status.state not in _READY:
            key = self.shell.view.keys["models.activate"]
            said = tr(
                "{model} is not in memory: load it first, with {key} in the list of models.",
                model=brief(self._key[1], 100),
                key=key,
            )
            self.shell.tell(said)
            return
        self._began_s, self._has_begun = time.monotonic(), False
        self._testing = start(self, tr("The test"), lambda: self._test(*usable), group="test", exclusive=True)
        self._tick()

    async def _test(self, editors: DashboardEditors, setup: Setup, endpoint: Endpoint) -> None:
        def begun() -> None:
            self._has_begun = True

        trial = await editors.test(setup.api, endpoint, begun)
        self._testing = None
        self._say(trial_content(trial, endpoint, self.shell.marks))

    def _stop_test(self) -> bool:
        """Whether a test was under way, which ends here with its connection."""
        testing, self._testing = self._testing, None
        if testing is not None:
            testing.cancel()
        return testing is not None

    def _tick(self) -> None:
        if self._testing is None:
            return
        if self._testing.is_finished:
            self._testing = None  # It failed, which a toast has said.
            self._say(content_of(""))
            return
        time_s = f"{time.monotonic() - self._began_s:.0f}"
        said = (
            tr("The answer comes: {time} s", time=time_s)
            if self._has_begun
            else tr("Waiting for the first token: {time} s", time=time_s)
        )
        stop = tr("{key} gives up", key=self.shell.view.keys["editors.test"])
        self._say(content_of(said, (f"   {stop}", "$text-muted")))
