"""OpenAI's Responses API, asked by OpenAI's own client and as Codex asks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import openai
import pytest

from tests.engine.api.agents import CODEX, PARAMETERS
from tests.engine.api.test_anthropic import events
from tests.support.calling import ARGUMENTS, caller
from tests.support.engine import HI, Serving, model_processes
from tests.support.gguf import models

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOOL = {"type": "function", "name": "add", "description": None, "strict": None, "parameters": PARAMETERS}
ASKED: dict[str, Any] = {"model": "tiny", "input": "Hi", "temperature": 0}


@pytest.fixture(scope="module")
def client(engine: Serving) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{engine.url}/v1", api_key="unused", max_retries=0, timeout=60) as found:
        yield found


def answer(engine: Serving, **asked: Any) -> dict[str, Any]:
    return engine.answered("/v1/responses", **ASKED | asked)


def stream(engine: Serving, **asked: Any) -> list[dict[str, Any]]:
    """The events, which are numbered in their order."""
    found = events(engine.post("/v1/responses", **ASKED | asked, stream=True))
    assert [each["sequence_number"] for each in found] == [*range(len(found))]
    return found


def test_a_response(client: openai.OpenAI) -> None:
    found = client.responses.create(model="tiny", input="Hi", temperature=0, instructions="Terse.")
    assert (found.output_text, found.status, found.instructions) == (models.ANSWER, "completed", "Terse.")
    assert found.usage is not None
    assert found.usage.output_tokens == 9
    assert found.usage.input_tokens + 9 == found.usage.total_tokens


def test_a_streamed_response(client: openai.OpenAI) -> None:
    with client.responses.stream(model="tiny", input="Hi", temperature=0) as streamed:
        kinds = [each.type for each in streamed]
        whole = streamed.get_final_response()
    assert whole.output_text == models.ANSWER
    assert kinds == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        *["response.output_text.delta"] * 8,
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]


def test_a_stream_ends_with_what_is_answered_without_one(engine: Serving) -> None:
    for asked in ({}, {"model": "thinking"}, {"model": "caller", "tools": [TOOL]}, {"max_output_tokens": 2}):
        whole, last = answer(engine, **asked), stream(engine, **asked)[-1]
        assert last["type"] == f"response.{whole['status']}"
        ids = ("id", "call_id")
        told = [
            [{key: value for key, value in item.items() if key not in ids} for item in response["output"]]
            for response in (whole, last["response"])
        ]
        assert told[0] == told[1]
        assert {*whole} == {*last["response"]}
        assert whole["usage"] == last["response"]["usage"]


def test_options(engine: Serving) -> None:
    cut = answer(engine, max_output_tokens=2)
    assert cut["output"][0]["content"][0]["text"] == "Hello from"
    assert (cut["status"], cut["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    schema = {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": True}
    for wanted in (schema, {"type": "json_object"}):
        found = answer(engine, text={"format": wanted}, max_output_tokens=3)
        assert found["output"][0]["content"][0]["text"].startswith("{")
        assert found["text"]["format"] == wanted


def test_thoughts_are_items_of_their_own(engine: Serving) -> None:
    asked = {"model": "thinking", "max_output_tokens": 4}
    (thought,) = answer(engine, **asked)["output"]
    assert thought["summary"] == [{"type": "summary_text", "text": "Hello from a tiny"}]
    (said,) = answer(engine, **asked, reasoning={"effort": "none"})["output"]
    assert said["content"][0]["text"] == "Hello from a tiny"
    deltas = [each["delta"] for each in stream(engine, **asked) if each["type"].endswith("text.delta")]
    assert "".join(deltas) == "Hello from a tiny"
    # A model that does not think is not made to.
    assert answer(engine, reasoning={"effort": "high"})["output"][0]["type"] == "message"


@pytest.mark.parametrize("choice", ["auto", "required", {"type": "function", "name": "add"}, "none"])
def test_a_tool_is_called(engine: Serving, choice: object) -> None:
    asked = {"model": "caller", "tools": [TOOL], "tool_choice": choice}
    found = answer(engine, **asked)
    (item,) = found["output"]
    if choice == "none":
        assert item["type"] == "message"
        return
    assert (item["type"], item["name"], json.loads(item["arguments"])) == ("function_call", "add", ARGUMENTS)
    result = {"type": "function_call_output", "call_id": item["call_id"], "output": "2"}
    again = answer(engine, **asked, input=[*HI, item, result])
    assert again["usage"]["input_tokens"] > found["usage"]["input_tokens"]
    assert [each["type"] for each in stream(engine, **asked)[2:]] == [
        "response.output_item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
        "response.completed",
    ]


def test_what_codex_sends(engine: Serving) -> None:
    found = events(engine.post("/v1/responses", **CODEX))
    (item,) = found[-1]["response"]["output"]
    assert (item["type"], item["name"], json.loads(item["arguments"])) == ("function_call", "add", ARGUMENTS)


def test_a_tool_with_free_text(engine: Serving, tmp_path: Path) -> None:
    engine.import_file("patcher", caller(tmp_path / "p.gguf", "apply_patch", {"input": "*** Begin"}))
    found = events(engine.post("/v1/responses", **CODEX | {"model": "patcher"}))
    added, delta, done, whole, _ = found[2:]
    assert (added["item"]["type"], added["item"]["input"]) == ("custom_tool_call", "")
    assert (delta["type"], delta["delta"]) == ("response.custom_tool_call_input.delta", "*** Begin")
    assert (done["type"], done["input"]) == ("response.custom_tool_call_input.done", "*** Begin")
    assert (whole["item"]["name"], whole["item"]["input"]) == ("apply_patch", "*** Begin")


def test_a_tool_of_a_group(engine: Serving, tmp_path: Path) -> None:
    engine.import_file("looker", caller(tmp_path / "l.gguf", "mcp.look", {"b": 2}))
    (item,) = answer(engine, model="looker", tools=CODEX["tools"])["output"]
    assert (item["namespace"], item["name"], item["arguments"]) == ("mcp", "look", '{"b": 2}')


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"model": ""}, "model is required"),
        ({"input": []}, "input is required"),
        ({"input": None}, "input is required"),
        ({"input": 7}, "input must be text or a list"),
        ({"input": [{"role": "x", "content": "a"}]}, "'x' is no role"),
        ({"input": [{"role": "user", "content": [{"type": "input_image"}]}]}, "needs Ollama"),
        ({"input": [{"role": "user", "content": [{"type": "input_file"}]}]}, "send their text"),
        ({"input": [{"type": "function_call"}]}, "a call_id and a name"),
        ({"input": [{"type": "function_call", "call_id": "1", "name": "f", "arguments": "{"}]}, "arguments"),
        ({"max_output_tokens": 0}, "must be positive"),
        ({"previous_response_id": "resp_1"}, "send the whole input"),
        ({"conversation": {"id": "c"}}, "send the whole input"),
        ({"reasoning": {"effort": "huge"}}, "invalid reasoning value"),
        ({"tools": [{"type": "web_search"}]}, "web_search cannot"),
        ({"tools": [TOOL], "tool_choice": {"type": "function", "name": "x"}}, "not among the tools"),
        ({"tool_choice": "required"}, "the request has none"),
    ],
)  # fmt: skip
def test_what_is_refused(engine: Serving, asked: dict[str, Any], text: str) -> None:
    for streamed in (False, True):
        response = engine.post("/v1/responses", **ASKED | asked, stream=streamed)
        told = response.json()["error"]
        assert (response.status_code, told["type"]) == (400, "invalid_request_error")
        assert text in told["message"]


def test_a_model_that_is_not_there(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="model 'nope' not found"):
        client.responses.create(model="nope", input="Hi")


def test_a_model_that_dies_fails_the_response(client: openai.OpenAI, engine: Serving) -> None:
    streamed = client.responses.create(model="endless", input="Hi", max_output_tokens=1_000_000, stream=True)
    numbers = [next(streamed).sequence_number]
    for process in model_processes(engine):
        process.kill()
    *others, last = streamed
    assert last.type == "response.failed"
    assert last.response.error is not None
    assert "was killed" in last.response.error.message
    numbers += [each.sequence_number for each in (*others, last)]
    assert numbers == [*range(len(numbers))]
