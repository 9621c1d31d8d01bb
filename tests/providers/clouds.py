"""Clouds whose answers a local server replays."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from llmstack_tui.base.secret import Secret
from llmstack_tui.providers.anthropic import AnthropicProvider, anthropic_http
from llmstack_tui.providers.gemini import GeminiProvider, gemini_http
from llmstack_tui.providers.types import ChatMessage, ChatRequest, Piece, Role
from tests.support.scripted_server import serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from llmstack_tui.providers.cloud import CloudProvider
    from llmstack_tui.providers.provider import Provider
    from tests.support.scripted_server import Reply, Request, ScriptedServer

KEY = "sk-very-secret-0123456789"


def asking(text: str = "Hello", model: str = "m-1") -> ChatRequest:
    return ChatRequest(model=model, messages=(ChatMessage(role=Role.USER, text=text),))


def provider(name: str, url: str, threshold: str = "") -> CloudProvider:
    if name == "anthropic":
        return AnthropicProvider(anthropic_http(Secret(KEY), url))
    return GeminiProvider(gemini_http(Secret(KEY), url), threshold=threshold)


@asynccontextmanager
async def replayed(
    name: str, handle: Callable[[Request], Awaitable[Reply]]
) -> AsyncIterator[tuple[CloudProvider, ScriptedServer]]:
    """A provider, and the server that answers for it."""
    async with serving(handle) as server:
        found = provider(name, server.url)
        try:
            yield found, server
        finally:
            await found.aclose()


async def heard(found: Provider, request: ChatRequest) -> list[Piece]:
    return [piece async for piece in found.chat(request)]
