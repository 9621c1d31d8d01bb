"""The search for GGUF files on Hugging Face: words, what they found, and the files of one repository."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlsplit

from msgspec import Struct
from textual import on
from textual.widgets import Input, Static

from llmstack_tui.base.languages import tr, tr_n
from llmstack_tui.base.sentences import Failure
from llmstack_tui.base.text import brief
from llmstack_tui.base.units import UNKNOWN
from llmstack_tui.catalog.types import Catalog
from llmstack_tui.core.wording import words
from llmstack_tui.tui.catalog import ONLINE_KEYS
from llmstack_tui.tui.catalog.entry import EntryScreen
from llmstack_tui.tui.catalog.list import tokens_text
from llmstack_tui.tui.draw.figures import when_text
from llmstack_tui.tui.draw.text import content_of
from llmstack_tui.tui.screen import FramedScreen
from llmstack_tui.tui.shell import start
from llmstack_tui.tui.widgets.list import RowList
from llmstack_tui.tui.widgets.pane import Pane

if TYPE_CHECKING:
    from datetime import datetime

    from rich.segment import Segment
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from llmstack_tui.catalog.types import Repositories, Repository
    from llmstack_tui.tui.draw.text import Pen
    from llmstack_tui.tui.stack import DashboardCatalog
    from llmstack_tui.tui.view import View

_GROUP = "online"
_ARCHITECTURE, _CONTEXT, _DOWNLOADS, _CHANGED, _GATED = 14, 9, 23, 14, 18


class Hit(Struct, frozen=True, kw_only=True):
    """A repository as text; ``key`` is its id."""

    key: str
    architecture: str
    context: str
    downloads: str
    changed: str
    gated: str


class HitList(RowList[Hit]):
    """Lists repositories; the more figures of them the wider it is."""

    def draw(self, row: Hit, line: int, width: int, pen: Pen) -> list[Segment]:
        cells = [
            (row.gated, _GATED, "warning"),
            (row.downloads, _DOWNLOADS, "plain"),
            (row.context, _CONTEXT, "muted"),
            (row.changed, _CHANGED, "muted"),
            (row.architecture, _ARCHITECTURE, "muted"),
        ]
        while sum(cells_ for _, cells_, _ in cells) > width - 40:
            cells.pop()
        name = width - 1 - sum(cells_ for _, cells_, _ in cells)
        return [
            pen.pointer(),
            pen.cell(f" {row.key}", name, "name"),
            *(pen.cell(f"  {text}", wide, tone, right=True) for text, wide, tone in cells),
        ]


class OnlineScreen(FramedScreen):
    """Asks only when somebody presses Enter, and says whom."""

    DEFAULT_CSS = """
    OnlineScreen #words { border: none; height: 1; margin: 0 1; padding: 0 1; }
    OnlineScreen #said { height: auto; max-height: 3; padding: 0 2; color: $text-muted; }
    """
    AUTO_FOCUS = "#words"
    BINDINGS: ClassVar[list[BindingType]] = [*ONLINE_KEYS]

    def __init__(self, text: str) -> None:
        super().__init__(Pane(tr("GGUF files on Hugging Face"), id="frame"))
        self._words = Input(text, placeholder=tr("Words of the name, such as llama 3.2 instruct"), id="words")
        self.list = HitList()
        self._said = Static("", id="said", markup=False)
        self._found: Repositories | None = None

    def compose_body(self) -> ComposeResult:
        yield self._words
        yield self.list
        yield self._said

    def on_mount(self) -> None:
        self.list.show_message((tr("Enter in the field searches. Nothing has been asked yet."),))
        self._say("")

    def follow_language(self) -> None:
        self.frame.show_title(tr("GGUF files on Hugging Face"))

    def show(self, view: View) -> None:
        if self._found is not None:
            self.list.show([_hit(each, view.moment.now) for each in self._found.found])

    # What is asked

    @on(Input.Submitted, "#words")
    def _search(self) -> None:
        stack, text = self.shell.stack, self._words.value.strip()
        if stack is None or not text:
            self._say(tr("There is no server yet.") if text else tr("Say a part of the name of the model."))
            return
        asking = tr("Asking {host} for GGUF files", host=brief(self._host, 80))
        self._say(asking + self.shell.marks.dots)
        self._found = None
        self.list.show_message((asking,))
        ask = partial(self._ask, stack.catalog, text)
        start(self, tr("The search"), ask, group=_GROUP, exclusive=True)

    async def _ask(self, browsing: DashboardCatalog, text: str) -> None:
        try:
            self._found = await browsing.search(text)
        except Failure as error:
            self.list.show_message((tr("Nothing was found."),))
            self._say(words(error))
            return
        count = len(self._found.found)
        self._say(self._count_text(count, are_more=self._found.are_more))
        self.list.show_message((tr("Nothing was found."),))
        self.show(self.shell.view)
        if count:
            self.list.focus()

    def _count_text(self, count: int, *, are_more: bool) -> str:
        if are_more:
            return tr("The {count} that are downloaded most, of more: name it more exactly.", count=count)
        return tr_n("{count} repository of GGUF files", "{count} repositories of GGUF files", count)

    @on(RowList.Opened)
    def action_open(self) -> None:
        row, stack = self.list.row, self.shell.stack
        if row is None or stack is None:
            return
        self._say(tr("Asking {host} for {model}", host=self._host, model=row.key) + self.shell.marks.dots)
        look = partial(self._look, stack.catalog, row)
        start(self, tr("The files of {model}", model=row.key), look, group=_GROUP, exclusive=True)

    async def _look(self, browsing: DashboardCatalog, row: Hit) -> None:
        try:
            entry = await browsing.repository(row.key)
        except Failure as error:
            self._say(words(error))
            return
        self._say("")
        refused = ""
        if row.gated:
            refused = tr("Its terms have to be agreed to on its page, so it cannot be pulled from here.")
        today = self.shell.view.moment.now.date()
        nowhere = Catalog(tags_as_of=today, sources={}, entries=(entry,))
        self.app.push_screen(EntryScreen(nowhere, entry, asks=False, refused=refused))

    @property
    def _host(self) -> str:
        return urlsplit(self.shell.settings.catalog.online_url).netloc

    def _say(self, text: str) -> None:
        self._said.update(content_of(text))
        self._said.display = bool(text)

    # Keys

    def action_edit(self) -> None:
        self._words.focus()

    def action_back(self) -> None:
        """Give up what is asked, else go back."""
        asked = [worker for worker in self.workers if worker.group == _GROUP and worker.is_running]
        for worker in asked:
            worker.cancel()
        if asked:
            self._say(tr("Given up."))
            self.list.show_message((tr("Nothing was found."),))
        else:
            self.action_close()


def _hit(repository: Repository, now: datetime) -> Hit:
    return Hit(
        key=repository.id,
        architecture=brief(repository.architecture, 30) or UNKNOWN,
        context=tokens_text(repository.context_length),
        downloads=_downloads_text(repository.downloads),
        changed=when_text(repository.changed_at, now) if repository.changed_at else "",
        gated=tr("gated") if repository.is_gated else "",
    )


def _downloads_text(count: int | None) -> str:
    return tr_n("{count:,} download", "{count:,} downloads", count) if count else ""
