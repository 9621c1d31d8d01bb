"""A talk with a model: a tree of turns, of which one path is shown."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  # msgspec reads the annotations
from datetime import datetime  # noqa: TC003  # as above
from enum import StrEnum

from msgspec import Struct

from llmstack_tui.base.sentences import Failure
from llmstack_tui.providers.types import ChatMessage, EndReason, Parameters
from llmstack_tui.providers.usage import Usage  # noqa: TC001  # as above


class TurnState(StrEnum):
    """How far a turn has come. A question is whole at once."""

    WHOLE = "whole"
    STREAMING = "streaming"
    STOPPED = "stopped"
    """The user has stopped it."""
    BROKEN_OFF = "broken off"
    """The server, the connection or the program ended in the middle."""


class Attachment(Struct, frozen=True, kw_only=True):
    """A file that goes with a question. Its content is kept once, under its digest.

    Attributes:
        media_type: told by the content: an image's, such as ``image/png``, or ``text/plain``.
        digest: SHA-256 of the content, in hexadecimal.
    """

    name: str
    media_type: str
    size_bytes: int
    digest: str

    @property
    def is_image(self) -> bool:
        return self.media_type.startswith("image/")


class AttachedFile(Struct, frozen=True):
    """An attachment with its content; a text is in UTF-8."""

    attachment: Attachment
    content: bytes


class Turn(Struct, frozen=True, kw_only=True):
    """A question, an answer, or a tool's result.

    Attributes:
        id: rises with the time.
        parent: the turn that it follows; None at the beginning of a talk.
        session: the id of its session.
        message: as it was typed or answered, without what is attached.
        model, provider: of an answer; the name of the provider that answered.
        reason: why an answer ended, where the provider said so.
        problem: why it was broken off, in a sentence.
    """

    id: int
    parent: int | None
    session: str
    message: ChatMessage
    at: datetime
    attachments: tuple[Attachment, ...] = ()
    model: str = ""
    provider: str = ""
    usage: Usage | None = None
    state: TurnState = TurnState.WHOLE
    reason: EndReason | None = None
    problem: str = ""


class Session(Struct, frozen=True, kw_only=True):
    """What is known of a talk without its turns.

    Attributes:
        id: ten hexadecimal digits; the first ones are enough, where they are of no other.
        title: the user's, or made of the first question; "" before that.
        folder: in which the user keeps it; "" is none.
        host: the URL of the server of the model, or the name of a provider.
        leaf: the turn at which the talk that is shown ends; None while there is none.
    """

    id: str
    created_at: datetime
    changed_at: datetime
    title: str = ""
    folder: str = ""
    is_pinned: bool = False
    model: str = ""
    host: str = ""
    system: str = ""
    parameters: Parameters = Parameters()
    leaf: int | None = None


class Talk(Struct, frozen=True, kw_only=True):
    """A session with all of its turns, by id, and what was typed and not sent."""

    session: Session
    turns: Mapping[int, Turn] = {}
    draft: str = ""


class FoundTurn(Struct, frozen=True, kw_only=True):
    """A turn in which words were found, or a session by its title (then ``turn`` is None).

    Attributes:
        excerpt: pieces of its text, each with whether it is one of the words.
    """

    session: Session
    turn: int | None
    excerpt: tuple[tuple[str, bool], ...]


class Vote(Struct, frozen=True, kw_only=True):
    """Which of several models gave the best answer to one question. No winner: none was better."""

    at: datetime
    models: tuple[str, ...]
    winner: str | None


class ChatError(Failure):
    """Something about a talk cannot be done. Its sentence says what to do."""


class UnknownSession(ChatError):
    """There is no such session, or more than one."""
