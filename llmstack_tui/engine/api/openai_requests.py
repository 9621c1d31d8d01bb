"""OpenAI's requests, translated to Ollama's.

Defaults and translation are those of ``openai/openai.go`` in Ollama, with these differences: the text parts
of a message are joined; the role "developer" becomes "system", which more templates know; an answer may have
neither text nor calls; thoughts may come as ``reasoning_content``, too, as Zed and Cline send them;
``max_completion_tokens`` and ``tool_choice`` are supported.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from llmstack_tui.engine.api import conversation
from llmstack_tui.engine.errors import NO_IMAGES, ApiError
from llmstack_tui.ollama.wire import (
    GenerateRequest,
    WireChatRequest,
    WireEmbedRequest,
    WireMessage,
    WireToolCall,
    WireToolFunction,
)

_EFFORTS: dict[str, bool | str] = {
    "none": False,
    "minimal": "low",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "max": "max",
    "xhigh": "max",
    "ultra": "max",
}


class StreamOptions(Struct, frozen=True):
    include_usage: bool | None = None


class JsonSchema(Struct, frozen=True):
    schema: dict[str, object] | None = None


class ResponseFormat(Struct, frozen=True):
    type: str = "text"
    json_schema: JsonSchema | None = None


class Reasoning(Struct, frozen=True):
    effort: str | None = None


class OpenAIFunction(Struct, frozen=True):
    name: str = ""
    arguments: str = ""


class OpenAIToolCall(Struct, frozen=True):
    id: str | None = None
    function: OpenAIFunction = OpenAIFunction()


class OpenAIMessage(Struct, frozen=True):
    role: str = "user"
    content: str | list[dict[str, Any]] | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None
    tool_calls: list[OpenAIToolCall] | None = None
    name: str | None = None
    tool_call_id: str | None = None


class GenerationRequest(Struct, frozen=True, kw_only=True):
    """The fields that chats and completions share."""

    model: str = ""
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: int | None = None
    seed: int | None = None
    stop: object = None
    temperature: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    top_p: float | None = None


class ChatCompletionRequest(GenerationRequest, frozen=True, kw_only=True):
    messages: list[OpenAIMessage] = []
    max_completion_tokens: int | None = None
    response_format: ResponseFormat | None = None
    tools: list[dict[str, object]] | None = None
    tool_choice: object = None
    reasoning: Reasoning | None = None
    reasoning_effort: str | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None

    @property
    def must_call(self) -> bool:
        """Whether the answer has to be a call of a tool."""
        return bool(self.tools) and (self.tool_choice == "required" or self.chosen_tool is not None)

    @property
    def chosen_tool(self) -> str | None:
        """The name of the tool that has to be called. Another choice is passed over, as in Ollama."""
        choice = self.tool_choice if isinstance(self.tool_choice, dict) else {}
        function = choice.get("function")
        name = function.get("name") if isinstance(function, dict) else None
        return name if isinstance(name, str) else None


class CompletionRequest(GenerationRequest, frozen=True, kw_only=True):
    prompt: str | list[str] = ""
    suffix: str | None = None
    logprobs: int | None = None


class EmbeddingsRequest(Struct, frozen=True, kw_only=True):
    model: str = ""
    input: str | list[str] | None = None
    dimensions: int | None = None
    encoding_format: str | None = None


def chat_request(request: ChatCompletionRequest) -> WireChatRequest:
    """Translate to a request to Ollama's chat.

    Raises:
        ApiError: something in the request is not supported.
    """
    if not request.messages:
        raise ApiError(400, "[] is too short - 'messages'")
    effort = request.reasoning.effort if request.reasoning else request.reasoning_effort
    return WireChatRequest(
        model=request.model,
        messages=[_message(message) for message in request.messages],
        stream=bool(request.stream),
        format=_format(request.response_format),
        tools=_tools(request),
        options=_options(request, request.max_completion_tokens or request.max_tokens),
        think=think_of(effort),
        logprobs=request.logprobs,
        top_logprobs=request.top_logprobs,
    )


def generate_request(request: CompletionRequest) -> GenerateRequest:
    """Translate to a request to Ollama's generate. As in Ollama, the prompt goes through the chat template.

    Raises:
        ApiError: something in the request is not supported.
    """
    if isinstance(request.prompt, list) and len(request.prompt) != 1:
        raise ApiError(400, "a list of prompts is not supported: send one request for each")
    return GenerateRequest(
        model=request.model,
        prompt=request.prompt if isinstance(request.prompt, str) else request.prompt[0],
        stream=bool(request.stream),
        suffix=request.suffix,
        options=_options(request, request.max_tokens),
        logprobs=bool(request.logprobs),
        top_logprobs=request.logprobs or None,
    )


def embed_request(request: EmbeddingsRequest) -> WireEmbedRequest:
    """Translate to a request to Ollama's embed.

    Raises:
        ApiError: something in the request is not supported.
    """
    if request.encoding_format and request.encoding_format.lower() not in ("float", "base64"):
        raise ApiError(
            400,
            f"Invalid value for 'encoding_format' = {request.encoding_format}. "
            "Supported values: ['float', 'base64'].",
        )
    if not request.input:
        raise ApiError(400, "invalid input")
    texts = [request.input] if isinstance(request.input, str) else request.input
    return WireEmbedRequest(model=request.model, input=texts, dimensions=request.dimensions)


def think_of(effort: str | None) -> bool | str | None:
    """How much to think, in Ollama's words.

    Raises:
        ApiError: it is not known.
    """
    if effort and effort not in _EFFORTS:
        raise ApiError(400, f'invalid reasoning value: "{effort}" (must be one of {", ".join(_EFFORTS)})')
    return _EFFORTS[effort] if effort else None


def _options(request: GenerationRequest, limit: int | None) -> dict[str, object]:
    # OpenAI's defaults take precedence over the model's own parameters.
    options: dict[str, object] = {"temperature": 1.0, "top_p": 1.0}
    given = {
        "num_predict": limit,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "seed": request.seed,
        "frequency_penalty": request.frequency_penalty,
        "presence_penalty": request.presence_penalty,
        "stop": _stops(request.stop) or None,
    }
    return options | {name: value for name, value in given.items() if value is not None}


def _stops(wanted: object) -> list[str]:
    """A text or a list of texts. What is neither is passed over, as in Ollama."""
    found = wanted if isinstance(wanted, list) else [wanted]
    return [each for each in found if isinstance(each, str)]


def _format(wanted: ResponseFormat | None) -> str | dict[str, object] | None:
    if wanted is None:
        return None
    if wanted.type == "json_object":
        return "json"
    if wanted.type == "json_schema" and wanted.json_schema:
        return wanted.json_schema.schema
    return None


def _tools(request: ChatCompletionRequest) -> list[dict[str, object]] | None:
    if not request.tools or request.tool_choice == "none":
        return None
    name = request.chosen_tool
    return request.tools if name is None else conversation.chosen(request.tools, name)


def _message(message: OpenAIMessage) -> WireMessage:
    if message.content is None and message.tool_calls is None and message.role != "assistant":
        raise ApiError(400, "invalid message content type: <nil>")
    return WireMessage(
        role="system" if message.role == "developer" else message.role,
        content=_text(message.content),
        thinking=message.reasoning or message.reasoning_content,
        tool_calls=[_tool_call(call) for call in message.tool_calls] if message.tool_calls else None,
        tool_name=message.name,
        tool_call_id=message.tool_call_id,
    )


def _text(content: str | list[dict[str, Any]] | None) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    texts = []
    for part in content:
        text = part.get("text")
        if part.get("type") in ("image_url", "input_audio"):
            raise ApiError(400, NO_IMAGES)
        if part.get("type") != "text" or not isinstance(text, str):
            raise ApiError(400, "invalid message format")
        texts.append(text)
    return "\n".join(texts)


def _tool_call(call: OpenAIToolCall) -> WireToolCall:
    try:
        arguments = msgspec.json.decode(call.function.arguments or "{}", type=dict[str, object])
    except msgspec.MsgspecError:
        raise ApiError(400, "invalid tool call arguments") from None
    return WireToolCall(id=call.id, function=WireToolFunction(name=call.function.name, arguments=arguments))
