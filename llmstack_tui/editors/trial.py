"""A test from here: one request as the client sends it, over HTTP, and what comes back."""

from __future__ import annotations

import json
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx

from llmstack_tui import __version__
from llmstack_tui.base.connections import connection_error, is_packed, pieces
from llmstack_tui.base.sentences import Sentence
from llmstack_tui.base.structs import replace
from llmstack_tui.base.text import excerpt, with_full_stop
from llmstack_tui.editors.rules.requests import body, headers
from llmstack_tui.editors.rules.streams import hear
from llmstack_tui.editors.types import TrialReport
from llmstack_tui.hosts.authentication import KeyAuth

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from llmstack_tui.base.secret import Secret
    from llmstack_tui.base.sentences import Param
    from llmstack_tui.editors.rules.requests import Json
    from llmstack_tui.editors.types import Api, Endpoint

# A model may have to be loaded, and a long prompt read, before the first token.
_SILENCE_S, _CONNECT_S = 600.0, 5.0
_MOST_ERROR_BYTES, _MOST_BYTES, _LONGEST_LINE = 2**16, 2**23, 2**20


async def tried(
    api: Api, endpoint: Endpoint, key: Secret | None, begun: Callable[[], None] = lambda: None
) -> TrialReport:
    """The result of one request; with a key, also that of one without it.

    Args:
        begun: called with the first piece of the answer.
    """
    sent = body(api, endpoint)
    trial = TrialReport(api=api, had_tools="tools" in sent)
    is_tls = endpoint.url.startswith("https:")
    async with httpx.AsyncClient(
        base_url=endpoint.url,
        headers={"User-Agent": f"llmstack/{__version__}", "Accept-Encoding": "identity", **headers(api)},
        verify=is_tls,
        trust_env=is_tls,
        timeout=httpx.Timeout(_SILENCE_S, connect=_CONNECT_S),
    ) as client:
        trial = await _answered(client, trial, sent, key, begun)
        if key is not None and trial.status is not None:
            trial = replace(trial, without_key=await _status_without_key(client, api, sent))
    return trial


async def _answered(
    client: httpx.AsyncClient,
    trial: TrialReport,
    sent: Json,
    key: Secret | None,
    begun: Callable[[], None],
) -> TrialReport:
    start_s, host = time.monotonic(), str(client.base_url).rstrip("/")
    try:
        async with _response(client, trial.api, sent, key) as response:
            trial = replace(trial, status=response.status_code)
            if not response.is_success:
                return replace(trial, failure=(await _refusal(response, host),))
            async for line in _lines(response):
                heard = hear(trial.api, line, trial.heard)
                seconds = time.monotonic() - start_s
                if heard.has_begun and not trial.heard.has_begun:
                    begun()
                    trial = replace(trial, first_token_s=seconds)
                trial = replace(trial, heard=heard, seconds=seconds)
    except httpx.HTTPError as error:
        kind = "editors.no_answer" if trial.status is None else "editors.broke_off"
        failure = Sentence(kind, {"host": host, "why": connection_error(error)})
        return replace(trial, failure=(failure,), seconds=time.monotonic() - start_s)
    return trial


async def _status_without_key(client: httpx.AsyncClient, api: Api, sent: Json) -> int | None:
    try:
        async with _response(client, api, sent, None) as response:
            return response.status_code
    except httpx.HTTPError:
        return None


@asynccontextmanager
async def _response(
    client: httpx.AsyncClient, api: Api, sent: Json, key: Secret | None
) -> AsyncIterator[httpx.Response]:
    request = client.build_request("POST", api.value, json=sent)
    response = await client.send(request, stream=True, auth=None if key is None else KeyAuth(key))
    try:
        yield response
    finally:
        await response.aclose()


async def _refusal(response: httpx.Response, host: str) -> Sentence:
    """Why the server did not answer, in its own words if it has any."""
    content = bytearray()
    async for piece in pieces(response):
        content += piece
        if len(content) > _MOST_ERROR_BYTES:
            break
    about: dict[str, Param] = {"host": host, "status": response.status_code}
    if said := "" if is_packed(response.headers) else _message(bytes(content[:_MOST_ERROR_BYTES])):
        return Sentence("editors.refused", {**about, "said": with_full_stop(said)})
    return Sentence("editors.refused_silently", about)


def _message(content: bytes) -> str:
    """The message of an error: a text, or an object that has one."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return ""
    error = document.get("error") if isinstance(document, dict) else None
    if isinstance(error, dict):
        error = error.get("message")
    return excerpt(error) if isinstance(error, str) else ""


async def _lines(response: httpx.Response) -> AsyncIterator[bytes]:
    """The lines of the answer, as long as it is no longer than an answer of the test can be."""
    pending, total = b"", 0
    async for piece in pieces(response):
        total += len(piece)
        *whole, pending = (pending + piece).split(b"\n")
        for line in whole:
            yield line
        if total > _MOST_BYTES or len(pending) > _LONGEST_LINE:
            return
    if pending.strip():
        yield pending
