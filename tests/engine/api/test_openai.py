"""OpenAI's routes, asked by OpenAI's own client."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import openai
import pytest

from tests.contract.recordings import exchanges
from tests.contract.shapes import missing
from tests.support.calling import ARGUMENTS, TOOL
from tests.support.engine import HI, Serving, model_processes
from tests.support.gguf import models

if TYPE_CHECKING:
    from collections.abc import Iterator

RECORDED = exchanges("ollama-0.24.0")


@pytest.fixture(scope="module")
def client(engine: Serving) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{engine.url}/v1", api_key="unused", max_retries=0, timeout=60) as found:
        yield found


def test_chat(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model="tiny", messages=[{"role": "user", "content": "Hi"}], temperature=0
    )
    (choice,) = answer.choices
    assert (choice.message.content, choice.finish_reason) == (models.ANSWER, "stop")
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (21, 9)
    assert answer.model == "tiny"


def test_a_streamed_chat(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="tiny",
        messages=[{"role": "user", "content": "Hi"}],
        temperature=0,
        stream=True,
        stream_options={"include_usage": True},
    )
    *parts, end, usage = stream
    assert "".join(part.choices[0].delta.content or "" for part in parts) == models.ANSWER
    assert len(parts) == 8
    assert end.choices[0].finish_reason == "stop"
    assert usage.usage is not None
    assert usage.usage.total_tokens == 30
    assert len({part.id for part in (*parts, end, usage)}) == 1


def test_options_of_a_chat(client: openai.OpenAI) -> None:
    def say(**options: Any) -> Any:
        return client.chat.completions.create(
            model="tiny", messages=[{"role": "user", "content": "Hi"}], **({"temperature": 0} | options)
        ).choices[0]

    assert say(stop=[" model"]).message.content == "Hello from a tiny"
    cut = say(max_tokens=2)
    assert (cut.message.content, cut.finish_reason) == ("Hello from", "length")
    seeded = {"temperature": 3, "seed": 7}
    assert say(**seeded).message.content == say(**seeded).message.content
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    wanted = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    assert say(response_format=wanted, max_tokens=5).message.content.startswith("{")
    assert say(response_format={"type": "json_object"}, max_tokens=5).message.content.startswith("{")
    told = say(logprobs=True, top_logprobs=2, max_tokens=2).logprobs.content
    assert [token.token for token in told] == ["Hello", " from"]


def test_thoughts_are_told_apart(engine: Serving) -> None:
    asked = {"model": "thinking", "messages": HI, "temperature": 0, "max_tokens": 4}
    (choice,) = engine.post("/v1/chat/completions", **asked).json()["choices"]
    assert choice["message"] == {"role": "assistant", "content": "", "reasoning": "Hello from a tiny"}
    (choice,) = engine.post("/v1/chat/completions", **asked, reasoning_effort="none").json()["choices"]
    assert choice["message"] == {"role": "assistant", "content": "Hello from a tiny"}


def test_a_tool_is_called(engine: Serving) -> None:
    asked: dict[str, Any] = {"model": "caller", "messages": HI, "tools": [TOOL], "temperature": 0}
    (choice,) = engine.post("/v1/chat/completions", **asked).json()["choices"]
    (call,) = choice["message"]["tool_calls"]
    assert (call["type"], call["function"]["name"]) == ("function", "add")
    assert json.loads(call["function"]["arguments"]) == ARGUMENTS
    assert choice["finish_reason"] == "tool_calls"
    said = [*HI, choice["message"], {"role": "tool", "content": "2", "tool_call_id": call["id"]}]
    assert engine.post("/v1/chat/completions", **{**asked, "messages": said}).status_code == 200
    streamed = engine.post("/v1/chat/completions", **asked, stream=True).text.split("\n\n")
    *parts, done = [event.removeprefix("data: ") for event in streamed if event]
    called, end = [json.loads(part)["choices"][0] for part in parts]
    assert (called["delta"]["tool_calls"][0]["function"]["name"], called["finish_reason"]) == ("add", None)
    assert (end["delta"], end["finish_reason"]) == ({}, "tool_calls")
    assert done == "[DONE]"


def test_completions(client: openai.OpenAI) -> None:
    answer = client.completions.create(model="tiny", prompt="Hi", temperature=0)
    assert (answer.choices[0].text, answer.choices[0].finish_reason) == (models.ANSWER, "stop")
    *parts, end = client.completions.create(model="tiny", prompt="Hi", temperature=0, stream=True)
    assert "".join(part.choices[0].text for part in parts) == models.ANSWER
    assert end.choices[0].finish_reason == "stop"


def test_embeddings(client: openai.OpenAI, engine: Serving) -> None:
    # The client asks for base64 unless it is told otherwise.
    answer = client.embeddings.create(model="tiny", input=["a tiny model", "zzz"])
    (native,) = engine.post("/api/embed", model="tiny", input="zzz").json()["embeddings"]
    assert answer.data[1].embedding == pytest.approx(native, abs=1e-6)
    assert answer.usage.prompt_tokens == 6
    plain = client.embeddings.create(model="tiny", input="zzz", encoding_format="float", dimensions=5)
    assert len(plain.data[0].embedding) == 5


def test_models(client: openai.OpenAI) -> None:
    listed = {model.id: model for model in client.models.list()}
    assert {"tiny:latest", "endless:latest"} <= set(listed)
    assert client.models.retrieve("tiny").owned_by == "library"
    with pytest.raises(openai.NotFoundError, match="model 'nope' not found"):
        client.models.retrieve("nope")


def test_errors(client: openai.OpenAI, engine: Serving) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="nope", messages=[{"role": "user", "content": "Hi"}])
    (recorded,) = RECORDED["v1-chat-missing"].lines
    assert caught.value.response.json() == recorded
    with pytest.raises(openai.BadRequestError, match="too short"):
        client.chat.completions.create(model="tiny", messages=[])
    response = engine.http.post("/v1/chat/completions", content=b"{")
    assert response.json()["error"]["message"] == "unexpected EOF"
    assert response.json()["error"]["type"] == "invalid_request_error"


def test_a_model_that_dies_is_an_error_of_the_stream(client: openai.OpenAI, engine: Serving) -> None:
    stream = client.chat.completions.create(
        model="endless", messages=[{"role": "user", "content": "Hi"}], max_tokens=1_000_000, stream=True
    )
    next(stream)
    for process in model_processes(engine):
        process.kill()
    with pytest.raises(openai.APIError, match="was killed"):
        for _ in stream:
            pass


@pytest.mark.parametrize("name", ["v1-chat", "v1-embeddings"])
def test_answers_have_the_keys_of_ollama(engine: Serving, name: str) -> None:
    recorded = RECORDED[name]
    asked = json.loads(json.dumps(recorded.body).replace("smollm2:135m", "tiny"))
    answer = engine.post(recorded.path, **asked)
    assert answer.headers["content-type"] == recorded.content_type
    assert not missing(recorded.lines[0], answer.json())
