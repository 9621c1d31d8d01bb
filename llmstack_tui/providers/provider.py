"""The interface of everything that answers: a local server, a cloud."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from llmstack_tui.providers.prices import Cost
    from llmstack_tui.providers.types import (
        Ability,
        ChatRequest,
        EmbedRequest,
        Health,
        ModelFacts,
        Piece,
        TextRequest,
        Vectors,
    )
    from llmstack_tui.providers.usage import Usage


class Provider(Protocol):
    """Every call raises `ProviderError` and nothing else; cancelling or closing it ends the request.

    What the provider or the model cannot do is a `CannotDo` before anything is sent. A stream that is not
    read to its end has to be closed (`contextlib.aclosing`); one that is cut raises.
    """

    @property
    def name(self) -> str:
        """Such as ``ollama``, ``openai``, or the address of a server."""

    @property
    def abilities(self) -> Ability: ...

    def chat(self, request: ChatRequest) -> AsyncGenerator[Piece, None]: ...

    def generate(self, request: TextRequest) -> AsyncGenerator[Piece, None]: ...

    async def embed(self, request: EmbedRequest) -> Vectors: ...

    async def models(self) -> tuple[ModelFacts, ...]: ...

    async def model(self, name: str) -> ModelFacts: ...

    async def is_available(self) -> bool:
        """Whether it could be asked: it has what it needs (a key, an address). Sends nothing."""

    async def health(self) -> Health:
        """One cheap call."""

    def cost(self, model: str, usage: Usage) -> Cost | None:
        """What it cost in money; None where no price is known. A local model costs nothing."""

    async def aclose(self) -> None: ...
