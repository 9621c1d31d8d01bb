"""One GGUF file behind HTTP, and the client of it."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import openai
import psutil
import pytest

from llmstack_tui.engine.single.app import recent
from llmstack_tui.engine.single.client import SingleClient, SingleError, SingleFailed, SingleUnreachable
from llmstack_tui.engine.single.messages import ChatTurn
from llmstack_tui.engine.single.model import SingleConfig
from tests.support.engine_process import home_environment
from tests.support.gguf import models
from tests.support.scripted_server import Reply, always, serving
from tests.support.waiting import wait_until_sync

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs the signals of POSIX")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


class Single:
    """A server of a file, its process, and a client of each kind."""

    def __init__(self, process: subprocess.Popen[bytes], url: str) -> None:
        self.process = process
        self.url = url
        self.client = SingleClient(url, timeout_s=60)
        self.http = httpx.Client(base_url=url, timeout=60, trust_env=False)

    def status(self) -> str | None:
        try:
            return self.client.health_check().status
        except SingleUnreachable:
            return None

    def post(self, path: str, /, **body: Any) -> httpx.Response:
        return self.http.post(path, json=body)

    def wait_until_it_is(self, status: str) -> None:
        wait_until_sync(lambda: self.status() == status, 20, f"its health is {status}")


@contextmanager
def single(home: Path, gguf: Path, **environment: str) -> Iterator[Single]:
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "llmstack_tui",
        "engine",
        "run",
        "--gguf",
        str(gguf),
        "--port",
        str(port),
    ]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, env=home_environment(home) | environment
    )
    found = Single(process, f"http://127.0.0.1:{port}")
    try:
        wait_until_sync(lambda: found.status() is not None, 20, "it answers")
        yield found
    finally:
        found.client.close()
        found.http.close()
        process.terminate()
        process.wait(30)
        assert process.stderr is not None
        process.stderr.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Iterator[Single]:
    with single(tmp_path_factory.mktemp("home"), tiny_model, LLM_MAX_HISTORY="2") as found:
        found.wait_until_it_is("ok")
        yield found


def test_health_tells_the_file(server: Single, tiny_model: Path) -> None:
    health = server.client.health_check()
    assert health.ok
    assert (health.model, health.path, health.error) == ("tiny-scripted:f16", str(tiny_model), None)
    assert server.http.get("/health").status_code == 200


def test_a_chat_of_messages(server: Single) -> None:
    answer = server.client.chat([{"role": "user", "content": "Hi"}], temperature=0)
    assert answer.response == models.ANSWER
    assert (answer.model, answer.finish_reason) == ("tiny-scripted:f16", "stop")
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (
        21,
        9,
        30,
    )
    assert (
        server.client.chat([ChatTurn(role="user", content="Hi")], max_tokens=2, temperature=0).response
        == "Hello from"
    )


def test_a_message_without_a_session_stands_alone(server: Single) -> None:
    counts = {server.client.chat("Hi").usage.prompt_tokens for _ in range(3)}
    assert counts == {21}


def test_a_session_remembers_as_much_as_it_should(server: Single) -> None:
    def ask(session: str) -> int:
        return server.client.chat("Hi", session=session, temperature=0).usage.prompt_tokens

    counts = [ask("one") for _ in range(5)]
    assert counts[0] == 21
    assert counts[0] < counts[1] < counts[2] == counts[3] == counts[4]
    # Another client's conversation is not there.
    assert ask("two") == 21


def test_a_long_conversation_is_sent_in_part(server: Single) -> None:
    pair = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}]
    whole = server.client.chat([*pair * 2, *pair[:1]]).usage.prompt_tokens
    assert server.client.chat([*pair * 9, *pair[:1]]).usage.prompt_tokens == whole


def test_a_pipeline_puts_the_context_before_the_question(server: Single) -> None:
    assert "model running locally." in server.client.process_pipeline("What?", ["One.", "Two."])


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "Send either"),
        ({"messages": []}, "Send either"),
        ({"message": "a", "messages": [{"role": "user", "content": "b"}]}, "Send either"),
        ({"messages": [{"role": "wizard", "content": "b"}]}, "is no role"),
        ({"messages": [{"role": "user"}]}, "missing required field `content`"),
        ({"message": 1}, "message must be text"),
    ],
)
def test_requests_that_are_refused(server: Single, body: dict[str, Any], text: str) -> None:
    answer = server.http.post("/chat", json=body)
    assert answer.status_code == 400
    assert text in answer.json()["error"]["message"]


def test_openais_client(server: Single) -> None:
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="unused", max_retries=0) as client:
        assert [model.id for model in client.models.list()] == ["tiny-scripted:f16"]
        # There is one model, whatever it is called; the answer says which.
        answer = client.chat.completions.create(
            model="gpt-4", messages=[{"role": "user", "content": "Hi"}], temperature=0
        )
        assert (answer.choices[0].message.content, answer.model) == (models.ANSWER, "tiny-scripted:f16")
        stream = client.chat.completions.create(
            model="", messages=[{"role": "user", "content": "Hi"}], temperature=0, stream=True
        )
        assert "".join(part.choices[0].delta.content or "" for part in stream) == models.ANSWER


def test_agents(server: Single) -> None:
    asked = {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 50, "temperature": 0}
    answer = server.post("/v1/messages", **asked).json()
    assert (answer["model"], answer["content"][0]["text"]) == ("tiny-scripted:f16", models.ANSWER)
    answer = server.post("/v1/responses", input="Hi", temperature=0, model="any").json()
    assert (answer["model"], answer["output"][0]["content"][0]["text"]) == (
        "tiny-scripted:f16",
        models.ANSWER,
    )


def test_other_routes_and_pages(server: Single) -> None:
    assert server.http.get("/api/tags").status_code == 404
    assert server.http.get("/chat").status_code == 405
    assert server.http.get("/health", headers={"Host": "evil.example"}).status_code == 403


def test_a_file_that_is_missing_comes_and_breaks(tmp_path: Path, tiny_model: Path) -> None:
    gguf = tmp_path / "late.gguf"
    with single(tmp_path, gguf) as server:
        health = server.client.health_check()
        assert (health.status, health.error) == ("error", f"There is no file {gguf}.")
        assert server.http.get("/health").status_code == 503
        for path, body in (
            ("/chat", {"message": "Hi"}),
            ("/v1/chat/completions", {"messages": [{"role": "user", "content": "Hi"}]}),
        ):
            answer = server.post(path, **body)
            assert answer.status_code == 400
            assert str(gguf) in answer.json()["error"]["message"]
        assert server.http.get("/v1/models").json()["data"] == []
        with pytest.raises(SingleFailed, match="There is no file") as caught:
            server.client.chat("Hi")
        assert caught.value.status == 400

        shutil.copy(tiny_model, gguf)
        assert server.client.chat("Hi", temperature=0).response == models.ANSWER
        server.wait_until_it_is("ok")

        gguf.unlink()
        gguf.write_text("no model at all")
        health = server.client.health_check()
        assert health.status == "error"
        assert "not a GGUF model" in (health.error or "")
        with pytest.raises(SingleFailed, match="not a GGUF model"):
            server.client.chat("Hi")


@posix
def test_a_model_that_died_is_loaded_again(tmp_path: Path, tiny_model: Path) -> None:
    with single(tmp_path, tiny_model) as server:
        server.wait_until_it_is("ok")
        (child,) = psutil.Process(server.process.pid).children()
        os.kill(child.pid, signal.SIGKILL)
        wait_until_sync(lambda: server.status() != "ok", 10, "its end is known")
        assert server.client.chat("Hi", temperature=0).response == models.ANSWER


@posix
def test_limits_of_the_environment(tmp_path: Path, endless_model: Path) -> None:
    limits = {"LLM_MAX_TOKENS": "7", "LLM_CONTEXT_SIZE": "256"}
    with single(tmp_path, endless_model, **limits) as server:
        answer = server.client.chat("Hi")
        assert (answer.usage.completion_tokens, answer.finish_reason) == (7, "length")
        assert server.client.chat("x" * 1000).usage.prompt_tokens < 256
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(10) == 0


def test_a_client_without_a_server() -> None:
    with SingleClient(f"http://127.0.0.1:{free_port()}") as client:
        with pytest.raises(SingleUnreachable, match="llmstack engine run"):
            client.health_check()
        with pytest.raises(SingleError, match="needs a role and a content"):
            client.chat([{"role": "user"}])


@pytest.mark.parametrize(
    "reply",
    [
        Reply((b"x",), headers={"Content-Encoding": "gzip, gzip"}),
        Reply([b" " * 2**20] * 20),
        Reply((b"[" * 100_000,)),
        Reply((b"\xff",)),
        Reply((b'{"error": ' + b"[" * 100_000,), 500),
        Reply((b'{"error": {"message": 5}}',), 500),
        Reply((b"x",), 500, headers={"Content-Encoding": "gzip, gzip"}),
    ],
    ids=["packed", "long", "deep", "bytes", "deep-error", "no-text", "packed-error"],
)
async def test_a_client_of_another_server(reply: Reply) -> None:
    async with serving(always(reply)) as server:
        with SingleClient(server.url) as client:
            for call in (client.health_check, partial(client.chat, "Hi")):
                with pytest.raises(SingleFailed):
                    await asyncio.to_thread(call)
    assert server.requests[0].headers["accept-encoding"] == "identity"


def test_settings() -> None:
    def read(environ: dict[str, str], gguf: Path | None = None) -> SingleConfig:
        return SingleConfig.read(environ, gguf=gguf, host="127.0.0.1", port=8005)

    environ = {
        "LLM_MODEL_PATH": "/m.gguf",
        "LLM_CONTEXT_SIZE": "8",
        "LLM_MAX_TOKENS": "9",
        "LLM_MAX_HISTORY": "0",
    }
    config = read(environ)
    assert (str(config.gguf), config.port) == ("/m.gguf", 8005)
    assert (config.context_length, config.max_tokens, config.max_history) == (8, 9, 0)
    assert read({}, config.gguf).context_length == 4096
    with pytest.raises(ValueError, match="LLM_MODEL_PATH"):
        read({})
    with pytest.raises(ValueError, match="LLM_MAX_TOKENS is 'x'"):
        read(environ | {"LLM_MAX_TOKENS": "x"})


@pytest.mark.parametrize(
    ("roles", "history", "expected"),
    [
        ("u", 2, "u"),
        ("uauau", 2, "uauau"),
        ("uauauau", 2, "uauau"),
        ("uauau", 0, "u"),
        ("suauauau", 2, "suauau"),
        ("uuauau", 2, "uauau"),
        ("auau", 2, "uau"),
    ],
)
def test_how_much_of_a_conversation_is_kept(roles: str, history: int, expected: str) -> None:
    names = {"u": "user", "a": "assistant", "s": "system"}

    def letters(turns: Sequence[ChatTurn]) -> str:
        return "".join(turn.role[0] for turn in turns)

    kept = recent([ChatTurn(role=names[letter], content="") for letter in roles], history)
    assert letters(kept) == expected
