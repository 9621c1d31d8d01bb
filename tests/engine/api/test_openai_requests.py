"""What OpenAI's requests mean in Ollama's terms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from llmstack_tui.engine.api import openai_requests as openai
from llmstack_tui.engine.errors import ApiError

if TYPE_CHECKING:
    from llmstack_tui.ollama.wire import GenerateRequest, WireChatRequest, WireEmbedRequest

HI = [{"role": "user", "content": "Hi"}]


def chat(**fields: Any) -> WireChatRequest:
    request = {"model": "m", "messages": HI, **fields}
    return openai.chat_request(msgspec.convert(request, openai.ChatCompletionRequest))


def completion(**fields: Any) -> GenerateRequest:
    return openai.generate_request(msgspec.convert({"model": "m", **fields}, openai.CompletionRequest))


def embeddings(**fields: Any) -> WireEmbedRequest:
    return openai.embed_request(msgspec.convert({"model": "m", **fields}, openai.EmbeddingsRequest))


def test_openais_defaults_stand_above_the_models_own() -> None:
    assert chat().options == {"temperature": 1.0, "top_p": 1.0}
    assert chat().stream is False


def test_options_by_their_names_in_ollama() -> None:
    request = chat(max_tokens=4, temperature=0, top_p=0.5, seed=7, stop="x", presence_penalty=1)
    assert request.options == {
        "num_predict": 4,
        "temperature": 0,
        "top_p": 0.5,
        "seed": 7,
        "stop": ["x"],
        "presence_penalty": 1,
    }
    assert (chat(max_completion_tokens=9).options or {})["num_predict"] == 9
    assert (chat(stop=["a", "b"]).options or {})["stop"] == ["a", "b"]
    assert (chat(stop=["a", None, 1]).options or {})["stop"] == ["a"]
    odds: tuple[object, ...] = ([], {}, 7, True)
    for odd in odds:
        assert "stop" not in (chat(stop=odd).options or {}), "then the model's own stand"


def test_response_formats() -> None:
    schema = {"type": "object"}
    assert chat(response_format={"type": "json_object"}).format == "json"
    wanted = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    assert chat(response_format=wanted).format == schema
    assert chat(response_format={"type": "text"}).format is None


def test_parts_of_a_message_become_one_text() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    (message,) = chat(messages=[{"role": "developer", "content": parts}]).messages or []
    assert (message.role, message.content) == ("system", "a\nb")


def test_tool_calls_of_the_conversation() -> None:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    messages = [*HI, {"role": "assistant", "tool_calls": [call]}]
    messages.append({"role": "tool", "content": "2", "tool_call_id": "1"})
    _, called, result = chat(messages=messages).messages or []
    assert called.tool_calls
    assert called.tool_calls[0].function
    assert called.tool_calls[0].function.arguments == {"a": 1}
    assert result.tool_call_id == "1"


def test_an_answer_without_text_and_calls() -> None:
    """Ollama refuses it; editors send an answer that was only thought, or broke off."""
    messages = [*HI, {"role": "assistant", "content": None, "reasoning_content": "Hm."}, *HI]
    _, answer, _ = chat(messages=messages).messages or []
    assert (answer.content, answer.thinking, answer.tool_calls) == ("", "Hm.", None)


def test_effort_of_reasoning() -> None:
    assert chat().think is None
    assert chat(reasoning_effort="none").think is False
    assert chat(reasoning={"effort": "xhigh"}).think == "max"


def test_tools_that_must_not_be_used() -> None:
    tools = [{"type": "function", "function": {"name": "f"}}]
    assert chat(tools=tools).tools == tools
    assert chat(tools=tools, tool_choice="none").tools is None


@pytest.mark.parametrize(
    ("choice", "must", "left"),
    [
        ("auto", False, ["f", "g"]),
        ("required", True, ["f", "g"]),
        ({"type": "function", "function": {"name": "g"}}, True, ["g"]),
        ({"type": "allowed_tools"}, False, ["f", "g"]),
        (7, False, ["f", "g"]),
    ],
)
def test_tools_that_must_be_used(choice: object, must: bool, left: list[str]) -> None:
    tools = [{"type": "function", "function": {"name": name}} for name in ("f", "g")]
    body = {"messages": HI, "tools": tools, "tool_choice": choice}
    request = msgspec.convert(body, openai.ChatCompletionRequest)
    assert request.must_call is must
    found = openai.chat_request(request).tools or []
    assert [msgspec.convert(tool["function"], dict[str, str])["name"] for tool in found] == left
    assert not msgspec.convert({**body, "tools": []}, openai.ChatCompletionRequest).must_call


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"messages": []}, "[] is too short - 'messages'"),
        ({"messages": [{"role": "user"}]}, "invalid message content type: <nil>"),
        ({"messages": [{"role": "user", "content": [{"type": "?"}]}]}, "invalid message format"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "needs Ollama"),
        ({"reasoning_effort": "huge"}, "invalid reasoning value"),
        (
            {
                "tools": [{"type": "function", "function": {"name": "f"}}, {}],
                "tool_choice": {"type": "function", "function": {"name": "g"}},
            },
            "not among the tools",
        ),
        (
            {"messages": [{"role": "assistant", "tool_calls": [{"function": {"arguments": "{"}}]}]},
            "invalid tool call arguments",
        ),
    ],
)
def test_what_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ApiError) as caught:
        chat(**fields)
    assert message in str(caught.value)
    assert caught.value.status == 400


def test_completions() -> None:
    request = completion(prompt=["Hi"], max_tokens=3, stream=True)
    assert (request.prompt, request.stream) == ("Hi", True)
    assert (request.options or {})["num_predict"] == 3
    with pytest.raises(ApiError, match="list of prompts"):
        completion(prompt=["a", "b"])


def test_embeddings() -> None:
    assert embeddings(input="a").input == ["a"]
    assert embeddings(input=["a", "b"], dimensions=2).dimensions == 2


@pytest.mark.parametrize(
    "fields", [{}, {"input": []}, {"input": ""}, {"input": "a", "encoding_format": "hex"}]
)
def test_embeddings_that_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ApiError):
        embeddings(**fields)
