"""litellm, by Ollama's protocol and by OpenAI's. It lists no models of a server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import litellm
import pytest
from pydantic import BaseModel

from tests.clients.judging import is_verdict
from tests.support.calling import ARGUMENTS, FUNCTION, REPLY
from tests.support.engine import HI
from tests.support.gguf import models

if TYPE_CHECKING:
    from tests.support.engine import Serving

TOOLS = [{"type": "function", "function": FUNCTION}]


class Verdict(BaseModel):
    right: bool


@pytest.fixture(params=["ollama_chat", "openai"])
def asked(request: pytest.FixtureRequest, engine: Serving) -> dict[str, Any]:
    """What each call needs; ``model`` is to be put behind the name of the protocol."""
    base = f"{engine.url}/v1" if request.param == "openai" else engine.url
    return {"model": f"{request.param}/", "api_base": base, "api_key": "unused", "temperature": 0}


def of(asked: dict[str, Any], model: str) -> dict[str, Any]:
    return {**asked, "model": asked["model"] + model}


def test_chat(asked: dict[str, Any]) -> None:
    (choice,) = litellm.completion(messages=HI, **of(asked, "tiny")).choices
    assert (choice.message.content, choice.finish_reason) == (models.ANSWER, "stop")


def test_stream(asked: dict[str, Any]) -> None:
    parts = list(litellm.completion(messages=HI, stream=True, **of(asked, "tiny")))
    assert "".join(part.choices[0].delta.content or "" for part in parts) == models.ANSWER
    assert len(parts) > 8


def test_tools(asked: dict[str, Any]) -> None:
    asked = of(asked, "agreeing") | {"tools": TOOLS}
    (choice,) = litellm.completion(messages=HI, **asked).choices
    (call,) = choice.message.tool_calls
    assert (call.function.name, json.loads(call.function.arguments)) == ("add", ARGUMENTS)
    said = [*HI, choice.message, {"role": "tool", "tool_call_id": call.id, "content": "2"}]
    (choice,) = litellm.completion(messages=said, **asked).choices
    assert choice.message.content.strip() == REPLY


def test_structured_output(asked: dict[str, Any]) -> None:
    (choice,) = litellm.completion(messages=HI, response_format=Verdict, **of(asked, "judging")).choices
    assert is_verdict(choice.message.content)


def test_embeddings(engine: Serving) -> None:
    answer = litellm.embedding(model="ollama/tiny", input=["a tiny model", "zzz"], api_base=engine.url)
    first, second = (each["embedding"] for each in answer.data)
    assert len(first) == len(second) > 0
    assert first != second


def test_a_wrong_name(asked: dict[str, Any]) -> None:
    with pytest.raises(litellm.NotFoundError, match="nope"):
        litellm.completion(messages=HI, **of(asked, "nope"))
