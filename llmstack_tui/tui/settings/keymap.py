"""All keys by their actions, and another key for one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct
from textual import on
from textual.widgets import Static

from llmstack_tui.base.languages import later, tr
from llmstack_tui.base.sentences import listed
from llmstack_tui.base.text_files import NotWritten
from llmstack_tui.config.editing import entry
from llmstack_tui.config.kinds import quoted
from llmstack_tui.core.wording import words
from llmstack_tui.tui.dialogs import Dialog
from llmstack_tui.tui.draw.text import content_of
from llmstack_tui.tui.keymap import sharing
from llmstack_tui.tui.settings import KEYMAP
from llmstack_tui.tui.settings.searched import SearchedScreen, has_words
from llmstack_tui.tui.shell import AnswerChoice, close, start
from llmstack_tui.tui.widgets.list import RowList

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.segment import Segment
    from textual import events
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from llmstack_tui.tui.draw.text import Pen
    from llmstack_tui.tui.keymap import Contexts
    from llmstack_tui.tui.stack import DashboardSettings


_PLACE = ("ui", "keys")
_NAME, _KEY = 24, 16


class KeyRow(Struct, frozen=True, kw_only=True):
    """An action with its keys, or the title of a context, which has no keys."""

    key: str
    says: str
    keys: str = ""
    is_own: bool = False


class KeyList(RowList[KeyRow]):
    """Lists actions by their contexts."""

    def is_heading(self, row: KeyRow) -> bool:
        return not row.keys

    def draw(self, row: KeyRow, line: int, width: int, pen: Pen) -> Sequence[Segment]:
        if not row.keys:
            return [pen.pointer(), pen.cell(f" {row.says}", width - 1, "heading")]
        return [
            pen.pointer(),
            pen.cell(f"  {row.keys}", _KEY, "accent" if row.is_own else "name"),
            pen.cell(row.says, width - 1 - _KEY - _NAME, "plain"),
            pen.cell(f" {row.key}", _NAME, "muted"),
        ]


def key_rows(
    contexts: Contexts, shown: Mapping[str, str], own: Mapping[str, str], search: str
) -> Iterator[KeyRow]:
    """Each action once, below the title where it comes first. ``own``: the keys that the settings give."""
    seen: set[str] = set()
    for title, bindings in contexts.items():
        found = []
        for each in bindings:
            id_ = each.id or ""
            said = tr(each.tooltip)
            if id_ and id_ not in seen and has_words(search, id_, tr(each.description), said, shown[id_]):
                seen.add(id_)
                found.append(KeyRow(key=id_, says=said, keys=shown[id_], is_own=id_ in own))
        if found:
            yield KeyRow(key=title, says=tr(title))
            yield from found


class PressedKey(Dialog[str]):
    """Returns the key that is pressed; Esc gives none."""

    def __init__(self, what: str) -> None:
        super().__init__(tr("A new key"), ("escape", later("back")))
        self._what = what

    def compose_body(self) -> ComposeResult:
        yield Static(content_of(self._what, "\n", tr("Press its new key.")), markup=False)

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        close(self, None if event.key == "escape" else event.key)


class KeymapScreen(SearchedScreen):
    """Writes into the file of settings, which the dashboard follows."""

    AUTO_FOCUS = "KeyList"
    BINDINGS: ClassVar[list[BindingType]] = [*KEYMAP]

    def __init__(self, file: DashboardSettings) -> None:
        super().__init__(tr("Keys"))
        self._file = file
        self.list = KeyList()
        self._own: Mapping[str, str] = {}

    def compose_body(self) -> ComposeResult:
        yield self.field
        yield self.list

    def on_mount(self) -> None:
        start(self, tr("The settings"), self._read)

    async def _read(self) -> None:
        self._own = (await self._file.load()).settings.ui.keys
        self.show_found()

    def show_found(self) -> None:
        shell = self.shell
        self.frame.show_title(tr("Keys"))
        self.list.show_message((tr("No key has that."),))
        self.list.show(tuple(key_rows(shell.contexts(), self._shown(), self._own, self.search)))

    def _shown(self) -> dict[str, str]:
        """The keys of all actions; the dashboard takes a change up a moment later."""
        return {**self.shell.shown_keys(), **{id_: key.replace(",", " ") for id_, key in self._own.items()}}

    @on(RowList.Opened)
    def action_change(self) -> None:
        if (row := self.list.row) is not None:
            start(self, tr("The settings"), lambda: self._ask(row))

    async def _ask(self, row: KeyRow) -> None:
        key = await self.shell.show(PressedKey(row.says))
        if key is None:
            return
        if taken := sharing(self.shell.contexts(), self._own, row.key, key):
            said = tr(
                "{key} is the key of {names}, too: only one of them would get it.",
                key=key,
                names=listed(taken),
            )
            answers = (AnswerChoice("no", tr("Leave it")), AnswerChoice("yes", tr("Take it")))
            if await self.shell.ask(tr("The key is taken"), said, answers, escape="no") != "yes":
                return
        await self._put(row.key, quoted(key))

    def action_reset(self) -> None:
        row = self.list.row
        if row is not None and row.is_own:
            start(self, tr("The settings"), lambda: self._put(row.key, None))
        else:
            self.shell.tell(tr("It has its usual key."))

    async def _put(self, id_: str, value: str | None) -> None:
        try:
            place = entry(await self._file.document(), _PLACE, id_)
            await self._file.change({place: value})
        except NotWritten as error:
            self.shell.warn(words(error), title=tr("Settings"), severity="error")
        await self._read()
