"""What requests of agents mean in Ollama's terms, and that no value in them is a fault of the server."""

from __future__ import annotations

import json
from copy import copy
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from llmstack_tui.engine.api import anthropic_requests as anthropic
from llmstack_tui.engine.api import responses_requests as responses
from llmstack_tui.engine.api.decoding import decode
from llmstack_tui.engine.errors import ApiError
from tests.engine.api.agents import CLAUDE_CODE, CODEX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmstack_tui.ollama.wire import WireChatRequest, WireMessage

    Path = tuple[str | int, ...]

VALUES: tuple[object, ...] = (None, [], {}, 7, -1.5, 1e300, "x", True, [None], [[]], {"type": "x"})


def claude(**fields: Any) -> WireChatRequest:
    return anthropic.chat_request(
        decode(json.dumps(CLAUDE_CODE | fields).encode(), anthropic.MessagesRequest)
    )


def codex(**fields: Any) -> WireChatRequest:
    return responses.chat_request(decode(json.dumps(CODEX | fields).encode(), responses.ResponsesRequest))


def turns(request: WireChatRequest) -> list[WireMessage]:
    assert request.messages
    return request.messages


def said(request: WireChatRequest) -> list[tuple[str | None, str | None]]:
    return [(turn.role, turn.content) for turn in turns(request)]


def called(turn: WireMessage) -> list[tuple[str | None, str | None, dict[str, object] | None]]:
    calls = [(call.id, call.function) for call in turn.tool_calls or ()]
    return [(id_, function.name, function.arguments) for id_, function in calls if function]


def names(request: WireChatRequest) -> list[object]:
    return [msgspec.convert(tool["function"], dict[str, object])["name"] for tool in request.tools or ()]


def test_claude_codes_conversation() -> None:
    request = claude()
    assert said(request) == [
        ("system", "You are an agent.\nBe brief."),
        ("user", "<system-reminder>Today is Monday.</system-reminder>\nAdd."),
        ("assistant", "I add."),
        ("tool", "1"),
        ("tool", "2"),
        ("user", "And now?\n\nAgents: none."),
    ]
    _, _, answer, first, second, _ = turns(request)
    assert answer.thinking == "Add what?"
    assert called(answer) == [("toolu_1", "add", {"a": 1}), ("toolu_2", "add", {})]
    assert [each.tool_call_id for each in (first, second)] == ["toolu_1", "toolu_2"]
    assert names(request) == ["add"], "without the search that Anthropic's servers do"
    assert request.options == {"num_predict": 32000, "temperature": 0, "stop": []}
    assert (request.stream, request.think) == (True, "high")


def test_codexs_conversation() -> None:
    request = codex()
    assert said(request) == [
        ("system", "You are a coding agent.\n\n<permissions>All.</permissions>"),
        ("user", "<environment_context/>\n\nAdd."),
        ("assistant", "I add."),
        ("tool", "1"),
        ("tool", "Done"),
        ("user", "And now?"),
    ]
    _, _, answer, _, second, _ = turns(request)
    assert answer.thinking == "Add what?"
    assert called(answer) == [
        ("call_1", "add", {"a": 1}),
        ("call_2", "apply_patch", {"input": "*** Begin Patch"}),
    ]
    assert second.tool_call_id == "call_2"
    assert names(request) == ["add", "apply_patch", "mcp.look"]
    assert request.options == {"temperature": 0}
    assert (request.stream, request.think) == (True, "medium")


def test_a_system_message_in_the_middle_is_told_as_the_users() -> None:
    first, second = {"role": "user", "content": "Hi"}, {"role": "system", "content": "Terse."}
    told = [("user", "Hi\n\nTerse.")]
    assert said(claude(system="", messages=[first, second])) == told
    assert said(codex(instructions="", input=[first, {**second, "role": "developer"}])) == told


def test_text_of_documents_is_read() -> None:
    document = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "A."}}
    assert said(claude(system="", messages=[{"role": "user", "content": [document]}])) == [("user", "A.")]


@pytest.mark.parametrize(
    ("thinking", "effort", "think"),
    [
        (None, None, None),
        ({"type": "enabled", "budget_tokens": 1024}, "low", True),
        ({"type": "disabled"}, "high", False),
        ({"type": "adaptive"}, "xhigh", "high"),
        ({"type": "adaptive"}, "much", None),
    ],
)
def test_how_much_claude_code_wants_thought(thinking: object, effort: object, think: object) -> None:
    assert claude(thinking=thinking, output_config={"effort": effort}).think == think


def test_defaults_of_both() -> None:
    assert "temperature" not in (claude(temperature=None).options or {}), "the model's own stands"
    assert codex(temperature=None).options == {"temperature": 1.0}


def test_tools_by_the_names_of_their_groups() -> None:
    request = decode(json.dumps(CODEX).encode(), responses.ResponsesRequest)
    assert request.tool_names() == {
        "add": responses.ToolName("add"),
        "apply_patch": responses.ToolName("apply_patch", custom=True),
        "mcp.look": responses.ToolName("look", "mcp"),
    }
    call = {
        "type": "function_call",
        "call_id": "1",
        "name": "look",
        "namespace": "mcp",
        "arguments": {"b": 2},
    }
    (turn,) = turns(codex(instructions="", input=[call]))
    assert called(turn) == [("1", "mcp.look", {"b": 2})]


def paths(value: object, at: Path = ()) -> Iterator[Path]:
    """The places of all values within a value."""
    yield at
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield from paths(part, (*at, key))


def with_value(within: Any, at: Path, value: object) -> Any:
    if not at:
        return value
    changed = copy(within)
    changed[at[0]] = with_value(within[at[0]], at[1:], value)
    return changed


@pytest.mark.parametrize("asked", [CLAUDE_CODE, CODEX])
def test_any_value_is_read_or_refused(asked: dict[str, Any]) -> None:
    read, refused = 0, 0
    for at in paths(asked):
        for value in VALUES:
            body = json.dumps(with_value(asked, at, value)).encode()
            try:
                if asked is CLAUDE_CODE:
                    anthropic.chat_request(decode(body, anthropic.MessagesRequest))
                else:
                    responses.chat_request(decode(body, responses.ResponsesRequest))
            except (ApiError, msgspec.ValidationError):
                refused += 1
            else:
                read += 1
    assert read > 300
    assert refused > 300
