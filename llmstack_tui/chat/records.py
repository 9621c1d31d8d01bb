"""Talks as the store has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import convert, to_builtins

from llmstack_tui.chat.types import Attachment, Session, Turn, TurnState
from llmstack_tui.providers.types import ChatMessage, EndReason, Parameters
from llmstack_tui.providers.usage import Usage
from llmstack_tui.store.tables.chats import SessionRow, TurnRow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmstack_tui.chat.types import Talk

_OWN_COLUMNS = ("role", "text", "reasoning", "images")


def session(row: SessionRow) -> Session:
    return Session(
        id=row.id,
        created_at=row.created_at,
        changed_at=row.changed_at,
        title=row.title,
        folder=row.folder,
        is_pinned=row.is_pinned,
        model=row.model,
        host=row.host,
        system=row.system,
        parameters=convert(row.parameters, Parameters),
        leaf=row.leaf,
    )


def session_row(talk: Talk) -> SessionRow:
    own = talk.session
    return SessionRow(
        id=own.id,
        created_at=own.created_at,
        changed_at=own.changed_at,
        title=own.title,
        folder=own.folder,
        is_pinned=own.is_pinned,
        model=own.model,
        host=own.host,
        system=own.system,
        parameters=to_builtins(own.parameters),
        leaf=own.leaf,
        draft=talk.draft,
    )


def turn(row: TurnRow) -> Turn:
    message = {**row.more, "role": row.role, "text": row.text, "reasoning": row.reasoning}
    return Turn(
        id=row.id,
        parent=row.parent,
        session=row.session,
        message=convert(message, ChatMessage),
        at=row.at,
        attachments=convert(row.attachments, tuple[Attachment, ...]),
        model=row.model,
        provider=row.provider,
        usage=convert(row.usage, Usage) if row.usage else None,
        state=TurnState(row.state),
        reason=EndReason(row.reason) if row.reason else None,
        problem=row.problem,
    )


def turn_row(turn: Turn) -> TurnRow:
    more = {name: value for name, value in _set_fields(turn.message).items() if name not in _OWN_COLUMNS}
    return TurnRow(
        id=turn.id,
        parent=turn.parent,
        session=turn.session,
        at=turn.at,
        role=turn.message.role,
        text=turn.message.text,
        reasoning=turn.message.reasoning,
        more=more,
        attachments=to_builtins(turn.attachments),
        model=turn.model,
        provider=turn.provider,
        usage={} if turn.usage is None else to_builtins(turn.usage),
        state=turn.state,
        reason=turn.reason or "",
        problem=turn.problem,
        writer="",
    )


def _set_fields(message: ChatMessage) -> Mapping[str, object]:
    """The fields that are not empty."""
    fields: dict[str, object] = to_builtins(message)
    return {name: value for name, value in fields.items() if value}
