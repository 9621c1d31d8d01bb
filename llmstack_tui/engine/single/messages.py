"""The requests and answers of the server of a single file, besides OpenAI's."""

from __future__ import annotations

from msgspec import Struct


class ChatTurn(Struct, frozen=True, kw_only=True):
    """One message of a conversation. ``role`` is "system", "user" or "assistant"."""

    role: str
    content: str


class SingleChatRequest(Struct, frozen=True, kw_only=True):
    """``POST /chat``: a whole conversation in ``messages``, or one ``message``.

    With a ``message`` and the name of a ``session``, the server remembers the conversation of that name;
    without a session each message is answered on its own, so that clients never see each other's messages.
    """

    messages: tuple[ChatTurn, ...] | None = None
    message: str | None = None
    session: str | None = None
    max_tokens: int | None = None
    temperature: float | None = None


class TokenCounts(Struct, frozen=True, kw_only=True):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class SingleChatAnswer(Struct, frozen=True, kw_only=True):
    """The answer of ``POST /chat``. ``finish_reason``: "stop", or "length" if ``max_tokens`` was reached."""

    response: str
    model: str
    finish_reason: str
    usage: TokenCounts
    session: str | None = None


class SingleHealth(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer of ``GET /health``: "ok" with status 200, else "loading" or "error" with 503."""

    status: str
    model: str
    path: str
    error: str | None = None

    @property
    def ok(self) -> bool:
        return self.status == "ok"
