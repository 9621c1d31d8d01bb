"""Talks from files: our own, and the exports of Open WebUI and ChatGPT.

Sources: Open WebUI's "Export chats" (its ``ChatModel`` and the ``history`` of messages that its chat view
keeps), and OpenAI's "How do I export my ChatGPT history and data?" (help.openai.com, article 7260999), whose
ZIP has a ``conversations.json`` with a ``mapping`` of nodes for each conversation.

A file is read whole before anything of it is kept, so nothing is half imported.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from collections.abc import Mapping  # noqa: TC003  # msgspec reads the annotations
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from msgspec import Struct

from llmstack_tui.chat.export import FORMAT, VERSION, TalkFile
from llmstack_tui.chat.rules.titles import title_of
from llmstack_tui.chat.rules.tree import leaf_below
from llmstack_tui.chat.types import ChatError, Session, Talk, Turn
from llmstack_tui.providers.types import ChatMessage, Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

MOST_BYTES = 100_000_000
_ROLES = {
    "user": Role.USER, "human": Role.USER, "assistant": Role.ASSISTANT, "model": Role.ASSISTANT,
    "system": Role.SYSTEM, "developer": Role.SYSTEM, "tool": Role.TOOL,
}  # fmt: skip
_LATEST = 32503680000.0
"""The year 3000, in seconds: a later time is in smaller units."""


class NotImported(ChatError):
    """A file cannot be imported. Nothing of it was."""


class ImportedTalk(NamedTuple):
    """A talk, and the contents of what is attached in it, by digest."""

    talk: Talk
    files: Mapping[str, bytes]


class _ForeignTurn(Struct, kw_only=True):
    """A message of another program; ``text`` is empty where it is only a step between others."""

    id: str
    parent: str | None
    role: Role | None
    text: str
    at: float | None = None
    model: str = ""
    reasoning: str = ""


# --- Open WebUI ---


class _WebUiMessage(Struct, frozen=True):
    role: str = ""
    content: str | tuple[Mapping[str, object], ...] | None = None
    parentId: str | None = None  # noqa: N815
    timestamp: float | None = None
    model: str | None = None


class _WebUiHistory(Struct, frozen=True):
    messages: Mapping[str, _WebUiMessage] = {}
    currentId: str | None = None  # noqa: N815


class _WebUiChat(Struct, frozen=True):
    history: _WebUiHistory
    title: str | None = None
    models: tuple[str, ...] | None = None
    system: str | None = None
    params: Mapping[str, object] | None = None


class _WebUiTalk(Struct, frozen=True):
    chat: _WebUiChat
    title: str | None = None
    pinned: bool | None = None
    created_at: float | None = None
    updated_at: float | None = None


# --- ChatGPT ---


class _GptAuthor(Struct, frozen=True):
    role: str = ""


class _GptContent(Struct, frozen=True):
    content_type: str = "text"
    parts: tuple[object, ...] | None = None
    text: str | None = None


class _GptMessage(Struct, frozen=True):
    author: _GptAuthor = _GptAuthor()
    content: _GptContent | None = None
    create_time: float | None = None
    metadata: Mapping[str, object] | None = None


class _GptNode(Struct, frozen=True):
    message: _GptMessage | None = None
    parent: str | None = None


class _GptTalk(Struct, frozen=True):
    mapping: Mapping[str, _GptNode]
    title: str | None = None
    create_time: float | None = None
    update_time: float | None = None
    current_node: str | None = None


def read_talks(file: Path) -> tuple[ImportedTalk, ...]:
    """The talks of a file. Blocking.

    Raises:
        NotImported: it cannot be read, is too large, or is none of the three kinds.
    """
    name = str(file)
    try:
        with file.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise NotImported("chat.unreadable", file=name, why=error.strerror or str(error)) from None
    if len(content) > MOST_BYTES:
        raise NotImported("chat.import_large", file=name, limit=MOST_BYTES)
    parts = _unpacked(content, name) if content.startswith(b"PK") else [content]
    found = [talk for part in parts for talk in _parsed(part, name)]
    if not found:
        raise NotImported("chat.import_empty", file=name)
    return tuple(found)


def _unpacked(content: bytes, file: str) -> list[bytes]:
    """The conversations in a ZIP, which may be a bomb: no more is unpacked than a file may have."""
    parts, left = [], MOST_BYTES
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for each in archive.infolist():
                name = each.filename.rpartition("/")[2]
                if name.startswith("conversations") and name.endswith(".json"):
                    with archive.open(each) as opened:
                        parts.append(opened.read(left + 1))
                    left -= len(parts[-1])
                    if left < 0:
                        raise NotImported("chat.import_large", file=file, limit=MOST_BYTES)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, OSError, ValueError) as error:
        # One with a password, or packed in an unknown way, is a RuntimeError.
        raise NotImported("chat.import_broken", file=file, why=str(error)) from None
    return parts


def _parsed(content: bytes, file: str) -> Iterator[ImportedTalk]:
    try:
        whole = msgspec.json.decode(content)
        for each in whole if isinstance(whole, list) else [whole]:
            if (talk := _talk(each, file)) is not None:
                yield talk
    except RecursionError:
        raise NotImported("chat.import_unknown", file=file) from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise NotImported("chat.import_broken", file=file, why=str(error)) from None


def _talk(each: object, file: str) -> ImportedTalk | None:
    """A talk of one of the kinds, None if there is no message in it."""
    match each:
        case {"format": format_, "version": version} if format_ == FORMAT:
            if version != VERSION:
                raise NotImported("chat.import_newer", file=file)
            own = msgspec.convert(each, TalkFile)
            if any(hashlib.sha256(content).hexdigest() != digest for digest, content in own.files.items()):
                raise NotImported("chat.import_broken", file=file, why="SHA-256")
            turns = {turn.id: turn for turn in own.turns}
            return ImportedTalk(Talk(session=own.session, turns=turns), own.files)
        case {"chat": {"history": _}}:
            return _from_web_ui(msgspec.convert(each, _WebUiTalk, strict=False))
        case {"mapping": _}:
            return _from_gpt(msgspec.convert(each, _GptTalk, strict=False))
    raise NotImported("chat.import_unknown", file=file)


def _from_web_ui(own: _WebUiTalk) -> ImportedTalk | None:
    chat = own.chat
    nodes = (
        _ForeignTurn(
            id=id_,
            parent=each.parentId,
            role=_ROLES.get(each.role.lower()),
            text=_text_of(each.content),
            at=each.timestamp,
            model=each.model or "",
        )
        for id_, each in chat.history.messages.items()
    )
    system = chat.system or str((chat.params or {}).get("system") or "")
    return _built(
        nodes,
        chat.history.currentId,
        title=own.title or chat.title or "",
        system=system,
        model=chat.models[0] if chat.models else "",
        created=own.created_at,
        changed=own.updated_at,
        is_pinned=bool(own.pinned),
    )


def _from_gpt(own: _GptTalk) -> ImportedTalk | None:
    nodes = (_gpt_node(id_, each) for id_, each in own.mapping.items())
    return _built(
        nodes, own.current_node, title=own.title or "", created=own.create_time, changed=own.update_time
    )


def _gpt_node(id_: str, own: _GptNode) -> _ForeignTurn:
    said = own.message
    node = _ForeignTurn(id=id_, parent=own.parent, role=None, text="")
    if said is None or said.content is None:
        return node
    more = said.metadata or {}
    # What the service has said to the model, which the user has never seen.
    is_hidden = more.get("is_visually_hidden_from_conversation") or said.content.content_type in (
        "user_editable_context", "model_editable_context",
    )  # fmt: skip
    if is_hidden:
        return node
    text = said.content.text or _text_of(said.content.parts)
    if said.content.content_type == "code" and text:
        text = f"```\n{text}\n```"
    slug = more.get("model_slug")
    node.role, node.text, node.at = _ROLES.get(said.author.role.lower()), text, said.create_time
    node.model = slug if isinstance(slug, str) and node.role is Role.ASSISTANT else ""
    return node


def _text_of(content: object) -> str:
    """The texts of a content, which may be a list of parts; an image or a file is left out."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, (list, tuple)) else ()
    texts = (each.get("text") if isinstance(each, dict) else each for each in parts)
    return "\n\n".join(each for each in texts if isinstance(each, str) and each)


