"""The list of keys; what was done with one is said below it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct
from textual import on
from textual.widgets import Static

from llmstack_tui.base.languages import tr
from llmstack_tui.base.sentences import UserFacingError
from llmstack_tui.core.wording import text, words
from llmstack_tui.keys.shown import VERDICTS, bullets, expiry_text, origin_text
from llmstack_tui.keys.types import Expiry, KeysLocked, KeyVerdict
from llmstack_tui.tui.api_keys import KEYS
from llmstack_tui.tui.api_keys.form import KeyForm, PassphraseForm
from llmstack_tui.tui.draw.text import content_of
from llmstack_tui.tui.screen import FramedScreen
from llmstack_tui.tui.shell import AnswerChoice, start
from llmstack_tui.tui.widgets.list import RowList
from llmstack_tui.tui.widgets.pane import Pane

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from rich.segment import Segment
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from llmstack_tui.base.secret import Secret
    from llmstack_tui.keys.types import KeptKey, ListedKey
    from llmstack_tui.tui.draw.text import Pen
    from llmstack_tui.tui.shell import Work
    from llmstack_tui.tui.stack import DashboardKeys

_KEY, _ORIGIN, _DAY = 10, 42, 13


class KeyLine(Struct, frozen=True, kw_only=True):
    """A key in the list, by its owner and its origin."""

    key: str
    owner: str
    shown: str
    origin: str
    day: str
    tone: str


class KeyLines(RowList[KeyLine]):
    """Lists keys."""

    def draw(self, row: KeyLine, line: int, width: int, pen: Pen) -> Sequence[Segment]:
        origin = min(_ORIGIN, width * 2 // 5)
        return [
            pen.pointer(),
            pen.cell(f" {row.owner}", max(width - 1 - _KEY - origin - _DAY, 12), row.tone),
            pen.cell(f" {row.shown}", _KEY, "plain"),
            pen.cell(f" {row.origin}", origin, "muted"),
            pen.cell(f" {row.day}", _DAY, row.tone),
        ]


class ApiKeysScreen(FramedScreen):
    """Reads the list when it opens, and after each change."""

    DEFAULT_CSS = """
    ApiKeysScreen #said { padding: 0 1; height: auto; max-height: 50%; }
    """
    AUTO_FOCUS = "KeyLines"
    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]

    def __init__(self) -> None:
        super().__init__(Pane(tr("API keys"), id="frame"))
        self.list = KeyLines()
        self._said = Static("", id="said", markup=False)
        self._ring: DashboardKeys | None = None
        self._found: tuple[ListedKey, ...] = ()

    def compose_body(self) -> ComposeResult:
        yield self.list
        yield self._said

    def on_mount(self) -> None:
        self._begin(self._read)

    def follow_language(self) -> None:
        self._show()

    # What is drawn

    async def _read(self) -> None:
        self._ring = self._ring or await self.shell.api_keys()
        self._found = await self._ring.listed()
        self._show()

    def _show(self) -> None:
        key = self.shell.view.keys["api_keys.add"]
        self.list.show_message((tr("There is no key yet."), tr("{key} adds a key.", key=key)))
        self.list.show([self._line(each) for each in self._found])
        ends = [said for each in self._found if (said := expiry_text(each))]
        problems = [text(*each.problem) for each in self._found if each.problem]
        self.frame.show_title("  ".join((tr("API keys"), *(ends + problems)[:1])))

    def _line(self, key: ListedKey) -> KeyLine:
        is_doubtful = bool(key.problem) or key.expiry in (Expiry.SOON, Expiry.PAST)
        validated = key.entry.validated_at if key.entry is not None else None
        marks = self.shell.marks
        return KeyLine(
            key=f"{key.owner} {key.origin}",
            owner=key.owner,
            shown=bullets(key, marks.hidden),
            origin=origin_text(key),
            day=f"{marks.tick} {validated:%Y-%m-%d}" if validated is not None else "",
            tone="warning" if is_doubtful else "muted" if key.is_hidden else "name",
        )

    def _tell(self, said: str, tone: str) -> None:
        self._said.update(content_of((said, tone)))

    @property
    def _key(self) -> ListedKey | None:
        row = self.list.row
        return next((each for each in self._found if row and f"{each.owner} {each.origin}" == row.key), None)

    # What is done

    def _begin(self, work: Work) -> None:
        async def run() -> None:
            try:
                await work()
            except UserFacingError as error:
                self._tell(words(error), "$text-error")

        start(self, tr("The keys"), run, group="keys", exclusive=True)

    async def _open(self) -> DashboardKeys:
        """The keys, after the passphrase of the file, if that is needed."""
        ring = self._ring = self._ring or await self.shell.api_keys()
        try:
            await ring.shelf.open_file()
        except KeysLocked:
            await self.shell.show(PassphraseForm(ring.shelf.unlock))
            await ring.shelf.open_file()
        return ring

    def _may_change(self) -> bool:
        if self.shell.read_only:
            self.shell.tell(tr("Nothing can be changed: llmstack is read-only."))
        return not self.shell.read_only

    def _stored(self) -> ListedKey | None:
        """The key under the cursor; None, with the reason, if it is not one to be changed here."""
        key = self._key
        if key is not None and key.entry is None:
            self._tell(
                tr("This key is not stored by llmstack: change it where it comes from."), "$text-warning"
            )
        return key if key is not None and key.entry is not None and self._may_change() else None

    def action_add(self) -> None:
        if self._may_change():
            self._begin(lambda: self._type(tr("A new API key"), "", lambda ring: ring.add))

    def action_rotate(self) -> None:
        if (key := self._stored()) is not None:
            title = tr("A new API key for {owner}", owner=key.owner)
            self._begin(lambda: self._type(title, key.owner, lambda ring: ring.rotate))

    async def _type(
        self,
        title: str,
        owner: str,
        how: Callable[[DashboardKeys], Callable[[str, Secret], Awaitable[KeptKey]]],
    ) -> None:
        keep = how(await self._open())
        done: list[KeptKey] = []

        async def kept(owner: str, secret: Secret) -> None:
            done.append(await keep(owner, secret))

        await self.shell.show(KeyForm(title, owner, kept))
        for each in done:
            owner = each.entry.owner
            where = each.place or tr("the system's keyring")
            said = [tr("The key for {owner} is stored: {where}.", owner=owner, where=where)]
            said += [tr(VERDICTS[each.verdict], owner=owner)] if each.verdict is not None else []
            is_fine = each.verdict is KeyVerdict.VALID and not each.notes
            self._tell(
                " ".join((*said, *map(text, each.notes))), "$text-success" if is_fine else "$text-warning"
            )
        await self._read()

    @on(RowList.Opened)
    def action_validate(self) -> None:
        if (key := self._key) is not None:
            self._begin(lambda: self._validate(key.owner))

    async def _validate(self, owner: str) -> None:
        self._tell(tr("Asking {owner}", owner=owner) + self.shell.marks.dots, "$text-muted")
        verdict = await (await self._open()).validate(owner)
        tones = {KeyVerdict.VALID: "$text-success", KeyVerdict.REFUSED: "$text-error"}
        self._tell(tr(VERDICTS[verdict], owner=owner), tones.get(verdict, "$text-warning"))
        await self._read()

    def action_remove(self) -> None:
        if (key := self._stored()) is not None:
            self._begin(lambda: self._remove(key.owner))

    async def _remove(self, owner: str) -> None:
        title, said = (
            tr("Remove this key?"),
            tr("The key for {owner} cannot be shown or taken back.", owner=owner),
        )
        answers = (AnswerChoice("keep", tr("Leave it")), AnswerChoice("remove", tr("Remove"), dangerous=True))
        if await self.shell.ask(title, said, answers, escape="keep") == "remove":
            await (await self._open()).remove(owner)
            self._tell(tr("The key for {owner} is removed.", owner=owner), "$text-success")
            await self._read()
