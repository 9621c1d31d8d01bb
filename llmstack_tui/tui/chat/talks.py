"""The list of talks: to go on with one, to search them, and to keep them in order."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from llmstack_tui.base.languages import later, tr
from llmstack_tui.base.text import brief
from llmstack_tui.base.units import ago_text
from llmstack_tui.tui.chat import TALKS_KEYS
from llmstack_tui.tui.chat.picking import PickRow, PickScreen
from llmstack_tui.tui.dialogs import TypedValue
from llmstack_tui.tui.shell import AnswerChoice, shell_of, start

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from textual.binding import BindingType

    from llmstack_tui.chat.types import FoundTurn, Session
    from llmstack_tui.tui.shell import Shell
    from llmstack_tui.tui.stack import DashboardChats

_LONGEST = 200
_MOST_FOUND = 100


class TalksScreen(PickScreen[str]):
    """Returns the id of the talk to go on with.

    Args:
        present: the id of the talk that is open.

    Attributes:
        deleted: the ids of the talks that were deleted here.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*TALKS_KEYS]

    def __init__(self, chats: DashboardChats, present: str) -> None:
        super().__init__(
            tr("Talks"),
            ("talks.rename", later("rename")),
            ("talks.pin", later("pin")),
            ("talks.folder", later("folder")),
            ("talks.delete", later("delete")),
        )
        self._chats = chats
        self._present = present
        self._sessions: dict[str, Session] = {}
        self._words = ""
        self.deleted: set[str] = set()

    def search(self, words: str) -> None:
        self._words = words.strip()
        start(self, tr("The talks"), self._read, group="search", exclusive=True)

    async def _read(self) -> None:
        self._sessions = {each.id: each for each in await self._chats.sessions()}
        if self._words:
            found = await self._chats.search(self._words, _MOST_FOUND)
            rows = [self._found(each) for each in found if each.session.id in self._sessions]
            message = tr("Nothing has these words.")
        else:
            rows, message = [*self._listed(tuple(self._sessions.values()))], tr("There is no talk yet.")
        self.list.show_message((message, ""))
        self.list.show(list({row.key: row for row in rows}.values()))

    def _listed(self, sessions: Sequence[Session]) -> Iterator[PickRow]:
        """The pinned ones, then those in no folder, then each folder."""
        pinned = [each for each in sessions if each.is_pinned]
        others = [each for each in sessions if not each.is_pinned]
        folders = sorted({each.folder for each in others}, key=str.casefold)
        groups = [(tr("Pinned"), pinned)] if pinned else []
        groups += [(name, [each for each in others if each.folder == name]) for name in folders]
        for name, members in groups:
            if name:
                yield PickRow(("", name), brief(name, _LONGEST), is_heading=True)
            yield from (self._row(each) for each in members)

    def _row(self, session: Session) -> PickRow:
        shell = shell_of(self)
        ago = ago_text(session.changed_at, shell.view.moment.now)
        note = "  ".join(filter(None, [brief(session.model, 16), ago]))
        mark = shell.marks.tick if session.id == self._present else ""
        pin = shell.marks.pinned if session.is_pinned else mark
        return PickRow(session.id, brief(session.title, _LONGEST) or tr("Not sent yet"), note, pin)

    def _found(self, found: FoundTurn) -> PickRow:
        said = "".join(text for text, _ in found.excerpt) if found.turn is not None else ""
        title = brief(found.session.title, 40)
        name = f"{title}: {brief(said, _LONGEST)}" if said else title
        return PickRow(
            (found.session.id, found.turn),
            name,
            ago_text(found.session.changed_at, shell_of(self).view.moment.now),
        )

    def chosen(self, key: Hashable) -> str | None:
        return str(key[0]) if isinstance(key, tuple) else str(key)

    # Keys

    @property
    def _selected(self) -> Session | None:
        row = self.list.row
        return self._sessions.get(self.chosen(row.key) or "") if row is not None else None

    def action_pin(self) -> None:
        if (session := self._selected) is not None:
            start(self, tr("Pin"), partial(self._pin, session), group="change")

    async def _pin(self, session: Session) -> None:
        await self._chats.change(session.id, is_pinned=not session.is_pinned)
        await self._read()

    def action_rename(self) -> None:
        if (session := self._selected) is not None:
            start(self, tr("Rename"), partial(self._ask_for, session, "title"), group="change")

    def action_folder(self) -> None:
        if (session := self._selected) is not None:
            start(self, tr("Folder"), partial(self._ask_for, session, "folder"), group="change")

    async def _ask_for(self, session: Session, what: str) -> None:
        title, about, value = {
            "title": (tr("Rename the talk"), tr("Its new title"), session.title),
            "folder": (tr("Move the talk"), tr("The folder that it is kept in; empty: none"), session.folder),
        }[what]
        read = partial(_checked, may_be_empty=what == "folder")
        typed = await shell_of(self).show(TypedValue(title, about, value, read))
        if typed is not None:
            await (
                self._chats.change(session.id, title=typed)
                if what == "title"
                else self._chats.change(session.id, folder=typed)
            )
            await self._read()

    def action_delete(self) -> None:
        if (session := self._selected) is not None:
            start(self, tr("Delete"), partial(self._delete, session), group="change")

    async def _delete(self, session: Session) -> None:
        shell, name = shell_of(self), brief(session.title, 50)
        answers = (AnswerChoice("keep", tr("Keep it")), AnswerChoice("act", tr("Delete it"), dangerous=True))
        text = tr("All its questions and answers go. For an hour it can be had back.")
        title = tr("Delete the talk “{title}”?", title=name)
        if await shell.ask(title, text, answers, escape="keep") != "act":
            return
        await self._chats.delete(session.id)
        self.deleted.add(session.id)
        said = tr("The talk “{title}” is deleted.", title=name)
        shell.offer_undo(said, partial(_restore, shell, self._chats, session.id))
        await self._read()


def _restore(shell: Shell, chats: DashboardChats, session: str) -> bool:
    async def restore() -> None:
        await chats.restore(session)
        shell.tell(tr("The talk is back."))

    shell.start(tr("The talk"), restore, group="chat")
    return True


def _checked(typed: str, *, may_be_empty: bool) -> str:
    text = " ".join(typed.split())
    if not text and not may_be_empty:
        raise ValueError(tr("A talk needs a title."))
    return text
