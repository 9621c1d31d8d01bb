"""Anthropic's routes, asked as Claude Code and Anthropic's clients ask."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.engine.api.agents import CLAUDE_CODE, PARAMETERS
from tests.support.calling import ARGUMENTS
from tests.support.engine import HI, Serving, model_processes
from tests.support.gguf import models

if TYPE_CHECKING:
    import httpx

TOOL = {"name": "add", "description": "Adds.", "input_schema": PARAMETERS}
ASKED: dict[str, Any] = {"model": "tiny", "max_tokens": 100, "temperature": 0, "messages": HI}


def events(response: httpx.Response) -> list[dict[str, Any]]:
    """What the events say, each of which is named by its type."""
    assert response.headers["content-type"] == "text/event-stream", response.text
    found = []
    for event in response.text.removesuffix("\n\n").split("\n\n"):
        name, data = event.split("\n")
        found.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {found[-1]['type']}"
    return found


def message(engine: Serving, **asked: Any) -> dict[str, Any]:
    return engine.answered("/v1/messages", **ASKED | asked)


def stream(engine: Serving, **asked: Any) -> list[dict[str, Any]]:
    return events(engine.post("/v1/messages", **ASKED | asked, stream=True))


def error(response: httpx.Response) -> tuple[int, str, str]:
    told = response.json()
    assert (told["type"], told["request_id"][:4]) == ("error", "req_")
    return response.status_code, told["error"]["type"], told["error"]["message"]


def test_a_message(engine: Serving) -> None:
    answer = message(engine)
    assert answer.pop("id").startswith("msg_")
    assert answer == {
        "type": "message",
        "role": "assistant",
        "model": "tiny",
        "content": [{"type": "text", "text": models.ANSWER}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 21, "output_tokens": 9},
    }


def test_a_streamed_message(engine: Serving) -> None:
    begin, start, *deltas, stop, delta, end = stream(engine)
    begun = begin["message"]
    assert (begun["role"], begun["content"], begun["stop_reason"]) == ("assistant", [], None)
    assert start["content_block"] == {"type": "text", "text": ""}
    assert "".join(each["delta"]["text"] for each in deltas) == models.ANSWER
    assert len(deltas) == 8
    assert [each["index"] for each in (start, *deltas, stop)] == [0] * 10
    assert delta["delta"] == {"stop_reason": "end_turn", "stop_sequence": None}
    assert delta["usage"] == {"input_tokens": 21, "output_tokens": 9}
    assert [each["type"] for each in (begin, start, deltas[0], stop, delta, end)] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


def test_options(engine: Serving) -> None:
    cut = message(engine, max_tokens=2)
    assert (cut["content"][0]["text"], cut["stop_reason"]) == ("Hello from", "max_tokens")
    assert message(engine, stop_sequences=[" model"])["content"][0]["text"] == "Hello from a tiny"
    assert message(engine, temperature=3, top_k=1)["content"][0]["text"] == models.ANSWER
    schema = {"type": "json_schema", "schema": {"type": "object"}}
    told = message(engine, output_config={"format": schema}, max_tokens=3)
    assert told["content"][0]["text"].startswith("{")


def test_thoughts_are_blocks_of_their_own(engine: Serving) -> None:
    asked = {"model": "thinking", "max_tokens": 4}
    assert message(engine, **asked, thinking={"type": "enabled"})["content"] == [
        {"type": "thinking", "thinking": "Hello from a tiny", "signature": ""}
    ]
    assert message(engine, **asked, thinking={"type": "disabled"})["content"] == [
        {"type": "text", "text": "Hello from a tiny"}
    ]
    _, start, *deltas, _, _, _ = stream(engine, **asked)
    assert start["content_block"] == {"type": "thinking", "thinking": "", "signature": ""}
    assert "".join(each["delta"]["thinking"] for each in deltas) == "Hello from a tiny"


def test_a_model_that_does_not_think_is_not_made_to(engine: Serving) -> None:
    for asked in ({"thinking": {"type": "enabled"}}, {"output_config": {"effort": "high"}}):
        assert message(engine, **asked)["content"] == [{"type": "text", "text": models.ANSWER}]


@pytest.mark.parametrize(
    "choice", [{"type": "auto"}, {"type": "any"}, {"type": "tool", "name": "add"}, {"type": "none"}]
)
def test_a_tool_is_called(engine: Serving, choice: dict[str, str]) -> None:
    asked = {"model": "caller", "tools": [TOOL], "tool_choice": choice}
    answer = message(engine, **asked)
    (block,) = answer["content"]
    if choice["type"] == "none":
        assert (block["type"], answer["stop_reason"]) == ("text", "end_turn")
        return
    assert (block["type"], block["name"], block["input"]) == ("tool_use", "add", ARGUMENTS)
    assert answer["stop_reason"] == "tool_use"
    _, start, delta, stop, last, _ = stream(engine, **asked)
    assert start["content_block"] == {**block, "id": start["content_block"]["id"], "input": {}}
    assert json.loads(delta["delta"]["partial_json"]) == ARGUMENTS
    assert (stop["type"], last["delta"]["stop_reason"]) == ("content_block_stop", "tool_use")
    result = {"type": "tool_result", "tool_use_id": block["id"], "content": "2"}
    said = [*HI, {"role": "assistant", "content": [block]}, {"role": "user", "content": [result]}]
    again = message(engine, **asked, messages=said)
    assert again["usage"]["input_tokens"] > answer["usage"]["input_tokens"]


def test_what_claude_code_sends(engine: Serving) -> None:
    headers = {"x-api-key": "any", "anthropic-version": "2023-06-01", "anthropic-beta": "a,b"}
    response = engine.http.post("/v1/messages?beta=true", json=CLAUDE_CODE, headers=headers)
    *_, start, _, _, last, _ = events(response)
    assert start["content_block"]["name"] == "add"
    assert last["delta"]["stop_reason"] == "tool_use"
    counted = {key: value for key, value in CLAUDE_CODE.items() if key != "max_tokens"}
    count = engine.http.post("/v1/messages/count_tokens?beta=true", json=counted, headers=headers)
    assert count.json() == {"input_tokens": last["usage"]["input_tokens"]}
    assert engine.http.head("/").status_code == 200


def test_a_line_that_is_another_each_time_is_left_out_of_the_prompt(engine: Serving) -> None:
    def count(*texts: str) -> int:
        system = [{"type": "text", "text": text} for text in texts]
        counted = engine.post("/v1/messages/count_tokens", model="tiny", messages=HI, system=system)
        return int(counted.json()["input_tokens"])

    assert count("x-anthropic-billing-header: cch=1;", "Terse.") == count("Terse.")
    assert count("Terse.", "Kind.") > count("Terse.")


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"model": ""}, "model is required"),
        ({"max_tokens": None}, "max_tokens is required and must be positive"),
        ({"max_tokens": 0}, "max_tokens is required and must be positive"),
        ({"messages": []}, "messages is required"),
        ({"messages": [{"role": "x", "content": "a"}]}, "'x' is no role"),
        ({"messages": [{"role": "user", "content": [{"type": "image", "source": {}}]}]}, "needs Ollama"),
        (
            {"messages": [{"content": [{"type": "tool_result", "content": [{"type": "image"}]}]}]},
            "needs Ollama",
        ),
        ({"messages": [{"role": "user", "content": [{"type": "document"}]}]}, "send their text"),
        ({"messages": [{"role": "assistant", "content": [{"type": "tool_use"}]}]}, "an id and a name"),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "web_search_20250305 cannot"),
        ({"tools": [TOOL], "tool_choice": {"type": "tool", "name": "x"}}, "not among the tools"),
        ({"tool_choice": {"type": "any"}}, "the request has none"),
        ({"tools": [TOOL]}, "does not support tools"),
        ({"messages": "Hi"}, "messages must be a list"),
    ],
)  # fmt: skip
def test_what_is_refused(engine: Serving, asked: dict[str, Any], text: str) -> None:
    for streamed in (False, True):
        status, kind, told = error(engine.post("/v1/messages", **ASKED | asked, stream=streamed))
        assert (status, kind) == (400, "invalid_request_error")
        assert text in told


def test_a_prompt_that_is_too_long_loses_its_oldest_turns_and_is_never_cut(engine: Serving) -> None:
    def ask(path: str, key: str, *texts: str) -> httpx.Response:
        roles = ("user", "assistant") * len(texts)
        turns = [{"role": role, "content": text} for role, text in zip(roles, texts, strict=False)]
        # The random model has a context of 2,048 tokens, most of a letter.
        asked = {"model": "random", "max_tokens": 1, "max_output_tokens": 1, key: turns}
        return engine.post(path, **asked)

    for path, key in (("/v1/messages", "messages"), ("/v1/responses", "input")):
        assert ask(path, key, "x" * 3000, "y", "z").status_code == 200
        refused = ask(path, key, "x", "y", "z" * 3000)
        told = re.fullmatch(
            r"prompt is too long: (\d+) tokens > 2048 maximum\..*", refused.json()["error"]["message"]
        )
        assert refused.status_code == 400
        assert told is not None
        assert 3000 < int(told[1]) < 3100


def test_a_model_that_is_not_there(engine: Serving) -> None:
    for path in ("/v1/messages", "/v1/messages/count_tokens"):
        found = error(engine.post(path, **ASKED | {"model": "nope"}))
        assert found == (404, "not_found_error", "model 'nope' not found")


def test_a_model_that_dies_is_an_error_of_the_stream(engine: Serving) -> None:
    asked = ASKED | {"model": "endless", "max_tokens": 1_000_000, "stream": True}
    with engine.http.stream("POST", "/v1/messages", json=asked) as response:
        received = response.iter_lines()
        next(received)
        for process in model_processes(engine):
            process.kill()
        last = json.loads([line for line in received if line][-1].removeprefix("data: "))
    assert (last["type"], last["error"]["type"]) == ("error", "api_error")
    assert "was killed" in last["error"]["message"]
