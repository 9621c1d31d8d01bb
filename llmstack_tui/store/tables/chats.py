"""Talks: sessions, their turns, what is attached to these, and votes. They have a file of their own.

Thousands of rows are read at once. So they come as they are stored, and what the caller makes of each is
made while they are read: what cannot be understood is a `StoreError`, as everywhere.
"""

from __future__ import annotations

from datetime import datetime  # noqa: TC003  # `struct_of` reads the annotations
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import asdict

from llmstack_tui.store.database import T, Table
from llmstack_tui.store.database.values import document, struct_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Collection, Iterable, Mapping


class SessionRow(Struct, frozen=True):
    """A session as it is stored; ``parameters`` are those of a request, as JSON."""

    id: str
    created_at: int
    changed_at: int
    title: str
    folder: str
    is_pinned: int
    model: str
    host: str
    system: str
    parameters: str
    leaf: int | None
    draft: str


class TurnRow(Struct, frozen=True):
    """A turn as it is stored.

    Attributes:
        more: the fields of its message that have no column, as JSON.
        attachments, usage: as JSON, [] and {} where there is none.
        writer: which process writes it; "" once it is whole.
    """

    id: int
    parent: int | None
    session: str
    at: int
    role: str
    text: str
    reasoning: str
    more: str
    attachments: str
    model: str
    provider: str
    usage: str
    state: str
    reason: str
    problem: str
    writer: str


_ADD_SESSION = """
INSERT OR IGNORE INTO sessions
(id, created_at, changed_at, title, folder, is_pinned, model, host, system, parameters, leaf, draft)
VALUES (:id, :created_at, :changed_at, :title, :folder, :is_pinned, :model, :host, :system, :parameters,
        :leaf, :draft)"""
_SET = """
UPDATE sessions SET
  changed_at = coalesce(:changed_at, changed_at), title = coalesce(:title, title),
  folder = coalesce(:folder, folder), is_pinned = coalesce(:is_pinned, is_pinned),
  model = coalesce(:model, model), host = coalesce(:host, host), system = coalesce(:system, system),
  parameters = coalesce(:parameters, parameters), leaf = coalesce(:leaf, leaf),
  draft = coalesce(:draft, draft)
WHERE id = :id"""
_DELETE = "UPDATE sessions SET deleted_at = :at WHERE id = :id"
# In the order of the fields of `SessionRow` and `TurnRow`.
_SELECT_SESSION = """
SELECT id, created_at, changed_at, title, folder, is_pinned, model, host, system, parameters, leaf, draft
FROM sessions"""
_SESSIONS = f"{_SELECT_SESSION} WHERE deleted_at IS NULL ORDER BY is_pinned DESC, changed_at DESC, id"
_SESSION = f"{_SELECT_SESSION} WHERE id = :id AND deleted_at IS NULL"
_ADD_TURN = """
INSERT INTO turns
(id, parent, session, at, role, text, reasoning, more, attachments, model, provider, usage, state, reason,
 problem, writer)
VALUES (:id, :parent, :session, :at, :role, :text, :reasoning, :more, :attachments, :model, :provider,
        :usage, :state, :reason, :problem, :writer)"""
_APPEND = """
UPDATE turns SET text = text || :text, reasoning = reasoning || :reasoning
WHERE id = :id AND state = 'streaming'"""
_END = """
UPDATE turns SET text = :text, reasoning = :reasoning, more = :more, model = :model, provider = :provider,
  usage = :usage, state = :state, reason = :reason, problem = :problem, writer = ''
WHERE id = :id"""
_BREAK_OFF = "UPDATE turns SET state = 'broken off', writer = '' WHERE id = :id AND state = 'streaming'"
_TURNS = """
SELECT id, parent, session, at, role, text, reasoning, more, attachments, model, provider, usage, state,
       reason, problem, writer
FROM turns WHERE session = :session ORDER BY id"""
_UNDER_WAY = "SELECT id, writer FROM turns WHERE state = 'streaming'"
_ATTACH = "INSERT OR IGNORE INTO attached (digest, content) VALUES (:digest, :content)"
_CONTENTS = """
SELECT digest, content FROM attached WHERE digest IN (SELECT value FROM json_each(:digests))"""
# The newest first: to rank all that was found would take 0.3 s where a word is in every message.
_SEARCH = """
SELECT turns.id, turns.session, snippet(turn_words, 0, char(2), char(3), '…', 16) AS excerpt
FROM turn_words JOIN turns ON turns.id = turn_words.rowid
JOIN sessions ON sessions.id = turns.session AND sessions.deleted_at IS NULL
WHERE turn_words MATCH :query ORDER BY turn_words.rowid DESC LIMIT :limit"""
_ADD_VOTE = "INSERT INTO votes (at, models, winner) VALUES (:at, :models, :winner)"
_VOTES = "SELECT at, models, winner FROM votes ORDER BY id"


