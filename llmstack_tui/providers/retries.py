"""A provider that is asked again after a failure that may pass: only before the first piece of its answer."""

from __future__ import annotations

import logging
from contextlib import aclosing
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct

from llmstack_tui.providers.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

    from stamina import Attempt

    from llmstack_tui.providers.prices import Cost
    from llmstack_tui.providers.provider import Provider
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

Value = TypeVar("Value")


class RetryRules(Struct, frozen=True, kw_only=True):
    """When to give up.

    Attributes:
        tries: in all, the first one included.
        limit_s: seconds in all; a provider that wants a longer wait is not asked again.
        first_wait_s: before the second try; each later one waits twice as long, and by chance a little more.
    """

    tries: int = 3
    limit_s: float = 30.0
    first_wait_s: float = 0.5


class RetryingProvider:
    """``provider``, with retries; it is closed with this."""

    def __init__(self, provider: Provider, rules: RetryRules | None = None) -> None:
        self._provider = provider
        self._rules = rules or RetryRules()

    @property
    def name(self) -> str:
        return self._provider.name

    @property
    def abilities(self) -> Ability:
        return self._provider.abilities

    def chat(self, request: ChatRequest) -> AsyncGenerator[Piece, None]:
        return self._stream(lambda: self._provider.chat(request))

    def generate(self, request: TextRequest) -> AsyncGenerator[Piece, None]:
        return self._stream(lambda: self._provider.generate(request))

    async def embed(self, request: EmbedRequest) -> Vectors:
        return await self._call(lambda: self._provider.embed(request))

    async def models(self) -> tuple[ModelFacts, ...]:
        return await self._call(self._provider.models)

    async def model(self, name: str) -> ModelFacts:
        return await self._call(lambda: self._provider.model(name))

    async def is_available(self) -> bool:
        return await self._provider.is_available()

    async def health(self) -> Health:
        """Of this moment: without retries."""
        return await self._provider.health()

    def cost(self, model: str, usage: Usage) -> Cost | None:
        return self._provider.cost(model, usage)

    async def aclose(self) -> None:
        await self._provider.aclose()

    async def _stream(self, ask: Callable[[], AsyncGenerator[Piece, None]]) -> AsyncGenerator[Piece, None]:
        async def begun() -> tuple[Piece, AsyncGenerator[Piece, None]]:
            pieces = ask()
            try:
                return await anext(pieces), pieces
            except BaseException:
                await pieces.aclose()
                raise

        first, pieces = await self._call(begun)
        async with aclosing(pieces):
            yield first
            async for piece in pieces:
                yield piece

    async def _call(self, ask: Callable[[], Awaitable[Value]]) -> Value:
        value: Value
        async for attempt in _attempts(self._rules):
            with attempt:
                value = await ask()
        return value


def wait_s(error: Exception, rules: RetryRules) -> bool | float:
    """Whether to try again; as a number, the seconds that the provider wants to be left alone before."""
    if not isinstance(error, ProviderError) or not error.may_retry:
        return False
    if error.retry_after_s is None:
        return True
    return error.retry_after_s if error.retry_after_s < rules.limit_s else False


def _attempts(rules: RetryRules) -> AsyncIterator[Attempt]:
    import stamina  # noqa: PLC0415  # only for who asks a provider

    # It logs each retry. Where nobody has set up logging, that would be written over the screen.
    logger = logging.getLogger("stamina")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    return aiter(
        stamina.retry_context(
            on=lambda error: wait_s(error, rules),
            attempts=rules.tries,
            timeout=rules.limit_s,
            wait_initial=rules.first_wait_s,
            wait_max=rules.limit_s / 2,
            wait_jitter=rules.first_wait_s,
        )
    )
