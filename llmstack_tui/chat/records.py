"""Talks as the store has them."""

from __future__ import annotations

from msgspec import Struct, json

from llmstack_tui.chat.types import Attachment, Session, Talk, Turn, TurnState
from llmstack_tui.providers.types import ChatMessage, EndReason, Parameters, Role, ToolCall
from llmstack_tui.providers.usage import Usage
from llmstack_tui.store.database.values import to_stored_time, to_time
from llmstack_tui.store.tables.chats import SessionRow, TurnRow


class _More(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The fields of a message that few have."""

    signature: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    answers: str = ""
    tool: str = ""


_NOTHING = _More()
_MORE = json.Decoder(_More)
_USAGE = json.Decoder(Usage)
_ATTACHMENTS = json.Decoder(tuple[Attachment, ...])
_PARAMETERS = json.Decoder(Parameters)


def talk(row: SessionRow) -> Talk:
    """The session, without its turns, and its draft."""
    return Talk(session=session(row), draft=row.draft)


def session(row: SessionRow) -> Session:
    return Session(
        id=row.id,
        created_at=to_time(row.created_at),
        changed_at=to_time(row.changed_at),
        title=row.title,
        folder=row.folder,
        is_pinned=bool(row.is_pinned),
        model=row.model,
        host=row.host,
        system=row.system,
        parameters=_PARAMETERS.decode(row.parameters),
        leaf=row.leaf,
    )


def session_row(talk: Talk) -> SessionRow:
    own = talk.session
    return SessionRow(
        id=own.id,
        created_at=to_stored_time(own.created_at),
        changed_at=to_stored_time(own.changed_at),
        title=own.title,
        folder=own.folder,
        is_pinned=own.is_pinned,
        model=own.model,
        host=own.host,
        system=own.system,
        parameters=_text(own.parameters),
        leaf=own.leaf,
        draft=talk.draft,
    )


def turn(row: TurnRow) -> Turn:
    more = _NOTHING if row.more == "{}" else _MORE.decode(row.more)
    return Turn(
        id=row.id,
        parent=row.parent,
        session=row.session,
        message=ChatMessage(
            role=Role(row.role),
            text=row.text,
            reasoning=row.reasoning,
            signature=more.signature,
            tool_calls=more.tool_calls,
            answers=more.answers,
            tool=more.tool,
        ),
        at=to_time(row.at),
        attachments=() if row.attachments == "[]" else _ATTACHMENTS.decode(row.attachments),
        model=row.model,
        provider=row.provider,
        usage=None if row.usage == "{}" else _USAGE.decode(row.usage),
        state=TurnState(row.state),
        reason=EndReason(row.reason) if row.reason else None,
        problem=row.problem,
    )


def turn_row(turn: Turn, writer: str = "") -> TurnRow:
    own = turn.message
    return TurnRow(
        id=turn.id,
        parent=turn.parent,
        session=turn.session,
        at=to_stored_time(turn.at),
        role=own.role,
        text=own.text,
        reasoning=own.reasoning,
        more=_text(
            _More(signature=own.signature, tool_calls=own.tool_calls, answers=own.answers, tool=own.tool)
        ),
        attachments=_text(turn.attachments),
        model=turn.model,
        provider=turn.provider,
        usage="{}" if turn.usage is None else _text(turn.usage),
        state=turn.state,
        reason=turn.reason or "",
        problem=turn.problem,
        writer=writer,
    )


def _text(value: object) -> str:
    return json.encode(value).decode()
