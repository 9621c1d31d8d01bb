"""Requests of OpenAI's Responses API, translated to Ollama's chat.

Translation and defaults are those of ``openai/responses.go`` in Ollama. It is kinder in a few things: items
and tools of kinds that it does not know are passed over, ``tool_choice`` is understood, and so are tools with
free text, which Codex has. What needs answers that were kept (``previous_response_id``) is refused: without
them, the conversation would be another one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from llmstack_tui.engine.api import conversation
from llmstack_tui.engine.api.conversation import JoinedTurns
from llmstack_tui.engine.api.openai_requests import think_of
from llmstack_tui.engine.errors import ApiError
from llmstack_tui.ollama.wire import WireChatRequest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from llmstack_tui.ollama.wire import WireToolCall

_ROLES = {"user": "user", "assistant": "assistant", "system": "system", "developer": "system"}
_CALLS = ("function_call", "custom_tool_call")
_FREE_TEXT: dict[str, object] = {
    "type": "object",
    "properties": {"input": {"type": "string"}},
    "required": ["input"],
}


class ItemPart(Struct, frozen=True):
    type: str = ""
    text: str = ""
    refusal: str = ""


class Item(Struct, frozen=True):
    """A message, a call of a tool, what it answered, or a thought: ``type`` says which."""

    type: str = "message"
    role: str = "user"
    content: str | list[ItemPart] = ""
    call_id: str = ""
    name: str = ""
    namespace: str = ""
    arguments: str | dict[str, object] = ""
    input: str = ""
    output: str | list[ItemPart] = ""
    summary: list[ItemPart] = []


class ResponsesTool(Struct, frozen=True, omit_defaults=True):
    """A function (also without a type), one with free text ("custom"), or a group ("namespace")."""

    type: str = ""
    name: str = ""
    description: str | None = None
    parameters: dict[str, object] | None = None
    strict: bool | None = None
    format: dict[str, object] | None = None
    tools: list[ResponsesTool] = []


class ToolName(Struct, frozen=True):
    """How a client calls a tool; the model knows it by one name. ``custom``: it takes free text."""

    name: str
    namespace: str = ""
    custom: bool = False

    @property
    def whole(self) -> str:
        beginning = f"{self.namespace}." if self.namespace else ""
        return self.name if self.name.startswith(beginning) else beginning + self.name


class ResponsesReasoning(Struct, frozen=True):
    effort: str | None = None
    summary: str | None = None


class TextFormat(Struct, frozen=True, omit_defaults=True):
    type: str
    name: str | None = None
    schema: dict[str, object] | None = None
    strict: bool | None = None


class TextOptions(Struct, frozen=True):
    format: TextFormat = TextFormat("text")


class ResponsesRequest(Struct, frozen=True, kw_only=True):
    """``POST /v1/responses``."""

    model: str = ""
    input: str | list[Item] = ""
    instructions: str = ""
    stream: bool = False
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    tools: list[ResponsesTool] = []
    tool_choice: str | dict[str, object] = "auto"
    reasoning: ResponsesReasoning = ResponsesReasoning()
    text: TextOptions = TextOptions()
    previous_response_id: str | None = None
    conversation: object = None

    @property
    def must_call(self) -> bool:
        """Whether the answer has to be a call of a tool."""
        return self.tool_choice == "required" or _chosen_name(self.tool_choice) is not None

    @property
    def has_answers(self) -> bool:
        """Whether the conversation has answers, which a client could sum up to shorten it."""
        items = self.input if isinstance(self.input, list) else []
        return any(item.role == "assistant" or item.type in _CALLS for item in items)

    def tool_names(self) -> Mapping[str, ToolName]:
        """The tools by the names that the model knows."""
        return {name.whole: name for name, _ in _flat(self.tools)}


def chat_request(request: ResponsesRequest) -> WireChatRequest:
    """Translate to a request to Ollama's chat.

    Raises:
        ApiError: something is missing, or not supported.
    """
    for name, value in (
        ("previous_response_id", request.previous_response_id),
        ("conversation", request.conversation),
    ):
        if value:
            raise ApiError(400, f"{name} cannot be used here, as no answers are kept: send the whole input.")
    if request.max_output_tokens is not None and request.max_output_tokens <= 0:
        raise ApiError(400, "max_output_tokens must be positive")
    turns = _conversation(request).turns
    if not turns:
        raise ApiError(400, "input is required: a text, or a list of items")
    options = {
        # OpenAI's default takes precedence over the model's own.
        "temperature": 1.0 if request.temperature is None else request.temperature,
        "top_p": request.top_p,
        "num_predict": request.max_output_tokens,
    }
    tools = _tools(request)
    if request.must_call and not tools:
        raise ApiError(400, "tool_choice asks for a tool, and the request has none.")
    return WireChatRequest(
        model=request.model,
        messages=turns,
        stream=request.stream,
        format=_format(request.text.format),
        tools=tools or None,
        options={name: value for name, value in options.items() if value is not None},
        think=think_of(request.reasoning.effort),
    )


def _format(wanted: TextFormat) -> str | dict[str, object] | None:
    return "json" if wanted.type == "json_object" else wanted.schema


def _tools(request: ResponsesRequest) -> list[dict[str, object]]:
    if request.tool_choice == "none":
        return []
    known = [
        conversation.function(
            name.whole, tool.description, _FREE_TEXT if name.custom else tool.parameters or {}
        )
        for name, tool in _flat(request.tools)
    ]
    left_out = [tool.type for tool in request.tools if not any(_flat([tool]))]
    tools = conversation.offered(known, left_out)
    name = _chosen_name(request.tool_choice)
    return tools if name is None else conversation.chosen(tools, name)


def _flat(tools: list[ResponsesTool], namespace: str = "") -> Iterator[tuple[ToolName, ResponsesTool]]:
    """The tools that a client runs itself; those of a group, too."""
    for tool in tools:
        if tool.type == "namespace":
            yield from _flat(tool.tools, tool.name)
        elif tool.type in ("", "function", "custom"):
            yield ToolName(tool.name, namespace, custom=tool.type == "custom"), tool


def _chosen_name(choice: str | dict[str, object]) -> str | None:
    """The name of the tool that has to be called."""
    if isinstance(choice, str) or choice.get("type") not in ("function", "custom"):
        return None
    return str(choice.get("name"))


def _conversation(request: ResponsesRequest) -> JoinedTurns:
    said = JoinedTurns()
    if request.instructions:
        said.say("system", request.instructions)
    items = request.input
    if isinstance(items, str):
        items = [Item(content=items)] if items else []
    thinking = ""
    for item in items:
        if item.type == "reasoning":
            thinking = _text(item.summary) or _text(item.content)
        elif item.type == "message" or item.type in _CALLS:
            calls = [_call(item)] if item.type in _CALLS else []
            role = "assistant" if calls else _role(item)
            thought = thinking if role == "assistant" else ""
            said.say(role, "" if calls else _text(item.content), thinking=thought, calls=calls)
            thinking = ""
        elif item.type.endswith("_call_output"):
            said.answer(item.call_id, _text(item.output))
    return said


def _role(item: Item) -> str:
    if (role := item.role.strip().lower()) in _ROLES:
        return _ROLES[role]
    raise ApiError(400, f"input: {role[:80]!r} is no role: there are {', '.join(_ROLES)}.")


def _call(item: Item) -> WireToolCall:
    if not item.name or not item.call_id:
        raise ApiError(400, f"An item of the type {item.type} needs a call_id and a name.")
    name = ToolName(item.name, item.namespace).whole
    if item.type == "custom_tool_call":
        return conversation.tool_call(item.call_id, name, {"input": item.input})
    arguments = item.arguments
    if isinstance(arguments, str):
        try:
            arguments = msgspec.json.decode(arguments or "{}", type=dict[str, object])
        except msgspec.MsgspecError:
            raise ApiError(400, "invalid tool call arguments") from None
    return conversation.tool_call(item.call_id, name, arguments)


def _text(content: str | list[ItemPart]) -> str:
    if isinstance(content, str):
        return content
    return conversation.text_of((part.type, part.text or part.refusal) for part in content)
