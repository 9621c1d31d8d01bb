"""Anthropic's Messages API as a provider."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING
from urllib.parse import quote

from llmstack_tui.base.structs import replace
from llmstack_tui.hosts.authentication import KEY_HEADERS
from llmstack_tui.hosts.transport import Timeouts, Transport, own_agent
from llmstack_tui.openai.answers import count
from llmstack_tui.providers import anthropic_answers as answers
from llmstack_tui.providers.anthropic_requests import AnthropicModel, chat_body, count_body, leaves_out
from llmstack_tui.providers.cloud import CloudProvider
from llmstack_tui.providers.errors import CannotDo
from llmstack_tui.providers.types import Ability, Piece
from llmstack_tui.providers.wording import notice

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from llmstack_tui.base.secret import Secret
    from llmstack_tui.providers.types import ChatRequest, ModelFacts

ADDRESS = "https://api.anthropic.com"
_VERSION = "2023-06-01"  # The newest one of this header: platform.claude.com, "Versioning" (2026-11).


def anthropic_http(key: Secret | None, url: str = ADDRESS, timeouts: Timeouts | None = None) -> Transport:
    """What leads to Anthropic, or to another server that speaks its protocol."""
    return Transport(
        url,
        user_agent=own_agent(),
        timeouts=timeouts or Timeouts(short_s=30.0),
        not_it="",
        key=key,
        key_header=KEY_HEADERS["anthropic"],
        headers={"anthropic-version": _VERSION},
    )


class AnthropicProvider(CloudProvider):
    """Claude's models. They make no embeddings, and keep to a JSON schema only if they are given one."""

    name = "anthropic"
    usual = Ability.CHAT | Ability.GENERATE | Ability.TOOLS | Ability.IMAGES
    abilities = usual | Ability.SCHEMA | Ability.REASONING

    async def models(self) -> tuple[ModelFacts, ...]:
        listed = await self._asked(
            "/v1/models?limit=1000",
            None,
            answers.ClaudeModels,
            lambda answer: answer.data or [],
        )
        return tuple(answers.model(each) for each in listed if each.id)

    async def model(self, name: str) -> AnthropicModel:
        facts = await self._asked(
            f"/v1/models/{quote(name, safe='')}",
            None,
            answers.ListedClaude,
            answers.model,
            model=name,
        )
        return replace(facts, name=name)

    async def count_tokens(self, request: ChatRequest) -> int | None:
        """How many tokens a request has, as the service counts them."""
        return await self._asked(
            "/v1/messages/count_tokens",
            count_body(request, self._claude(request.model)),
            answers.CountedInput,
            lambda answer: count(answer.input_tokens),
            model=request.model,
        )

    async def _ping(self) -> None:
        await self._asked(
            "/v1/models?limit=1",
            None,
            answers.ClaudeModels,
            lambda _: None,
            limit_s=self._http.timeouts.short_s,
        )

    async def _chat(self, request: ChatRequest, facts: ModelFacts | None) -> AsyncGenerator[Piece, None]:
        if request.schema is not None and not request.schema:
            raise CannotDo("providers.needs_schema", provider=self.name)
        claude = self._claude(request.model)
        if leaves_out(request, claude):
            yield Piece(notice=notice("providers.left_out_sampling", model=request.model))
        reading = answers.AnthropicReading()
        body = chat_body(request, claude)
        events = self._http.events(
            "/v1/messages", body, answers.MessageEvent, reading.heard, missing=request.model
        )
        async with aclosing(events):
            async for piece in events:
                if piece is not None:
                    yield piece
        if not reading.is_complete:
            raise self._http.cut_off()
        yield reading.last

    def _claude(self, name: str) -> AnthropicModel:
        facts = self._facts.get(name)
        return facts if isinstance(facts, AnthropicModel) else AnthropicModel(name=name)
