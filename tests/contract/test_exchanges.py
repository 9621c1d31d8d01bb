"""Every recorded exchange that needs no registry, asked of the server: it answers in the same way."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.contract.recordings import MODEL, Exchange, exchanges
from tests.contract.shapes import missing

if TYPE_CHECKING:
    import httpx

    from tests.contract.conftest import Server

RECORDED = exchanges("ollama-0.24.0")

# In the order of a visit: each finds the server as the one before left it.
ASKED = (
    "version",
    "root",
    "tags",
    "show",
    "show-missing",
    "load",
    "ps-one-loaded",
    "load-forever",
    "ps-forever",
    "unload",
    "ps-after-unload",
    "unload-not-loaded",
    "unload-missing-model",
    "generate-stream",
    "generate-non-stream",
    "chat-stream",
    "chat-non-stream",
    "chat-tools-unsupported",
    "generate-bad-keep-alive",
    "generate-bad-json",
    "generate-empty",
    "generate-missing-model",
    "embed",
    "v1-models",
    "v1-chat",
    "v1-chat-stream",
    "v1-chat-missing",
    "v1-embeddings",
    "delete-missing",
    "blob-head-missing",
    "unknown-path",
    "wrong-method",
)


def asked(exchange: Exchange, model: str) -> str | None:
    """The request's body as text, with the recorded model's name replaced."""
    if exchange.body is None or isinstance(exchange.body, str):
        return exchange.body if isinstance(exchange.body, str) else None
    return json.dumps(exchange.body).replace(MODEL, model)


def lines(response: httpx.Response) -> list[object]:
    """The answer, a line at a time; JSON where it is JSON."""
    found: list[object] = []
    for line in response.text.splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            found.append(line)
    return found


@pytest.mark.parametrize("name", ASKED)
def test_answers_as_recorded(server: Server, name: str) -> None:
    exchange = RECORDED[name]
    response = server.http.request(exchange.method, exchange.path, content=asked(exchange, server.model))
    assert response.status_code == exchange.status, response.text
    assert response.headers.get("content-type") == exchange.content_type
    answered = lines(response)
    if name.startswith("ps-") and name.endswith("unload"):
        server.wait_gone()
        return
    assert bool(answered) == bool(exchange.lines)
    if exchange.content_type == "text/event-stream":
        assert_events_alike(exchange, response)
    elif exchange.lines:
        assert not missing(exchange.lines[0], answered[0])
        assert not missing(exchange.lines[-1], answered[-1])
    if exchange.status >= 400:
        recorded_error = json.dumps(exchange.lines).replace(MODEL, server.model)
        assert json.loads(recorded_error) == answered


def assert_events_alike(exchange: Exchange, response: httpx.Response) -> None:
    def events(texts: list[str]) -> list[str]:
        return [text.removeprefix("data: ") for text in texts if text.startswith("data: ")]

    recorded = events([str(line) for line in exchange.lines])
    answered = events(response.text.split("\n"))
    assert answered[-1] == recorded[-1] == "[DONE]"
    for one, other in (
        (recorded[0], answered[0]),
        (recorded[-3], answered[-3]),
        (recorded[-2], answered[-2]),
    ):
        assert not missing(json.loads(one), json.loads(other))
