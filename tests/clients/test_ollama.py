"""Ollama's own package for Python."""

from __future__ import annotations

import ollama
import pytest

from tests.clients.judging import VERDICT, is_verdict
from tests.support.calling import ARGUMENTS, FUNCTION, REPLY
from tests.support.engine import GREEDY, HI, Serving
from tests.support.gguf import models


@pytest.fixture(scope="module")
def client(engine: Serving) -> ollama.Client:
    return ollama.Client(engine.url)


def test_models(client: ollama.Client) -> None:
    assert {each.model for each in client.list().models} == {
        "tiny:latest",
        "agreeing:latest",
        "judging:latest",
    }
    assert "tools" in client.show("agreeing").capabilities
    client.chat("tiny", HI)
    assert "tiny:latest" in {each.model for each in client.ps().models}


def test_chat(client: ollama.Client) -> None:
    answer = client.chat("tiny", HI, options=GREEDY)
    assert (answer.message.content, answer.done_reason) == (models.ANSWER, "stop")
    assert client.generate("tiny", "Hi", options=GREEDY).response == models.ANSWER


def test_stream(client: ollama.Client) -> None:
    parts = list(client.chat("tiny", HI, options=GREEDY, stream=True))
    assert "".join(part.message.content for part in parts) == models.ANSWER
    assert [part.done for part in parts] == [False] * 8 + [True]


async def test_stream_of_the_asynchronous_client(engine: Serving) -> None:
    client = ollama.AsyncClient(engine.url)
    parts = [part async for part in await client.chat("tiny", HI, options=GREEDY, stream=True)]
    assert "".join(part.message.content for part in parts) == models.ANSWER


def test_tools(client: ollama.Client) -> None:
    def add(a: int) -> int:
        """Add.

        Args:
            a: a number.
        """
        return a + 1

    called = client.chat("agreeing", HI, tools=[add], options=GREEDY).message
    (call,) = called.tool_calls
    assert (call.function.name, call.function.arguments) == (FUNCTION["name"], ARGUMENTS)
    said = [*HI, called, {"role": "tool", "tool_name": "add", "content": str(add(**call.function.arguments))}]
    assert client.chat("agreeing", said, tools=[add], options=GREEDY).message.content.strip() == REPLY


def test_structured_output(client: ollama.Client) -> None:
    answer = client.chat("judging", HI, format=VERDICT, options=GREEDY)
    assert is_verdict(answer.message.content)


def test_embeddings(client: ollama.Client) -> None:
    first, second = client.embed("tiny", ["a tiny model", "zzz"]).embeddings
    assert len(first) == len(second) > 0
    assert first != second


def test_a_wrong_name(client: ollama.Client) -> None:
    with pytest.raises(ollama.ResponseError, match="nope") as caught:
        client.chat("nope", HI)
    assert caught.value.status_code == 404
