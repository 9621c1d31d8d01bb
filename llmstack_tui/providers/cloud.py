"""What the providers of clouds have in common: a key, no raw texts, prices."""

from __future__ import annotations

import time
from contextlib import aclosing
from typing import TYPE_CHECKING, TypeVar

from llmstack_tui.providers import abilities, prices
from llmstack_tui.providers.errors import CannotDo, NoAccess, ProviderError
from llmstack_tui.providers.streams import answering, failing
from llmstack_tui.providers.turns import as_chat
from llmstack_tui.providers.types import Ability, ChatRequest, Health, ModelFacts

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from llmstack_tui.hosts.transport import Body, Transport
    from llmstack_tui.providers.prices import Cost
    from llmstack_tui.providers.types import EmbedRequest, Piece, TextRequest, Vectors
    from llmstack_tui.providers.usage import Usage

Heard = TypeVar("Heard")
Value = TypeVar("Value")


class CloudProvider:
    """The service that ``http`` leads to, which this closes.

    What a model can do is asked of the service before the first request that not every model of it can
    answer, and remembered: that question takes as long as a short answer.
    """

    name = ""
    abilities = Ability(0)
    # What a model can do as far as nobody has asked.
    usual = Ability(0)

    def __init__(self, http: Transport, *, name: str = "", needs_key: bool = True) -> None:
        self._http = http
        self._needs_key = needs_key
        self._facts: dict[str, ModelFacts] = {}
        self.name = name or self.name

    def chat(self, request: ChatRequest) -> AsyncGenerator[Piece, None]:
        return answering(self._checked(request), provider=self.name, model=request.model)

    def generate(self, request: TextRequest) -> AsyncGenerator[Piece, None]:
        """As a question: no such service goes on with a raw text."""
        if request.raw:
            raise CannotDo("providers.cannot_go_on", provider=self.name)
        return self.chat(as_chat(request))

    async def embed(self, request: EmbedRequest) -> Vectors:
        raise CannotDo("providers.cannot_embed", provider=self.name, model=request.model)

    async def models(self) -> tuple[ModelFacts, ...]:
        raise NotImplementedError

    async def model(self, name: str) -> ModelFacts:
        raise NotImplementedError

    async def is_available(self) -> bool:
        return self._http.has_key or not self._needs_key

    async def health(self) -> Health:
        began_s = time.monotonic()
        try:
            await self._ping()
        except ProviderError as error:
            return Health(is_healthy=False, problem=str(error))
        return Health(is_healthy=True, latency_s=time.monotonic() - began_s)

    def cost(self, model: str, usage: Usage) -> Cost | None:
        return prices.cost(self.name, model, usage)

    async def aclose(self) -> None:
        await self._http.aclose()

    # --- what each service does in its own way ---

    async def _ping(self) -> None:
        """The cheapest request that needs a key. Raises `ProviderError`."""
        raise NotImplementedError

    def _chat(self, request: ChatRequest, facts: ModelFacts | None) -> AsyncGenerator[Piece, None]:
        raise NotImplementedError

    # --- parts of the above ---

    async def _asked(
        self,
        path: str,
        body: Body | None,
        answer: type[Heard],
        read: Callable[[Heard], Value],
        *,
        model: str = "",
        limit_s: float | None = None,
    ) -> Value:
        """A question that is answered by one document; about this model, if it is about one."""
        with failing(self.name, model):
            return await self._http.document(
                "GET" if body is None else "POST",
                path,
                body,
                answer,
                read,
                limit_s=self._http.timeouts.call_s if limit_s is None else limit_s,
                missing=model,
            )

    async def _checked(self, request: ChatRequest) -> AsyncGenerator[Piece, None]:
        needs = abilities.needed(request)
        self._check_key()
        if needs & ~self.usual or request.reasoning is not None:
            await self._remember(request.model)
        facts = self._facts.get(request.model)
        can = facts.abilities if facts else abilities.of_name(request.model)
        abilities.check(can, needs, provider=self.name, model=request.model)
        pieces = self._chat(request, facts)
        async with aclosing(pieces):
            async for piece in pieces:
                yield piece

    def _check_key(self) -> None:
        if self._needs_key and not self._http.has_key:
            raise NoAccess("providers.no_key", provider=self.name)

    async def _remember(self, model: str) -> ModelFacts:
        if model not in self._facts:
            self._facts[model] = await self.model(model)
        return self._facts[model]