class VoteRow(Struct, frozen=True, kw_only=True):
    """A vote on the answers of some models; no winner is "none was better"."""

    at: datetime
    models: tuple[str, ...]
    winner: str | None


class ChatSessions(Table):
    """Sessions by id."""

    def add(self, row: SessionRow) -> None:
        """Add a session, unless it is there."""
        self._database.put(_ADD_SESSION, asdict(row))

    def set(self, session: str, changes: Mapping[str, object]) -> None:
        """Change these columns. None leaves one as it is."""
        columns = dict.fromkeys(SessionRow.__struct_fields__)
        self._database.put(_SET, {**columns, **changes, "id": session})

    def delete(self, session: str, at: datetime | None) -> None:
        """Delete it, for good after a while; None takes that back."""
        self._database.put(_DELETE, {"id": session, "at": at})

    async def all(self, make: Callable[[SessionRow], T]) -> tuple[T, ...]:
        """What is made of each: the pinned ones first, then the newest."""
        return await self._database.read(_SESSIONS, {}, lambda row: make(SessionRow(*row)))

    async def one(self, session: str, make: Callable[[SessionRow], T]) -> T | None:
        found = await self._database.read(_SESSION, {"id": session}, lambda row: make(SessionRow(*row)))
        return found[0] if found else None


class ChatTurns(Table):
    """The turns of all sessions."""

    def add(self, row: TurnRow) -> None:
        self._database.put(_ADD_TURN, asdict(row))

    def append(self, turn: int, text: str, reasoning: str) -> None:
        """Add to a turn that is being written."""
        self._database.put(_APPEND, {"id": turn, "text": text, "reasoning": reasoning})

    def end(self, row: TurnRow) -> None:
        """Write a turn that is whole, stopped or broken off, and will not change."""
        self._database.put(_END, asdict(row))

    def break_off(self, turns: Iterable[int]) -> None:
        """End turns that nobody writes any more."""
        for each in turns:
            self._database.put(_BREAK_OFF, {"id": each})

    async def of(self, session: str, make: Callable[[TurnRow], T]) -> tuple[T, ...]:
        """What is made of each turn of a session, the oldest first."""
        return await self._database.read(_TURNS, {"session": session}, lambda row: make(TurnRow(*row)))

    async def under_way(self) -> tuple[tuple[int, str], ...]:
        """The turns that are being written, each with its writer."""

        def make(row: sqlite3.Row) -> tuple[int, str]:
            return row["id"], row["writer"]

        return await self._database.read(_UNDER_WAY, {}, make)

    async def search(self, query: str, limit: int) -> tuple[tuple[int, str, str], ...]:
        """The newest turns for a query in FTS5's words: id, session, and an excerpt.

        Each of the words is between the characters 2 and 3 there.
        """

        def make(row: sqlite3.Row) -> tuple[int, str, str]:
            return row["id"], row["session"], row["excerpt"]

        return await self._database.read(_SEARCH, {"query": query, "limit": limit}, make)


class AttachedContents(Table):
    """The contents of attached files, each kept once."""

    def add(self, digest: str, content: bytes) -> None:
        self._database.put(_ATTACH, {"digest": digest, "content": content})

    async def of(self, digests: Collection[str]) -> Mapping[str, bytes]:
        """The contents by their digests, as far as they are there."""

        def make(row: sqlite3.Row) -> tuple[str, bytes]:
            return row["digest"], row["content"]

        if not digests:
            return {}
        return dict(await self._database.read(_CONTENTS, {"digests": document(sorted(digests))}, make))


class ChatVotes(Table):
    """The votes, in their order."""

    def add(self, row: VoteRow) -> None:
        self._database.put(_ADD_VOTE, asdict(row))

    async def all(self) -> tuple[VoteRow, ...]:
        return await self._database.read(_VOTES, {}, partial(struct_of, VoteRow))
