"""OpenAI's protocol as a provider: OpenAI, other clouds that speak it, and servers of one's own."""

from __future__ import annotations

import time
from contextlib import aclosing
from decimal import Decimal
from typing import TYPE_CHECKING

from llmstack_tui.base.kinds import ServerKind
from llmstack_tui.openai import answers, wire
from llmstack_tui.providers import abilities
from llmstack_tui.providers.batches import in_batches
from llmstack_tui.providers.completions import Reading, chat_body, text_body
from llmstack_tui.providers.dialects import Dialect, dialect, is_near
from llmstack_tui.providers.errors import CannotDo, ProviderError
from llmstack_tui.providers.prices import Cost
from llmstack_tui.providers.streams import answering, failing
from llmstack_tui.providers.turns import as_chat
from llmstack_tui.providers.types import Ability, ChatRequest, Health, ModelFacts

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from llmstack_tui.hosts.transport import Transport
    from llmstack_tui.providers.types import EmbedRequest, Piece, TextRequest, Vectors
    from llmstack_tui.providers.usage import Usage


class OpenAIProvider:
    """The server that ``http`` leads to.

    One that is near is asked for its models before the first request: that tells which program it is. A
    cloud is not, as that takes as long as a short answer.

    Args:
        root: what comes before the routes, if it is not in the address of ``http``, such as ``/v1``.
        kind: which program the server is, if that is known.
        needs_key: whether nothing can be asked without a key.
        is_shared: whether ``http`` belongs to somebody else, who closes it.
    """

    abilities = ~Ability(0)

    def __init__(
        self,
        http: Transport,
        *,
        name: str = "openai",
        root: str = "",
        kind: ServerKind | None = None,
        needs_key: bool = False,
        is_shared: bool = False,
    ) -> None:
        self._http = http
        self._root = root
        self._needs_key = needs_key
        self._is_shared = is_shared
        self._facts: Mapping[str, ModelFacts] = {}
        self._dialect: Dialect | None = None
        if kind is not None or not is_near(http.url):
            self._dialect = dialect(http.url, kind or ServerKind.OPENAI)
        self.name = name

    def chat(self, request: ChatRequest) -> AsyncGenerator[Piece, None]:
        return answering(self._chat(request), provider=self.name, model=request.model)

    def generate(self, request: TextRequest) -> AsyncGenerator[Piece, None]:
        return answering(self._generate(request), provider=self.name, model=request.model)

    async def embed(self, request: EmbedRequest) -> Vectors:
        async def ask(texts: Sequence[str]) -> tuple[tuple[tuple[float, ...], ...], int | None]:
            with failing(self.name, request.model):
                return await self._http.document(
                    "POST",
                    f"{self._root}/embeddings",
                    wire.VectorsRequest(model=request.model, input=list(texts)),
                    wire.VectorsResponse,
                    lambda answer: (
                        answers.embeddings(answer),
                        answer.usage.prompt_tokens if answer.usage else None,
                    ),
                    limit_s=self._http.timeouts.load_s,
                    missing=request.model,
                )

        await self._check(request.model, Ability.EMBED)
        return await in_batches(request.texts, ask, provider=self.name)

    async def models(self) -> tuple[ModelFacts, ...]:
        await self._learn()
        return tuple(self._facts.values())

    async def model(self, name: str) -> ModelFacts:
        if name not in self._facts:
            await self._learn()
        return self._facts.get(name) or ModelFacts(name=name, abilities=abilities.of_name(name))

    async def is_available(self) -> bool:
        return self._http.has_key or not self._needs_key

    async def health(self) -> Health:
        began_s = time.monotonic()
        try:
            await self._learn()
        except ProviderError as error:
            return Health(is_healthy=False, problem=str(error))
        return Health(is_healthy=True, latency_s=time.monotonic() - began_s)

    def cost(self, model: str, usage: Usage) -> Cost | None:
        """Nothing for a server of one's own."""
        if self._dialect is None or self._dialect.is_ours:
            return Cost(prompt_usd=Decimal(0), answer_usd=Decimal(0))
        return None

    async def aclose(self) -> None:
        if not self._is_shared:
            await self._http.aclose()

    # --- parts of the above ---

    async def _chat(self, request: ChatRequest) -> AsyncGenerator[Piece, None]:
        to = await self._check(request.model, abilities.needed(request))
        pieces = self._answer("/chat/completions", chat_body(request, to), request.model)
        async with aclosing(pieces):
            async for piece in pieces:
                yield piece

    async def _generate(self, request: TextRequest) -> AsyncGenerator[Piece, None]:
        """As a chat, which every such server has, unless the prompt is raw."""
        to = await self._check(request.model, abilities.needed(request))
        if not request.raw:
            pieces = self._answer("/chat/completions", chat_body(as_chat(request), to), request.model)
        elif to.is_ours:
            pieces = self._answer("/completions", text_body(request, to), request.model)
        else:
            raise CannotDo("providers.cannot_go_on", provider=self.name)
        async with aclosing(pieces):
            async for piece in pieces:
                yield piece

    async def _answer(
        self, route: str, body: Mapping[str, object], model: str
    ) -> AsyncGenerator[Piece, None]:
        reading = Reading()
        events = self._http.events(
            f"{self._root}{route}", body, wire.CompletionEvent, reading.heard, missing=model
        )
        async with aclosing(events):
            async for piece in events:
                if piece is not None:
                    yield piece
        if not reading.is_complete:
            raise self._http.cut_off()
        yield reading.last

    async def _check(self, model: str, needs: Ability) -> Dialect:
        """The server's dialect. What is remembered of a model never refuses: it may be another by now."""
        if self._dialect is None:
            await self._learn()
        to = self._dialect or Dialect()
        facts = self._facts.get(model)
        can = facts.abilities if facts else abilities.of_name(model)
        if to.is_ours and can is not None and needs & ~can:
            await self._learn()
            can = (await self.model(model)).abilities
        abilities.check(can, needs, provider=self.name, model=model)
        return to

    async def _learn(self) -> None:
        """Ask which models there are, and by that which program it is."""
        limits = self._http.timeouts
        limit_s = limits.short_s if is_near(self._http.url) else limits.call_s
        with failing(self.name):
            kind, listed = await self._http.document(
                "GET",
                f"{self._root}/models",
                None,
                wire.ModelsResponse,
                lambda answer: (answers.kind_of(answer), answer.data or ()),
                limit_s=limit_s,
            )
        if self._dialect is None:
            self._dialect = dialect(self._http.url, kind)
        self._facts = {each.id: _facts(each.id, each) for each in listed if each.id}


def _facts(name: str, listed: wire.ListedEntry) -> ModelFacts:
    meta = listed.meta or wire.WireMeta()
    own = (meta.n_ctx, meta.n_ctx_train, listed.max_model_len, listed.context_length, listed.context_window)
    return ModelFacts(
        name=name,
        abilities=abilities.of_name(name),
        context_length=next(filter(None, map(answers.count, own)), None),
        most_answer_tokens=answers.count(listed.max_completion_tokens),
    )
