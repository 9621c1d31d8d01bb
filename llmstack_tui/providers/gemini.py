"""Google's Gemini API as a provider."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from llmstack_tui.base.structs import replace
from llmstack_tui.hosts.authentication import KEY_HEADERS
from llmstack_tui.hosts.transport import Timeouts, Transport, own_agent
from llmstack_tui.openai.answers import count
from llmstack_tui.providers import abilities
from llmstack_tui.providers import gemini_answers as answers
from llmstack_tui.providers.batches import in_batches
from llmstack_tui.providers.cloud import CloudProvider
from llmstack_tui.providers.gemini_requests import content_body, count_body, embed_body, path_of
from llmstack_tui.providers.types import Ability

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from llmstack_tui.base.secret import Secret
    from llmstack_tui.providers.types import ChatRequest, EmbedRequest, ModelFacts, Piece, Vectors

ADDRESS = "https://generativelanguage.googleapis.com"
# "Batch requests" of ai.google.dev, "Embeddings" (2026-11).
_MOST_TEXTS = 100


def gemini_http(
    key: Secret | None, url: str = ADDRESS, *, project: str = "", timeouts: Timeouts | None = None
) -> Transport:
    """What leads to Google.

    Args:
        project: the one whose quota is used, if it is not that of the key. Vertex AI, which has a project
            for each address and no keys, is another service.
    """
    return Transport(
        url,
        user_agent=own_agent(),
        timeouts=timeouts or Timeouts(short_s=30.0),
        not_it="",
        key=key,
        key_header=KEY_HEADERS["gemini"],
        headers={"x-goog-user-project": project} if project else None,
    )


class GeminiProvider(CloudProvider):
    """Google's models.

    Args:
        threshold: see `content_body`.
    """

    name = "gemini"
    usual = Ability.CHAT | Ability.GENERATE | Ability.TOOLS | Ability.IMAGES | Ability.SCHEMA
    abilities = usual | Ability.EMBED | Ability.REASONING

    def __init__(
        self, http: Transport, *, name: str = "", needs_key: bool = True, threshold: str = ""
    ) -> None:
        super().__init__(http, name=name, needs_key=needs_key)
        self._threshold = threshold

    async def embed(self, request: EmbedRequest) -> Vectors:
        async def ask(texts: Sequence[str]) -> tuple[tuple[tuple[float, ...], ...], int | None]:
            vectors = await self._asked(
                f"/v1beta/{path_of(request.model)}:batchEmbedContents",
                embed_body(request.model, texts),
                answers.GeminiVectors,
                answers.embeddings,
                limit_s=self._http.timeouts.load_s,
                model=request.model,
            )
            return vectors, None

        self._check_key()
        facts = await self._remember(request.model)
        abilities.check(facts.abilities, Ability.EMBED, provider=self.name, model=request.model)
        return await in_batches(request.texts, ask, provider=self.name, most=_MOST_TEXTS)

    async def models(self) -> tuple[ModelFacts, ...]:
        return await self._listed(1000, self._http.timeouts.call_s)

    async def model(self, name: str) -> ModelFacts:
        facts = await self._asked(
            f"/v1beta/{path_of(name)}",
            None,
            answers.ListedGemini,
            answers.model,
            model=name,
        )
        return replace(facts, name=name)

    async def count_tokens(self, request: ChatRequest) -> int | None:
        """How many tokens a request has, as the service counts them."""
        return await self._asked(
            f"/v1beta/{path_of(request.model)}:countTokens",
            count_body(request),
            answers.CountedContent,
            lambda answer: count(answer.total_tokens),
            model=request.model,
        )

    async def _ping(self) -> None:
        await self._listed(1, self._http.timeouts.short_s)

    async def _listed(self, most: int, limit_s: float) -> tuple[ModelFacts, ...]:
        listed = await self._asked(
            f"/v1beta/models?pageSize={most}",
            None,
            answers.GeminiModels,
            lambda answer: answer.models or [],
            limit_s=limit_s,
        )
        return tuple(answers.model(each) for each in listed if each.name)

    async def _chat(self, request: ChatRequest, facts: ModelFacts | None) -> AsyncGenerator[Piece, None]:
        reading = answers.GeminiReading(self.name)
        events = self._http.events(
            f"/v1beta/{path_of(request.model)}:streamGenerateContent?alt=sse",
            content_body(request, self._threshold),
            answers.ContentEvent,
            reading.heard,
            missing=request.model,
        )
        async with aclosing(events):
            async for piece in events:
                if piece is not None:
                    yield piece
        if not reading.is_complete:
            raise self._http.cut_off()
        yield reading.last
