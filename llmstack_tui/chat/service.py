"""Talks: what is asked and answered in them is kept while it is typed and streamed."""

from __future__ import annotations

import asyncio
import os
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import structs

from llmstack_tui.base.process_records import identity_of
from llmstack_tui.base.structs import replace
from llmstack_tui.chat import records
from llmstack_tui.chat.answers import GrowingTurn, gone_of
from llmstack_tui.chat.rules.requests import messages_of
from llmstack_tui.chat.rules.searching import found_sessions, found_turns, query_of
from llmstack_tui.chat.rules.titles import title_of
from llmstack_tui.chat.rules.tree import renumbered
from llmstack_tui.chat.types import Session, Talk, Turn, TurnState, UnknownSession, Vote
from llmstack_tui.providers.types import ChatMessage, Parameters, Role
from llmstack_tui.store.chats import ChatStore
from llmstack_tui.store.tables.chats import VoteRow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from llmstack_tui.base.sentences import Failure, Sentence, Sentences
    from llmstack_tui.chat.imports import ImportedTalk
    from llmstack_tui.chat.types import AttachedFile, FoundTurn
    from llmstack_tui.providers.types import Piece

_GATHER_S = 0.1
"""What is typed or streamed is handed to the store so often, which has it in the file 0.5 s later."""
_MOST_FOUND = 100


