"""Anthropic's own package for Python. The API has no embeddings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anthropic
import pytest
from pydantic import BaseModel

from tests.support.calling import ARGUMENTS, REPLY, SCHEMA
from tests.support.engine import HI
from tests.support.gguf import models

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.engine import Serving

# The newest version has no argument for the temperature.
ASKED: dict[str, Any] = {"max_tokens": 100, "extra_body": {"temperature": 0}}
TOOLS = [{"name": "add", "description": "Adds.", "input_schema": SCHEMA}]


class Verdict(BaseModel):
    right: bool


@pytest.fixture(scope="module")
def client(engine: Serving) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=engine.url, api_key="unused", max_retries=0, timeout=60) as found:
        yield found


def test_models(client: anthropic.Anthropic) -> None:
    assert {each.id for each in client.models.list()} == {"tiny:latest", "agreeing:latest", "judging:latest"}


def test_chat(client: anthropic.Anthropic) -> None:
    answer = client.messages.create(model="tiny", messages=HI, **ASKED)
    assert (answer.content[0].text, answer.stop_reason) == (models.ANSWER, "end_turn")
    counted = client.messages.count_tokens(model="tiny", messages=HI)
    assert counted.input_tokens == answer.usage.input_tokens


def test_stream(client: anthropic.Anthropic) -> None:
    with client.messages.stream(model="tiny", messages=HI, **ASKED) as stream:
        said = "".join(stream.text_stream)
        assert stream.get_final_message().content[0].text == said == models.ANSWER


def test_tools(client: anthropic.Anthropic) -> None:
    called = client.messages.create(model="agreeing", messages=HI, tools=TOOLS, **ASKED)
    (call,) = [block for block in called.content if block.type == "tool_use"]
    assert (call.name, call.input, called.stop_reason) == ("add", ARGUMENTS, "tool_use")
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "2"}
    said = [*HI, {"role": "assistant", "content": called.content}, {"role": "user", "content": [result]}]
    answer = client.messages.create(model="agreeing", messages=said, tools=TOOLS, **ASKED)
    assert answer.content[0].text.strip() == REPLY


def test_structured_output(client: anthropic.Anthropic) -> None:
    answer = client.messages.parse(model="judging", messages=HI, output_format=Verdict, **ASKED)
    assert isinstance(answer.parsed_output, Verdict)


def test_a_wrong_name(client: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.NotFoundError, match="nope"):
        client.messages.create(model="nope", messages=HI, **ASKED)
