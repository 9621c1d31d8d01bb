"""Every recorded exchange, asked of the server: it answers in the same way."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.contract.recordings import MODEL, NEWEST, OLD, Exchange, exchanges
from tests.contract.shapes import missing, steps
from tests.support.registry import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from tests.contract.conftest import Server
    from tests.support.registry import Registry

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
    "ps-at-start",
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
    "pull-missing",
    "pull-insecure-refused",
    "pull-up-to-date",
    "pull-registry-down",
    "delete-for-fresh-pull",
    "copy",
    "copy-missing",
    "delete",
    "delete-missing",
    "create-from",
    "show-created",
    "create-missing-base",
    "delete-created",
    "blob-head-missing",
    "unknown-path",
    "wrong-method",
)

# What the engine does otherwise than the newest Ollama, on purpose, as the guide says: it answers as in
# another recorded exchange.
KINDER = {
    # A model that chats gives vectors, too, as in Ollama 0.24: it is loaded again for that.
    "embed": (OLD, "embed"),
    "v1-embeddings": (OLD, "v1-embeddings"),
    # A registry on this machine needs no TLS: nobody can listen in between.
    "pull-insecure-refused": (NEWEST, "pull-up-to-date"),
}
HOST, DOWN, NOT_HERE = "127.0.0.1:5055", "127.0.0.1:5999", "127.0.0.1:9"
# The names that the recorded requests make, and those that they make here.
MADE = {
    "other:1": "llmstack-contract:other",
    "sys:1": "llmstack-contract:sys",
    "sys:2": "llmstack-contract:2",
}


@pytest.fixture(scope="module")
def registry(server: Server, random_model: Path) -> Iterator[Registry]:
    """One that has the model of the recorded pulls, which the server has from there."""
    with serving() as found:
        found.publish(MODEL, random_model, parameters={"temperature": 0.2})
        pulled = {"model": found.name(MODEL), "insecure": True, "stream": False}
        assert server.http.post("/api/pull", json=pulled).json() == {"status": "success"}
        yield found
        server.http.request("DELETE", "/api/delete", json={"model": found.listed(MODEL)})


class Asking:
    """Recorded texts with the names that are meant here."""

    def __init__(self, server: Server, registry: Registry) -> None:
        names = {f"{HOST}/library/{MODEL}": registry.listed(MODEL), MODEL: server.model, **MADE}
        # A base that is not there is looked for where nobody is, not at the registry of the world.
        names |= {HOST: registry.host, DOWN: NOT_HERE, '"from": "nope"': f'"from": "{NOT_HERE}/library/nope"'}
        self._names = names
        self._pattern = re.compile("|".join(map(re.escape, names)))

    def text(self, recorded: object) -> str:
        text = recorded if isinstance(recorded, str) else json.dumps(recorded)
        return self._pattern.sub(lambda found: self._names[found[0]], text)

    def body(self, exchange: Exchange) -> str | None:
        return None if exchange.body is None else self.text(exchange.body)


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
def test_answers_as_recorded(server: Server, registry: Registry, name: str) -> None:
    exchange = exchanges(server.recording)[name]
    if server.engine and name in KINDER:
        recording, other = KINDER[name]
        exchange = replace(exchanges(recording)[other], body=exchange.body)
    asking = Asking(server, registry)
    response = server.http.request(exchange.method, exchange.path, content=asking.body(exchange))
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
    if exchange.path in ("/api/pull", "/api/create"):
        assert steps(answered) == steps(exchange.lines)
    if exchange.status >= 400:
        assert json.loads(asking.text(list(exchange.lines))) == answered


def assert_events_alike(exchange: Exchange, response: httpx.Response) -> None:
    def events(texts: list[str]) -> list[str]:
        return [text.removeprefix("data: ") for text in texts if text.startswith("data: ")]

    recorded = events([str(line) for line in exchange.lines])
    answered = events(response.text.split("\n"))
    assert answered[-1] == recorded[-1] == "[DONE]"
    for index in (0, 1, -3, -2):
        one, other = json.loads(recorded[index]), json.loads(answered[index])
        assert not missing(one, other)
        assert deltas(one) == deltas(other)


def deltas(event: dict[str, list[dict[str, dict[str, object]]]]) -> list[list[str]]:
    """The keys of what each choice adds: a client that joins them takes a key too many for something new."""
    return [sorted(choice["delta"]) for choice in event["choices"]]


def test_every_recorded_exchange_is_asked() -> None:
    assert {*exchanges(OLD)} == {*exchanges(NEWEST)} == {*ASKED}


@pytest.mark.parametrize("name", KINDER)
def test_what_is_done_otherwise_is_answered_otherwise(name: str) -> None:
    (recording, other), of_ollama = KINDER[name], exchanges(NEWEST)[name]
    instead = exchanges(recording)[other]
    assert (instead.status, steps(instead.lines)) != (of_ollama.status, steps(of_ollama.lines))
