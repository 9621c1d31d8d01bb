"""Anthropic's requests, translated to Ollama's chat.

Translation and refusals are those of ``anthropic/`` and ``middleware/anthropic.go`` in Ollama. Three things
more are understood: ``tool_choice``, the JSON schema of ``output_config``, and documents of plain text. What
Anthropic's servers run themselves is not there: see `conversation.offered`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.structs import replace
from llmstack_tui.engine.api import conversation
from llmstack_tui.engine.api.conversation import JoinedTurns
from llmstack_tui.engine.errors import ApiError
from llmstack_tui.ollama.wire import WireChatRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROLES = ("user", "assistant", "system")
_THINK: dict[str, bool] = {"enabled": True, "disabled": False}
_EFFORTS = {"low": "low", "medium": "medium", "high": "high", "xhigh": "high", "max": "max"}
# Claude Code begins its system message with this line, which is another one in each request: nothing of the
# prompt could be reused.
_BILLING = "x-anthropic-billing-header:"


class DocumentSource(Struct, frozen=True):
    """Of a document: its ``type`` is "text", or how it is encoded."""

    type: str = ""
    data: str = ""


class Block(Struct, frozen=True):
    """A part of a message; ``content`` is that of a result."""

    type: str = "text"
    text: str | None = None
    thinking: str | None = None
    id: str = ""
    name: str = ""
    input: dict[str, object] | None = None
    tool_use_id: str = ""
    content: str | list[Block] | dict[str, object] | None = None
    source: DocumentSource | None = None


class MessageParam(Struct, frozen=True):
    role: str = "user"
    content: str | list[Block] = ""


class AnthropicTool(Struct, frozen=True):
    type: str = "custom"
    name: str = ""
    description: str = ""
    input_schema: dict[str, object] | None = None


class ToolChoice(Struct, frozen=True):
    type: str = "auto"
    name: str = ""


class Thinking(Struct, frozen=True):
    type: str = ""


class OutputFormat(Struct, frozen=True):
    schema: dict[str, object] | None = None


class OutputConfig(Struct, frozen=True):
    effort: str = ""
    format: OutputFormat | None = None


class MessagesRequest(Struct, frozen=True, kw_only=True):
    """``POST /v1/messages``, and ``/v1/messages/count_tokens``, which has no ``max_tokens``."""

    model: str = ""
    max_tokens: int | None = None
    messages: list[MessageParam] = []
    system: str | list[Block] | None = None
    stream: bool = False
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop_sequences: list[str] | None = None
    tools: list[AnthropicTool] = []
    tool_choice: ToolChoice = ToolChoice()
    thinking: Thinking | None = None
    output_config: OutputConfig | None = None

    @property
    def must_call(self) -> bool:
        """Whether the answer has to be a call of a tool."""
        return self.tool_choice.type in ("any", "tool")


def chat_request(request: MessagesRequest) -> WireChatRequest:
    """Translate to a request to Ollama's chat.

    Raises:
        ApiError: something is missing, or not supported.
    """
    if request.max_tokens is None or request.max_tokens <= 0:
        raise ApiError(400, "max_tokens is required and must be positive")
    if not request.messages:
        raise ApiError(400, "messages is required")
    options = {
        "num_predict": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "top_k": request.top_k,
        "stop": request.stop_sequences,
    }
    output = request.output_config or OutputConfig()
    tools = _tools(request)
    if request.must_call and not tools:
        raise ApiError(400, "tool_choice asks for a tool, and the request has none.")
    return WireChatRequest(
        model=request.model,
        messages=_conversation(request).turns,
        stream=request.stream,
        format=output.format.schema if output.format else None,
        tools=tools or None,
        options={name: value for name, value in options.items() if value is not None},
        think=_think(request.thinking, output.effort),
    )


def count_request(request: MessagesRequest) -> WireChatRequest:
    """The same for a request that only counts tokens."""
    return chat_request(replace(request, max_tokens=1))


def _think(wanted: Thinking | None, effort: str) -> bool | str | None:
    decided = _THINK.get(wanted.type) if wanted else None
    return _EFFORTS.get(effort.strip().lower()) if decided is None else decided


def _tools(request: MessagesRequest) -> list[dict[str, object]]:
    if request.tool_choice.type == "none":
        return []
    own = [tool for tool in request.tools if tool.type == "custom" or tool.input_schema is not None]
    tools = [conversation.function(tool.name, tool.description, tool.input_schema or {}) for tool in own]
    tools = conversation.offered(tools, [tool.type for tool in request.tools if tool not in own])
    return (
        conversation.chosen(tools, request.tool_choice.name) if request.tool_choice.type == "tool" else tools
    )


def _conversation(request: MessagesRequest) -> JoinedTurns:
    said = JoinedTurns()
    if system := _text(request.system):
        said.say("system", system)
    for message in request.messages:
        role = message.role.strip().lower()
        if role not in _ROLES:
            raise ApiError(400, f"messages: {role[:80]!r} is no role: there are {', '.join(_ROLES)}.")
        _add(said, role, message.content)
    return said


def _add(said: JoinedTurns, role: str, content: str | list[Block]) -> None:
    blocks = [Block(text=content)] if isinstance(content, str) else content
    rest = []
    for block in blocks:
        if block.type.endswith("tool_result"):
            said.answer(block.tool_use_id, _text(block.content))
        else:
            rest.append(block)
    if blocks and not rest:
        return
    calls = [
        conversation.tool_call(block.id, block.name, block.input or {})
        for block in rest
        if block.type.endswith("tool_use")
    ]
    if any(not (call.id and call.function and call.function.name) for call in calls):
        raise ApiError(400, "A tool_use block needs an id and a name.")
    thinking = "\n".join(block.thinking for block in rest if block.type == "thinking" and block.thinking)
    said.say(role, _text(rest), thinking=thinking, calls=calls)


def _text(content: str | Sequence[Block] | dict[str, object] | None) -> str:
    if content is None or isinstance(content, str | dict):
        return content if isinstance(content, str) else ""
    return conversation.text_of((block.type, _block_text(block)) for block in content)


def _block_text(block: Block) -> str:
    if block.type == "document" and block.source and block.source.type == "text":
        return block.source.data
    text = block.text or ""
    return "" if text.startswith(_BILLING) else text
