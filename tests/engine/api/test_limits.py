"""What a client may send and hold, over real HTTP: the limits are small here, the server is the engine's."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.config.engine import EngineOptions
from llmstack_tui.engine.api.limits import ServerLimits
from tests.engine.serving import served
from tests.support.waiting import paced, wait_for, wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

    from tests.support.engine import Serving

LATE = "The request did not arrive in time."


def head(path: str, *lines: str, method: str = "POST") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *lines, "", ""]).encode()


@pytest.mark.parametrize("pieces", [1, 40])
@pytest.mark.parametrize("what", ["a header", "many headers", "the address", "no end"])
async def test_headers_have_an_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, what: str, pieces: int
) -> None:
    sent = {
        "a header": head("/api/tags", "A: " + "x" * 5000, method="GET"),
        "many headers": head("/api/tags", *(f"A{number}: x" for number in range(900)), method="GET"),
        "the address": head("/" + "x" * 5000, method="GET"),
        "no end": b"GET / HTTP/1.1\r\nA: " + b"x" * 5000,
    }[what]
    async with served(tmp_path, ServerLimits(head_bytes=4096)) as server:
        length = -(-len(sent) // pieces)
        parts = [sent[at : at + length] for at in range(0, len(sent), length)]
        assert await server.told(*parts) == (431, b'{"error":"The headers are too large."}')
        assert (await server.http.get("/api/tags", headers={"A": "x" * 3000})).status_code == 200
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("sent", [b"POST /api/chat HTT", b"GET / HTTP/1.1\r\nHost: localhost\r\n"])
async def test_headers_that_do_not_come(tmp_path: Path, sent: bytes) -> None:
    async with served(tmp_path, ServerLimits(head_s=0.2)) as server:
        assert await server.told(sent) == (408, json.dumps({"error": LATE}, separators=(",", ":")).encode())
        # A second request on the same connection, too.
        whole = head("/", method="GET")
        async with server.connected(whole, sent) as reader, asyncio.timeout(10):
            assert (await reader.read()).endswith(b'{"error":"' + LATE.encode() + b'"}')


async def test_a_connection_that_says_nothing_is_closed(tmp_path: Path) -> None:
    async with (
        served(tmp_path, ServerLimits(head_s=0.2)) as server,
        server.connected() as reader,
        asyncio.timeout(10),
    ):
        assert await reader.read() == b""


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/api/generate", {"error": LATE}),
        (
            "/v1/chat/completions",
            {"error": {"message": LATE, "type": "api_error", "param": None, "code": None}},
        ),
    ],
)
async def test_a_body_that_does_not_come(tmp_path: Path, path: str, error: object) -> None:
    async with served(tmp_path, ServerLimits(body_s=0.2)) as server:
        status, body = await server.told(head(path, "Content-Length: 100"), b'{"model":')
        assert (status, json.loads(body)) == (408, error)


async def test_a_large_body_has_more_time(tmp_path: Path) -> None:
    async def content(step: int) -> AsyncIterator[bytes]:
        async for _ in paced(12, 0.15):
            yield b" " * step
        yield b'{"model": "x"}'

    async with served(tmp_path, ServerLimits(body_s=1, body_rate=1000)) as server:
        assert (await server.http.post("/api/show", content=content(1000))).status_code == 404
        assert (await server.http.post("/api/show", content=content(1))).status_code == 408


@pytest.mark.parametrize("chunked", [True, False])
async def test_each_route_has_its_largest_body(tmp_path: Path, chunked: bool) -> None:
    body = b'{"model": "x", "messages": [{"role": "user", "content": "%s"}]}' % (b"x" * 2_000_000)

    async def pieces() -> AsyncIterator[bytes]:
        yield body

    async def answer(path: str) -> httpx.Response:
        return await server.http.post(path, content=pieces() if chunked else body)

    async with served(tmp_path) as server:
        for path in ("/api/chat", "/v1/chat/completions"):
            assert (await answer(path)).status_code == 404
        for path in ("/api/show", "/api/pull", "/api/copy"):
            refused = await answer(path)
            assert refused.status_code == 413
            assert refused.json() == {"error": "The request is too large: at most 1 MB are read here."}


async def test_a_client_that_asks_first_is_told_at_once(tmp_path: Path) -> None:
    async with served(tmp_path) as server:
        sent = head("/api/show", "Content-Length: 2000000", "Expect: 100-continue")
        status, _ = await server.told(sent)
        assert status == 413


async def test_idle_connections_give_way_and_busy_ones_do_not(tmp_path: Path) -> None:
    busy = head("/api/generate", "Content-Length: 100")
    async with served(tmp_path, ServerLimits(connections=2)) as server, AsyncExitStack() as opened:
        idle = await opened.enter_async_context(server.connected())
        await opened.enter_async_context(server.connected(busy))
        await wait_until(lambda: server.connections == 2)
        await opened.enter_async_context(server.connected(busy))
        async with asyncio.timeout(10):
            assert await idle.read() == b"", "it has given way"
        await wait_until(lambda: server.connections == 2)
        status, body = await server.told()
        assert (status, b"server busy" in body) == (503, True)


async def test_who_does_not_read_holds_no_model(tmp_path: Path, endless_model: Path) -> None:
    asked = json.dumps(
        {
            "model": "endless",
            "prompt": "Hi",
            "logprobs": True,
            "top_logprobs": 20,
            "options": {"num_predict": -1},
        }
    )
    async with served(tmp_path, ServerLimits(stalled_s=1.5), send_buffer=4096) as server:
        await server.http.post("/api/import", json={"model": "endless", "path": str(endless_model)})

        async def loaded() -> list[int]:
            return [model["requests"] for model in (await server.http.get("/api/ps")).json()["models"]]

        async def busy() -> bool:
            return await loaded() == [1]

        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.connect(("127.0.0.1", server.port))
            deaf.sendall(head("/api/generate", f"Content-Length: {len(asked)}") + asked.encode())
            await wait_for(busy, what="it answers")
            stopped = await server.http.post("/api/generate", json={"model": "endless", "keep_alive": 0})
            assert stopped.json()["done_reason"] == "unload"
            assert await loaded() == [1], "a stop cuts no request"

            async def gone() -> bool:
                return not await loaded()

            await wait_for(gone, what="the stop comes through")


@pytest.mark.parametrize("path", ["/api/chat", "/v1/chat/completions"])
@pytest.mark.parametrize("part", [b"[],", b"{},"])
def test_json_of_too_many_parts(engine: Serving, path: str, part: bytes) -> None:
    answer = engine.http.post(
        path, content=b'{"model": "tiny", "options": {"a": [%s0]}}' % (part * 10_000_000)
    )
    assert answer.status_code == 413
    assert "The JSON has too many lists and objects." in answer.text


def test_a_long_text_with_brackets_is_read(engine: Serving) -> None:
    asked = json.dumps({"model": "none", "messages": [{"role": "user", "content": "[{" * 200_000}]})
    assert engine.http.post("/api/chat", content=asked).status_code == 404


async def test_a_client_that_leaves_in_the_middle_leaves_no_trace(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with served(tmp_path) as server:
        async with server.connected(head("/api/chat", "Content-Length: 100"), b"{"):
            await wait_until(lambda: server.connections == 1)
        await wait_until(lambda: not server.connections)
    assert caplog.text == ""


async def test_what_no_machine_can_serve_is_refused_before_a_load(tmp_path: Path, tiny_model: Path) -> None:
    trained = b"llama.context_length" + (4).to_bytes(4, "little")
    content, huge = tiny_model.read_bytes(), (200_000_000).to_bytes(4, "little")
    at = content.index(trained) + len(trained)
    path = tmp_path / "huge.gguf"
    path.write_bytes(content[:at] + huge + content[at + 4 :])
    async with served(tmp_path / "home", options=EngineOptions(parallel=1000)) as server:
        await server.http.post("/api/import", json={"model": "huge", "path": str(path)})

        async def refused(**options: int) -> tuple[int, str]:
            answer = await server.http.post("/api/generate", json={"model": "huge", "options": options})
            return answer.status_code, answer.json()["error"]

        assert await refused(num_ctx=100_000_001) == (
            400,
            'option "num_ctx" is 100000001: at most 100000000 are possible here',
        )
        status, text = await refused(num_thread=100_000)
        assert (status, text.startswith('option "num_thread" is 100000: at most ')) == (400, True)
        status, text = await refused(num_ctx=100_000_000)
        assert (status, text.startswith("model requires more system memory (")) == (500, True)
        assert "TB) than is available (" in text


async def test_tokens_that_the_model_does_not_have(tmp_path: Path, tiny_model: Path) -> None:
    async with served(tmp_path / "home") as server:
        await server.http.post("/api/import", json={"model": "tiny", "path": str(tiny_model)})
        asked = {"model": "tiny", "prompt": "Hi", "context": [-5]}
        answer = await server.http.post("/api/generate", json=asked)
        assert (answer.status_code, answer.json()) == (
            400,
            {"error": "context has a token that the model does not have"},
        )
