"""The application as it is put together, without a process of its own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from llmstack_tui.base.secret import Secret
from llmstack_tui.config.engine import EngineOptions
from llmstack_tui.engine.api.access import rules
from llmstack_tui.engine.api.app import create_app
from llmstack_tui.engine.api.replies import GeneratorResponse
from llmstack_tui.engine.service import Engine
from llmstack_tui.library.library import Library
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from starlette.types import Message

KEY = Secret("a-key-of-sixteen-and-more")


async def test_a_fault_of_the_engine_is_an_answer_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine(Library(tmp_path), EngineOptions())

    def fail(_: Library) -> None:
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr(Library, "contents", fail)
    app = create_app(engine, rules({}, "127.0.0.1"))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        native = await client.get("/api/tags")
        openai = await client.get("/v1/models")
    assert (native.status_code, native.json()) == (500, {"error": "The engine failed: its log says why."})
    assert openai.json()["error"]["type"] == "api_error"
    # uvicorn ends the connection after it: who sends the next request on it would see a reset.
    assert native.headers["connection"] == openai.headers["connection"] == "close"
    await engine.close()


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("x-api-key", KEY.text, 400),
        ("authorization", f"Bearer {KEY.text}", 400),
        ("x-api-key", "wrong", 401),
        ("x-api-key", "", 401),
        ("authorization", KEY.text, 401),
        ("anthropic-version", "2023-06-01", 401),
    ],
)
async def test_the_key_comes_in_either_header(tmp_path: Path, header: str, value: str, status: int) -> None:
    engine = Engine(Library(tmp_path), EngineOptions())
    transport = httpx.ASGITransport(create_app(engine, rules({}, "127.0.0.1", KEY)))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        for path in ("/v1/messages", "/v1/responses", "/api/chat"):
            answer = await client.post(path, json=[], headers={header: value})
            assert answer.status_code == status, answer.text
            if path == "/v1/messages":
                kinds = {400: "invalid_request_error", 401: "authentication_error"}
                assert answer.json()["error"]["type"] == kinds[status]
    await engine.close()


async def test_an_engine_that_ends_takes_its_folder_along(tmp_path: Path) -> None:
    engine = Engine(Library(tmp_path), EngineOptions())
    folder = engine.sockets
    assert folder.stat().st_mode & 0o077 == 0
    await engine.close()
    assert not folder.exists()


@pytest.mark.parametrize("begun", [True, False])
async def test_an_answer_that_the_servers_end_cuts_says_so(begun: bool) -> None:
    freed = asyncio.Event()

    async def parts() -> AsyncGenerator[bytes, None]:
        try:
            if begun:
                yield b"one\n"
            await asyncio.Event().wait()
        finally:
            freed.set()

    sent: list[Any] = []
    waiting = asyncio.Event()

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        waiting.set()
        await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    answering = asyncio.create_task(GeneratorResponse(parts(), "text/plain")({"type": "http"}, receive, send))
    await waiting.wait()
    await wait_until(lambda: len(sent) == 2 * begun)
    answering.cancel()
    await answering
    assert freed.is_set()
    assert sent[0]["status"] == (200 if begun else 503)
    assert b"The engine was stopped" in sent[-1]["body"]
    assert not sent[-1].get("more_body")