class ChatService:
    """Sessions of talks; one for all faces of a program.

    The store opens on the first call. What is changed here shows in `talk` at once and is written soon; a
    write never fails. `notices` says where it will not be kept. Reading raises `StoreError`.

    Args:
        file: of the talks; why there can be none; None keeps them in memory on purpose.
        now: the clock.
    """

    def __init__(
        self, file: Path | Failure | None, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._file = file
        self._now = now
        self._store: ChatStore | None = None
        self._opening = asyncio.Lock()
        self._notices: list[Sentence] = []
        self._talks: dict[str, Talk] = {}
        self._unsaved: set[str] = set()
        self._last_id = 0
        self._live: dict[int, GrowingTurn] = {}
        self._drafts: dict[str, str] = {}
        self._gathering: asyncio.TimerHandle | None = None
        self._writer = ""

    @property
    def notices(self) -> Sentences:
        """What the user should know about the file, such as why nothing is kept."""
        return tuple(self._notices)

    # --- sessions ---

    async def sessions(self) -> tuple[Session, ...]:
        """All sessions with a question or a draft: the pinned ones first, then the newest."""
        store = await self._opened()
        self._gather()
        return await store.sessions.all(records.session)

    async def find(self, beginning: str) -> Session:
        """The session whose id begins so, or the one that was changed ``last``. Raises `UnknownSession`."""
        sessions = await self.sessions()
        if beginning == "last":
            if not sessions:
                raise UnknownSession("chat.no_sessions")
            return max(sessions, key=lambda each: each.changed_at)
        found = [each for each in sessions if beginning and each.id.startswith(beginning.lower())]
        if len(found) != 1:
            kind = "chat.many_sessions" if found else "chat.no_session"
            raise UnknownSession(kind, id=beginning)
        return found[0]

    async def new(
        self,
        *,
        model: str = "",
        host: str = "",
        system: str = "",
        parameters: Parameters | None = None,
        folder: str = "",
    ) -> Talk:
        """An empty talk. It is kept from the first thing that is typed on."""
        await self._opened()
        now = self._now()
        session = Session(
            id=secrets.token_hex(5),
            created_at=now,
            changed_at=now,
            model=model,
            host=host,
            system=system,
            parameters=parameters or Parameters(),
            folder=folder,
        )
        self._unsaved.add(session.id)
        self._talks[session.id] = Talk(session=session)
        return self._talks[session.id]

    async def open(self, session: str) -> Talk:
        """The talk with this id, as it is in the file now. Raises `UnknownSession`."""
        store = await self._opened()
        if session in self._unsaved:
            return self._talks[session]
        self._gather()
        talk = await store.sessions.one(session, records.talk)
        if talk is None:
            raise UnknownSession("chat.no_session", id=session)
        turns = {each.id: each for each in await store.turns.of(session, records.turn)}
        turns |= {id_: self._talks[session].turns[id_] for id_ in self._live.keys() & turns.keys()}
        self._talks[session] = replace(talk, turns=turns)
        return self._talks[session]

    def talk(self, session: str) -> Talk:
        """A talk that was opened or made here, with all that was changed since."""
        return self._talks[session]

    def close(self, session: str) -> None:
        """Forget an open talk, which stays in the file."""
        self._gather()
        if not any(each.turn.session == session for each in self._live.values()):
            self._talks.pop(session, None)
            self._unsaved.discard(session)

    async def change(
        self,
        session: str,
        *,
        title: str | None = None,
        folder: str | None = None,
        is_pinned: bool | None = None,
        model: str | None = None,
        host: str | None = None,
        system: str | None = None,
        parameters: Parameters | None = None,
        leaf: int | None = None,
    ) -> None:
        """Rename, move or pin a session, change its model, system prompt or parameters, or what it shows.

        Args:
            leaf: the turn at which the talk that is shown ends: `leaf_below` of a branch that is turned to.
        """
        await self._opened()
        given = {
            "title": title, "folder": folder, "is_pinned": is_pinned, "model": model, "host": host,
            "system": system, "parameters": parameters, "leaf": leaf,
        }  # fmt: skip
        self._set(session, {name: value for name, value in given.items() if value is not None})

    async def delete(self, session: str) -> None:
        """Delete a session. It can be had back for an hour, then it is gone."""
        (await self._opened()).sessions.delete(session, self._now())

    async def restore(self, session: str) -> None:
        """Take back `delete`."""
        (await self._opened()).sessions.delete(session, None)

    def draft(self, session: str, text: str) -> None:
        """Keep what was typed and not sent, in a talk that is open."""
        self._talks[session] = replace(self._talks[session], draft=text)
        self._drafts[session] = text
        self._gather_soon()

    # --- turns ---

    async def ask(
        self, session: str, text: str, *, parent: int | None, files: Sequence[AttachedFile] = ()
    ) -> Turn:
        """Add a question after ``parent``: the leaf, or, to ask otherwise, what the other question follows.

        The talk shows it from now on, its draft is empty, and it has a title.
        """
        store = await self._opened()
        for each in files:
            store.attached.add(each.attachment.digest, each.content)
        turn = self._turn(session, parent, ChatMessage(role=Role.USER, text=text))
        turn = replace(turn, attachments=tuple(each.attachment for each in files))
        changes: dict[str, object] = {"draft": ""}
        if not self._talks[session].session.title and (title := title_of(text)):
            changes["title"] = title
        self._drafts.pop(session, None)
        self._add(store, turn, changes)
        return turn

    async def add(self, session: str, message: ChatMessage, *, parent: int | None) -> Turn:
        """Add a turn that is whole, such as a tool's answer; the talk shows it."""
        store = await self._opened()
        turn = self._turn(session, parent, message)
        self._add(store, turn, {})
        return turn

    async def begin(self, session: str, *, parent: int | None, model: str, provider: str = "") -> Turn:
        """Begin an answer after ``parent``; another child of the same one is another answer."""
        store = await self._opened()
        turn = self._turn(session, parent, ChatMessage(role=Role.ASSISTANT, text=""))
        turn = replace(turn, model=model, provider=provider, state=TurnState.STREAMING)
        self._live[turn.id] = GrowingTurn(turn)
        self._add(store, turn, {})
        return turn

    def append(self, turn: int, piece: Piece) -> None:
        """Add what has arrived to an answer that was begun here."""
        live = self._live[turn]
        live.take(piece)
        self._gather_soon()

    async def end(self, turn: int, state: TurnState = TurnState.WHOLE, problem: str = "") -> Turn:
        """End an answer. What has arrived stays, even if it was stopped or broken off."""
        store = await self._opened()
        live = self._live.pop(turn)
        ended = live.ended(state, problem)
        talk = self._talks[ended.session]
        self._talks[ended.session] = replace(talk, turns={**talk.turns, turn: ended})
        store.turns.end(records.turn_row(ended))
        self._set(ended.session, {"changed_at": self._now()})
        return ended

    async def messages(self, turns: Sequence[Turn], system: str = "") -> tuple[ChatMessage, ...]:
        """What is sent for these turns: the system prompt, and each with what is attached to it."""
        store = await self._opened()
        digests = {each.digest for turn in turns for each in turn.attachments}
        return messages_of(turns, system, await store.attached.of(digests))

    # --- all talks ---

    async def search(self, words: str, limit: int = _MOST_FOUND) -> tuple[FoundTurn, ...]:
        """Sessions with these words in their title, then the newest turns with all of them.

        Accents and case make no difference. The last word may be the beginning of one.
        """
        store = await self._opened()
        sessions = await self.sessions()
        titles = found_sessions(sessions, words)
        query = query_of(words)
        matches = await store.turns.search(query, limit) if query else ()
        return (*titles, *found_turns(matches, sessions))

    async def files(self, talk: Talk) -> Mapping[str, bytes]:
        """The contents of all that is attached in a talk, by digest, for `exported`."""
        digests = {each.digest for turn in talk.turns.values() for each in turn.attachments}
        return await (await self._opened()).attached.of(digests)

    async def take_in(self, imported: Sequence[ImportedTalk]) -> tuple[Session, ...]:
        """Keep talks that were read from a file: all of them or, if the program is killed, none."""
        store = await self._opened()
        taken = []
        for each in imported:
            talk = renumbered(each.talk, secrets.token_hex(5), self._new_id())
            self._last_id = max((self._last_id, *talk.turns))
            store.sessions.add(records.session_row(talk))
            for turn in talk.turns.values():
                store.turns.add(records.turn_row(turn))
            for digest, content in each.files.items():
                store.attached.add(digest, content)
            taken.append(talk.session)
        await store.database.flush()
        return tuple(taken)

    async def vote(self, models: Sequence[str], winner: str | None) -> None:
        """Keep which of these models gave the best answer; None: none was better."""
        (await self._opened()).votes.add(VoteRow(at=self._now(), models=tuple(models), winner=winner))

    async def votes(self) -> tuple[Vote, ...]:
        """All votes, the oldest first."""
        rows = await (await self._opened()).votes.all()
        return tuple(Vote(at=each.at, models=each.models, winner=each.winner) for each in rows)

    async def kept(self) -> None:
        """Return when all is in the file. Raises `StoreError`: why it is not."""
        store = await self._opened()
        self._gather()
        if store.database.unkept is not None:
            raise store.database.unkept
        await store.database.flush()

    async def aclose(self) -> None:
        """Write what is pending and close the file."""
        for each in tuple(self._live):
            await self.end(each, TurnState.BROKEN_OFF)
        self._gather()
        if self._store is not None:
            await self._store.database.close()
            self._store = None

    # --- helpers ---

    async def _opened(self) -> ChatStore:
        async with self._opening:
            if self._store is None:
                self._store = await ChatStore.open(self._file, self._now(), self._notices.append)
                self._writer = f"{os.getpid()} {identity_of(os.getpid())}"
                await self._break_off(self._store)
            return self._store

    async def _break_off(self, store: ChatStore) -> None:
        """End the answers that were being written by programs that are gone."""
        under_way = await store.turns.under_way()
        if under_way:
            gone = await asyncio.to_thread(gone_of, {writer for _, writer in under_way})
            store.turns.break_off(turn for turn, writer in under_way if writer in gone)

    def _new_id(self) -> int:
        # Milliseconds and 10 bits: two programs hardly ever make the same one, and it is exact in JavaScript.
        made = (int(self._now().timestamp() * 1000) << 10) + secrets.randbelow(1 << 10)
        self._last_id = max(made, self._last_id + 1)
        return self._last_id

    def _turn(self, session: str, parent: int | None, message: ChatMessage) -> Turn:
        return Turn(id=self._new_id(), parent=parent, session=session, message=message, at=self._now())

    def _add(self, store: ChatStore, turn: Turn, changes: dict[str, object]) -> None:
        talk = self._talks[turn.session]
        self._talks[turn.session] = replace(talk, turns={**talk.turns, turn.id: turn})
        self._set(turn.session, {**changes, "leaf": turn.id, "changed_at": turn.at})
        writer = self._writer if turn.state is TurnState.STREAMING else ""
        store.turns.add(records.turn_row(turn, writer))

    def _set(self, session: str, changes: dict[str, object]) -> None:
        """Change an open talk, and the file."""
        if self._store is None:
            return
        if (talk := self._talks.get(session)) is not None:
            draft = str(changes.get("draft", talk.draft))
            own = {name: value for name, value in changes.items() if name != "draft"}
            talk = Talk(session=structs.replace(talk.session, **own), turns=talk.turns, draft=draft)
            self._talks[session] = talk
            if session in self._unsaved and (talk.turns or talk.draft or talk.session.title):
                self._unsaved.discard(session)
                self._store.sessions.add(records.session_row(talk))
                return
        if session not in self._unsaved:
            self._store.sessions.set(session, changes)

    def _gather_soon(self) -> None:
        if self._gathering is None:
            self._gathering = asyncio.get_running_loop().call_later(_GATHER_S, self._gather)

    def _gather(self) -> None:
        """Hand what was typed and streamed to the store."""
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None
        if self._store is None:
            return
        for session, draft in self._drafts.items():
            self._set(session, {"draft": draft})
        self._drafts.clear()
        for turn, live in self._live.items():
            if any(new := live.unwritten()):
                self._store.turns.append(turn, *new)
