"""What the server of a single file and its client say to each other, besides OpenAI's forms."""

from __future__ import annotations

from msgspec import Struct


class Turn(Struct, frozen=True, kw_only=True):
    """One message of a conversation. ``role`` is "system", "user" or "assistant"."""

    role: str
    content: str


class ChatRequest(Struct, frozen=True, kw_only=True):
    """``POST /chat``: a whole conversation in ``messages``, or one ``message``.

    A ``message`` stands alone unless it names a ``session``: the server then remembers that conversation, so
    that several clients never read each other's words.
    """

    messages: tuple[Turn, ...] | None = None
    message: str | None = None
    session: str | None = None
    max_tokens: int | None = None
    temperature: float | None = None


class Usage(Struct, frozen=True, kw_only=True):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class ChatAnswer(Struct, frozen=True, kw_only=True):
    """What ``POST /chat`` answers. ``finish_reason`` is "stop", or "length" if ``max_tokens`` cut it."""

    response: str
    model: str
    finish_reason: str
    usage: Usage
    session: str | None = None


class Health(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What ``GET /health`` answers: "ok" with status 200, else "loading" or "error" with 503."""

    status: str
    model: str
    path: str
    error: str | None = None

    @property
    def ok(self) -> bool:
        return self.status == "ok"
