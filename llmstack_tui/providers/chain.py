"""Providers in an order: who cannot answer is followed by the next, before the first token only."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, TypeVar

from llmstack_tui.base.structs import replace
from llmstack_tui.providers.breaker import Breaker
from llmstack_tui.providers.errors import Blocked, NoProvider, ProviderError
from llmstack_tui.providers.types import Ability, Health, Piece
from llmstack_tui.providers.wording import notice

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from llmstack_tui.providers.prices import Cost
    from llmstack_tui.providers.provider import Provider
    from llmstack_tui.providers.types import ChatRequest, EmbedRequest, ModelFacts, TextRequest, Vectors
    from llmstack_tui.providers.usage import Usage

    Request = TypeVar("Request", ChatRequest, TextRequest, EmbedRequest)


class ChainLink:
    """A provider of a chain.

    Args:
        model: what it is asked for instead of the model of the request; "" for that one.
    """

    def __init__(self, provider: Provider, model: str = "", breaker: Breaker | None = None) -> None:
        self.provider = provider
        self.model = model
        self.breaker = breaker or Breaker()


class ChainProvider:
    """The ``links`` as one provider; they are closed with it.

    A provider that has no key, that cannot do the request, or that has failed several times in a row is
    passed over. A question that one refuses for its safety rules is not put to the next.
    """

    name = "chain"

    def __init__(self, links: Sequence[ChainLink]) -> None:
        self._links = tuple(links)

    @property
    def abilities(self) -> Ability:
        found = Ability(0)
        for link in self._links:
            found |= link.provider.abilities
        return found

    def chat(self, request: ChatRequest) -> AsyncGenerator[Piece, None]:
        return self._answer(request, lambda provider: provider.chat)

    def generate(self, request: TextRequest) -> AsyncGenerator[Piece, None]:
        return self._answer(request, lambda provider: provider.generate)

    async def embed(self, request: EmbedRequest) -> Vectors:
        """By the first provider that can: vectors of two models cannot be compared."""
        for link in self._links:
            if Ability.EMBED in link.provider.abilities and await link.provider.is_available():
                return await link.provider.embed(_for(link, request))
        raise NoProvider("providers.nobody_embeds", provider=self.name)

    async def models(self) -> tuple[ModelFacts, ...]:
        return tuple([each for link in self._links for each in await link.provider.models()])

    async def model(self, name: str) -> ModelFacts:
        errors: list[ProviderError] = []
        for link in self._links:
            try:
                return await link.provider.model(name)
            except ProviderError as error:
                errors.append(error)
        raise self._nobody(errors)

    async def is_available(self) -> bool:
        return any([await link.provider.is_available() for link in self._links])

    async def health(self) -> Health:
        """That of the first healthy one, else of the last."""
        health = Health(is_healthy=False, problem=str(self._nobody([])))
        for link in self._links:
            health = await link.provider.health()
            if health.is_healthy:
                return health
        return health

    def cost(self, model: str, usage: Usage) -> Cost | None:
        """By the first provider that knows a price of the model."""
        costs = (link.provider.cost(model, usage) for link in self._links)
        return next((cost for cost in costs if cost is not None), None)

    async def aclose(self) -> None:
        for link in self._links:
            await link.provider.aclose()

    async def _answer(
        self,
        request: Request,
        way: Callable[[Provider], Callable[[Request], AsyncGenerator[Piece, None]]],
    ) -> AsyncGenerator[Piece, None]:
        errors: list[ProviderError] = []
        for link in self._links:
            if not link.breaker.admits():
                errors.append(NoProvider("providers.rests", provider=link.provider.name))
                continue
            if errors:
                yield Piece(notice=self._follows(errors[-1], link))
            link.breaker.tried()
            has_begun = False
            try:
                async with aclosing(way(link.provider)(_for(link, request))) as pieces:
                    async for piece in pieces:
                        if not has_begun and _has_token(piece):
                            has_begun = True
                            link.breaker.succeeded()
                        yield piece
                return
            except ProviderError as error:
                link.breaker.failed(error)
                if has_begun or isinstance(error, Blocked):
                    raise
                errors.append(error)
        raise self._nobody(errors)

    def _follows(self, error: ProviderError, link: ChainLink) -> str:
        return notice("providers.follows", provider=link.provider.name, why=str(error))

    def _nobody(self, errors: Sequence[ProviderError]) -> NoProvider:
        if not errors:
            return NoProvider("providers.none", provider=self.name)
        return NoProvider("providers.all_failed", provider=self.name, why=tuple(e.sentence for e in errors))


def _for(link: ChainLink, request: Request) -> Request:
    return replace(request, model=link.model) if link.model else request


def _has_token(piece: Piece) -> bool:
    return bool(piece.text or piece.reasoning or piece.tool_calls or piece.ending)
