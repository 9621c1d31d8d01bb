"""The request of a test: streamed, with a tool, in the shape in which clients of that protocol send it. Pure.

After the sources that ``tests/engine/api/editors.py`` names: what each client sends, shortened to a
question that one call of a tool answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.editors.types import Api

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmstack_tui.editors.types import Endpoint

Json = dict[str, object]

MOST_TOKENS = 512
"""The longest answer: enough for a call after some thoughts, and soon over where a model only talks."""

_SYSTEM = "You are an agent in an editor. Use the tools that you have."
_QUESTION = "How many lines does the file README.md have? Call the tool count_lines to find out."
_NAME, _DOES = "count_lines", "Counts the lines of a file."
_SCHEMA: Json = {
    "type": "object",
    "properties": {"path": {"type": "string", "description": "The path of the file."}},
    "required": ["path"],
    "additionalProperties": False,
}
_FUNCTION: Json = {"name": _NAME, "description": _DOES, "parameters": _SCHEMA}
_MESSAGES: list[Json] = [{"role": "system", "content": _SYSTEM}, {"role": "user", "content": _QUESTION}]


def headers(api: Api) -> Mapping[str, str]:
    """What the request has besides its type and the key."""
    return {"anthropic-version": "2023-06-01"} if api is Api.ANTHROPIC else {}


def body(api: Api, endpoint: Endpoint) -> Json:
    """The request. A model that is known to have no tools gets none."""
    has_tools = endpoint.has_tools is not False
    match api:
        case Api.OLLAMA:
            return _ollama(endpoint, has_tools=has_tools)
        case Api.OPENAI:
            return _openai(endpoint, has_tools=has_tools)
        case Api.ANTHROPIC:
            return _anthropic(endpoint, has_tools=has_tools)
        case Api.RESPONSES:
            return _responses(endpoint, has_tools=has_tools)


def _ollama(endpoint: Endpoint, *, has_tools: bool) -> Json:
    # Continue and Cline send the context length that their settings name: another would load the model again.
    context = {"num_ctx": endpoint.context_length} if endpoint.context_length else {}
    return {
        "model": endpoint.model,
        "messages": _MESSAGES,
        "stream": True,
        "options": {"num_predict": MOST_TOKENS, **context},
        **({"tools": [{"type": "function", "function": _FUNCTION}]} if has_tools else {}),
    }


def _openai(endpoint: Endpoint, *, has_tools: bool) -> Json:
    tools = {"tools": [{"type": "function", "function": _FUNCTION}], "tool_choice": "auto"}
    return {
        "model": endpoint.model,
        "messages": _MESSAGES,
        "max_tokens": MOST_TOKENS,
        "stream": True,
        "stream_options": {"include_usage": True},
        **(tools if has_tools else {}),
    }


def _anthropic(endpoint: Endpoint, *, has_tools: bool) -> Json:
    tool = {"name": _NAME, "description": _DOES, "input_schema": _SCHEMA}
    return {
        "model": endpoint.model,
        "max_tokens": MOST_TOKENS,
        "stream": True,
        "system": [{"type": "text", "text": _SYSTEM, "cache_control": {"type": "ephemeral"}}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": _QUESTION}]}],
        **({"tools": [tool], "tool_choice": {"type": "auto"}} if has_tools else {}),
        "metadata": {"user_id": "llmstack"},
    }


def _responses(endpoint: Endpoint, *, has_tools: bool) -> Json:
    text = {"type": "input_text", "text": _QUESTION}
    tools = {"tools": [{"type": "function", "strict": False, **_FUNCTION}], "tool_choice": "auto"}
    return {
        "model": endpoint.model,
        "instructions": _SYSTEM,
        "input": [{"type": "message", "role": "user", "content": [text]}],
        "max_output_tokens": MOST_TOKENS,
        "store": False,
        "stream": True,
        "parallel_tool_calls": False,
        **(tools if has_tools else {}),
    }