def _built(
    nodes: Iterable[_ForeignTurn],
    current: str | None,
    *,
    title: str,
    system: str = "",
    model: str = "",
    created: float | None,
    changed: float | None,
    is_pinned: bool = False,
) -> ImportedTalk | None:
    """The tree of the nodes that say something; None if none does.

    Ids are numbers in the order of the tree; the service gives them new ones.
    """
    by_id = {each.id: each for each in nodes}
    children: dict[str | None, list[_ForeignTurn]] = {}
    for each in by_id.values():
        children.setdefault(each.parent if each.parent in by_id else None, []).append(each)
    at = _time(created, datetime.now(UTC))
    turns: dict[int, Turn] = {}
    numbers: dict[str, int | None] = {}
    waiting = list(reversed(children.get(None, [])))
    while waiting:  # A circle is reached from nowhere.
        node = waiting.pop()
        parent = numbers.get(node.parent) if node.parent is not None else None
        if node.role is Role.SYSTEM and parent is None and not system:
            system = node.text
        elif node.role is not None and node.text.strip() and node.role is not Role.SYSTEM:
            turn = Turn(
                id=len(turns) + 1,
                parent=parent,
                session="",
                message=ChatMessage(role=node.role, text=node.text, reasoning=node.reasoning),
                at=_time(node.at, at),
                model=node.model,
            )
            turns[turn.id] = turn
            parent = turn.id
        numbers[node.id] = parent
        waiting += reversed(children.get(node.id, []))
    if not turns:
        return None
    leaf = numbers.get(current) if current is not None else None
    first = next(iter(turns.values()))
    models = [each.model for each in turns.values() if each.model]
    session = Session(
        id="",
        created_at=at,
        changed_at=_time(changed, at),
        title=title or title_of(first.message.text),
        is_pinned=is_pinned,
        model=model or (models[-1] if models else ""),
        system=system,
        leaf=leaf or leaf_below(turns, max(turns)),
    )
    return ImportedTalk(Talk(session=session, turns=turns), {})


def _time(seconds: float | None, otherwise: datetime) -> datetime:
    """A time in seconds, milliseconds or nanoseconds since 1970."""
    if seconds is None or not seconds > 0:
        return otherwise
    while seconds > _LATEST:
        seconds /= 1000
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return otherwise
