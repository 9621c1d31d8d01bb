"""OpenAI's own package for Python: chat, and responses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import openai
import pytest
from pydantic import BaseModel

from tests.support.calling import ARGUMENTS, FUNCTION, REPLY
from tests.support.gguf import models

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.engine import Serving

HI: Any = [{"role": "user", "content": "Hi"}]
TOOLS: Any = [{"type": "function", "function": FUNCTION}]
RESPONSE_TOOLS: Any = [{"type": "function", "strict": False, **FUNCTION}]


class Verdict(BaseModel):
    right: bool


@pytest.fixture(scope="module")
def client(engine: Serving) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{engine.url}/v1", api_key="unused", max_retries=0, timeout=60) as found:
        yield found


def test_models(client: openai.OpenAI) -> None:
    assert {each.id for each in client.models.list()} == {"tiny:latest", "agreeing:latest", "judging:latest"}


def test_chat(client: openai.OpenAI) -> None:
    (choice,) = client.chat.completions.create(model="tiny", messages=HI, temperature=0).choices
    assert (choice.message.content, choice.finish_reason) == (models.ANSWER, "stop")
    assert client.responses.create(model="tiny", input="Hi", temperature=0).output_text == models.ANSWER


def test_stream(client: openai.OpenAI) -> None:
    with client.chat.completions.stream(model="tiny", messages=HI, temperature=0) as stream:
        said = "".join(event.delta for event in stream if event.type == "content.delta")
    assert said == models.ANSWER
    with client.responses.stream(model="tiny", input="Hi", temperature=0) as events:
        said = "".join(event.delta for event in events if event.type == "response.output_text.delta")
        assert events.get_final_response().output_text == said == models.ANSWER


def test_tools(client: openai.OpenAI) -> None:
    asked: dict[str, Any] = {"model": "agreeing", "tools": TOOLS, "temperature": 0}
    (choice,) = client.chat.completions.create(messages=HI, **asked).choices
    (call,) = choice.message.tool_calls
    assert (call.function.name, json.loads(call.function.arguments)) == ("add", ARGUMENTS)
    said = [*HI, choice.message, {"role": "tool", "tool_call_id": call.id, "content": "2"}]
    (choice,) = client.chat.completions.create(messages=said, **asked).choices
    assert choice.message.content.strip() == REPLY


def test_tools_of_responses(client: openai.OpenAI) -> None:
    asked: dict[str, Any] = {"model": "agreeing", "tools": RESPONSE_TOOLS, "temperature": 0}
    called = client.responses.create(input=HI, **asked)
    (call,) = [each for each in called.output if each.type == "function_call"]
    assert (call.name, json.loads(call.arguments)) == ("add", ARGUMENTS)
    said = [*HI, *called.output, {"type": "function_call_output", "call_id": call.call_id, "output": "2"}]
    assert client.responses.create(input=said, **asked).output_text.strip() == REPLY


def test_structured_output(client: openai.OpenAI) -> None:
    asked: dict[str, Any] = {"model": "judging", "temperature": 0}
    (choice,) = client.chat.completions.parse(messages=HI, response_format=Verdict, **asked).choices
    assert isinstance(choice.message.parsed, Verdict)
    answer = client.responses.parse(input="Hi", text_format=Verdict, **asked)
    assert isinstance(answer.output_parsed, Verdict)


def test_embeddings(client: openai.OpenAI) -> None:
    first, second = client.embeddings.create(model="tiny", input=["a tiny model", "zzz"]).data
    assert len(first.embedding) == len(second.embedding) > 0
    assert first.embedding != second.embedding


def test_a_wrong_name(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="nope"):
        client.chat.completions.create(model="nope", messages=HI)
    with pytest.raises(openai.NotFoundError, match="nope"):
        client.responses.create(model="nope", input="Hi")
