"""What has come of a streamed answer, line by line: Ollama's JSON, and the events of the others. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from llmstack_tui.base.structs import replace
from llmstack_tui.base.text import excerpt
from llmstack_tui.editors.types import Api, Heard

if TYPE_CHECKING:
    from collections.abc import Callable

_DATA = b"data:"
_DONE = b"[DONE]"
# What is kept of an answer, to be shown.
_MOST_TEXT, _MOST_ARGUMENTS = 400, 4000

Event = Mapping[str, Any]


def hear(api: Api, line: bytes, heard: Heard) -> Heard:
    """``heard`` with one more line of the answer. What is not understood is passed over."""
    if api is not Api.OLLAMA:
        if not line.startswith(_DATA):
            return heard
        line = line[len(_DATA) :].strip()
        if line == _DONE:
            return replace(heard, is_closed=True)
    try:
        event = msgspec.json.decode(line)
    except (ValueError, RecursionError):
        return heard
    if not isinstance(event, Mapping):
        return heard
    if error := _error(event):
        return replace(heard, error=error)
    return _READERS[api](event, heard)


def _error(event: Event) -> str:
    error = event.get("error")
    if not error:
        error = _map(event.get("response")).get("error")
    return excerpt(str(_map(error).get("message") or error)) if error else ""


def _ollama(event: Event, heard: Heard) -> Heard:
    message = _map(event.get("message"))
    heard = _with_text(heard, message.get("thinking"), message.get("content"))
    for call in _maps(message.get("tool_calls")):
        function = _map(call.get("function"))
        arguments = msgspec.json.encode(function.get("arguments")).decode()
        heard = _with_call(heard, function.get("name"), arguments)
    if event.get("done") is True:
        reason = event.get("done_reason")
        return replace(heard, is_finished=True, is_closed=True, was_cut=reason == "length")
    return heard


def _openai(event: Event, heard: Heard) -> Heard:
    for choice in _maps(event.get("choices")):
        delta = _map(choice.get("delta"))
        thoughts = delta.get("reasoning_content") or delta.get("reasoning")
        heard = _with_text(heard, thoughts, delta.get("content"))
        for call in _maps(delta.get("tool_calls")):
            function = _map(call.get("function"))
            heard = _with_call(heard, function.get("name"), function.get("arguments"))
        if reason := choice.get("finish_reason"):
            heard = replace(heard, is_finished=True, was_cut=reason == "length")
    return heard


def _anthropic(event: Event, heard: Heard) -> Heard:
    match event.get("type"):
        case "content_block_start":
            block = _map(event.get("content_block"))
            return _with_call(heard, block.get("name"), "") if block.get("type") == "tool_use" else heard
        case "content_block_delta":
            delta = _map(event.get("delta"))
            if delta.get("type") == "input_json_delta":
                return _with_call(heard, None, delta.get("partial_json"))
            return _with_text(heard, delta.get("thinking"), delta.get("text"))
        case "message_delta":
            reason = _map(event.get("delta")).get("stop_reason")
            return replace(heard, is_finished=bool(reason), was_cut=reason == "max_tokens")
        case "message_stop":
            return replace(heard, is_closed=True)
    return heard


def _responses(event: Event, heard: Heard) -> Heard:
    kind = str(event.get("type", ""))
    item = _map(event.get("item"))
    if kind == "response.output_item.done" and item.get("type") == "function_call":
        return _with_call(heard, item.get("name"), item.get("arguments"))
    if kind.endswith("text.delta"):  # Of the answer, or of the thoughts.
        return _with_text(heard, event.get("delta"))
    if kind in ("response.completed", "response.incomplete"):
        return replace(heard, is_finished=True, is_closed=True, was_cut=kind == "response.incomplete")
    return heard


_READERS: Mapping[Api, Callable[[Event, Heard], Heard]] = {
    Api.OLLAMA: _ollama,
    Api.OPENAI: _openai,
    Api.ANTHROPIC: _anthropic,
    Api.RESPONSES: _responses,
}


def _with_text(heard: Heard, *texts: object) -> Heard:
    added = "".join(text for text in texts if isinstance(text, str))
    return replace(heard, text=(heard.text + added)[:_MOST_TEXT]) if added else heard


def _with_call(heard: Heard, name: object, arguments: object) -> Heard:
    """``heard`` with the name of a call, and more of its arguments. The first call is what counts."""
    if isinstance(name, str) and name:
        if heard.tool:
            return heard
        heard = replace(heard, tool=excerpt(name, 60))
    if isinstance(arguments, str) and arguments:
        heard = replace(heard, arguments=(heard.arguments + arguments)[:_MOST_ARGUMENTS])
    return heard


def _map(value: object) -> Event:
    return value if isinstance(value, Mapping) else {}


def _maps(value: object) -> list[Event]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
