"""What our client adds to the time to the first token: against a bare httpx stream, in turns, on loopback."""

from __future__ import annotations

import asyncio
import statistics
import time
from contextlib import aclosing
from typing import TYPE_CHECKING

import httpx

from llmstack_tui.hosts.transport import Timeouts, Transport
from llmstack_tui.providers.ollama import OllamaProvider
from llmstack_tui.providers.openai import OpenAIProvider
from tests.bench.figures import Figure
from tests.support.asking import asking
from tests.support.fake_servers import LAST, piece, sse
from tests.support.scripted_server import Reply, Request, document, ndjson, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmstack_tui.providers.provider import Provider

_TIMES = 200
_END = {"message": {"content": ""}, "done": True, "done_reason": "stop"}
_REPLIES = {
    "/api/show": document({"capabilities": ["completion"]}),
    "/api/chat": ndjson({"message": {"content": "Hi"}}, _END),
    "/v1/models": document({"data": [{"id": "m", "owned_by": "me"}]}),
    "/v1/chat/completions": sse(piece("Hi"), LAST),
}


def figures() -> Iterator[Figure]:
    for path, added_ms in asyncio.run(_measured()).items():
        yield Figure(f"our client adds to the first token, {path}", added_ms, "ms", 3.0)


async def _measured() -> dict[str, float]:
    async def handle(request: Request) -> Reply:
        return _REPLIES[request.path]

    async with serving(handle) as server, httpx.AsyncClient(base_url=server.url, trust_env=False) as bare:
        timeouts = Timeouts()
        ollama = OllamaProvider(Transport(server.url, user_agent="", timeouts=timeouts, not_it=""))
        http = Transport(f"{server.url}/v1", user_agent="", timeouts=timeouts, not_it="")
        openai = OpenAIProvider(http)
        found = {
            "/api/chat": await _added_ms(bare, "/api/chat", ollama),
            "/v1/chat/completions": await _added_ms(bare, "/v1/chat/completions", openai),
        }
        for each in (ollama, openai):
            await each.aclose()
    return found


async def _added_ms(bare: httpx.AsyncClient, path: str, provider: Provider) -> float:
    """The median of the differences, the first requests apart, which make the connections."""
    added = [await _ours_ms(provider) - await _bare_ms(bare, path) for _ in range(_TIMES)]
    return statistics.median(added[5:])


async def _bare_ms(bare: httpx.AsyncClient, path: str) -> float:
    began_s = time.perf_counter()
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
    async with bare.stream("POST", path, json=body) as response:
        lines = response.aiter_lines()
        await anext(lines)
        took_s = time.perf_counter() - began_s
        async for _ in lines:
            pass
    return took_s * 1000


async def _ours_ms(provider: Provider) -> float:
    began_s = time.perf_counter()
    took_s = 0.0
    async with aclosing(provider.chat(asking("m"))) as pieces:
        async for each in pieces:
            if each.text:
                took_s = time.perf_counter() - began_s
    return took_s * 1000
