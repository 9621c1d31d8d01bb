"""Requests in the terms of Google's Gemini API.

Sources: ai.google.dev, "Generating content", "Gemini thinking", "Thought signatures", "Function calling",
"Safety settings" (2026-11); ``google/genai/types.py`` of googleapis/python-genai at 6680718.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from llmstack_tui.providers.calls import is_ours
from llmstack_tui.providers.turns import given, in_turns, system_text, with_more
from llmstack_tui.providers.types import ChatMessage, Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmstack_tui.providers.types import ChatRequest, Image, ToolCall

_HARMS = ("HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT")
# Tokens, for models before Gemini 3; -1 leaves it to the model. "Pro" cannot do without.
_BUDGETS = {"low": 1024, "medium": 8192, "high": 24_576}
_LEAST_OF_PRO = 128
_GENERATION = re.compile(r"gemini-([0-9]+)")
# Of a call that another model has made, or that has lost its signature: "Thought signatures", FAQ.
_NO_SIGNATURE = "skip_thought_signature_validator"
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")


def path_of(model: str) -> str:
    """The resource of a model; nothing in a name leads elsewhere."""
    folder, _, name = model.rpartition("/")
    known = folder if folder in ("models", "tunedModels") else ""
    return f"{known}/{quote(name, safe='')}" if known else f"models/{quote(model, safe='')}"


def content_body(request: ChatRequest, threshold: str = "") -> dict[str, object]:
    """``generateContent`` and ``streamGenerateContent``.

    Args:
        threshold: from which probability on an answer is refused, for every kind of harm, such as
            ``BLOCK_ONLY_HIGH``; "" leaves it to the service.
    """
    is_third = _is_third(request.model)
    system = system_text(request.messages)
    declared = [
        given(name=tool.name, description=tool.purpose, parametersJsonSchema=tool.schema)
        for tool in request.tools
    ]
    body = given(
        contents=[
            {"role": "model" if is_model else "user", "parts": parts}
            for is_model, parts in in_turns(request.messages, lambda message: _parts(message, is_third))
        ],
        systemInstruction={"parts": [{"text": system}]} if system else None,
        tools=[{"functionDeclarations": declared}] if declared else None,
        generationConfig=_settings(request),
        safetySettings=[
            {"category": f"HARM_CATEGORY_{harm}", "threshold": threshold} for harm in _HARMS if threshold
        ],
    )
    return with_more(body, request.parameters.more)


def count_body(request: ChatRequest) -> dict[str, object]:
    """``countTokens``."""
    return {"generateContentRequest": {"model": path_of(request.model), **content_body(request)}}


def embed_body(model: str, texts: Sequence[str]) -> dict[str, object]:
    """``batchEmbedContents``."""
    name = path_of(model)
    return {"requests": [{"model": name, "content": {"parts": [{"text": text}]}} for text in texts]}


def _settings(request: ChatRequest) -> dict[str, object]:
    wanted = request.parameters
    return given(
        temperature=wanted.temperature,
        maxOutputTokens=wanted.max_tokens,
        topP=wanted.top_p,
        topK=wanted.top_k,
        seed=wanted.seed,
        stopSequences=list(wanted.stop),
        responseMimeType=None if request.schema is None else "application/json",
        responseJsonSchema=request.schema or None,
        thinkingConfig=_thinking(request),
    )


def _thinking(request: ChatRequest) -> dict[str, object] | None:
    wanted = request.reasoning
    if wanted is None:
        return None
    if _is_third(request.model):
        level = wanted if isinstance(wanted, str) else "" if wanted else "low"
        return given(includeThoughts=bool(wanted), thinkingLevel=level.upper())
    if not wanted:
        return {"thinkingBudget": _LEAST_OF_PRO if "pro" in request.model else 0}
    return {"includeThoughts": True, "thinkingBudget": _BUDGETS.get(str(wanted), -1)}


def _is_third(model: str) -> bool:
    """Whether a model is of the third generation or later, which thinks by levels and signs its calls."""
    found = _GENERATION.search(model)
    return bool(found and int(found[1]) >= 3) or model.rpartition("/")[2].endswith("-latest")


def _parts(message: ChatMessage, is_third: bool) -> list[dict[str, object]]:
    if message.role is Role.TOOL:
        own = "" if is_ours(message.answers) else message.answers
        answer = given(id=own, name=message.tool, response={"output": message.text})
        return [{"functionResponse": answer}, *map(_image, message.images)]
    text = [given(text=message.text, thoughtSignature=_signature(message))] if message.text else []
    if message.role is Role.ASSISTANT:
        calls = [_call(call, needs=is_third and not index) for index, call in enumerate(message.tool_calls)]
        return [*text, *calls]
    return [*text, *map(_image, message.images)]


def _image(image: Image) -> dict[str, object]:
    data = base64.b64encode(image.content).decode()
    return {"inlineData": {"mimeType": image.media_type, "data": data}}


def _call(call: ToolCall, *, needs: bool) -> dict[str, object]:
    """A call. The first one of an answer ``needs`` a signature."""
    own = "" if is_ours(call.id) else call.id
    written = {"INVALID_JSON": call.written} if call.arguments is None else call.arguments
    signed = call.signature or (_NO_SIGNATURE if needs else "")
    return given(functionCall={**given(id=own, name=call.name), "args": written}, thoughtSignature=signed)


def _signature(message: ChatMessage) -> str:
    """The signature of a text, if it is Gemini's: Anthropic's is JSON."""
    of_model = message.role is Role.ASSISTANT and _BASE64.fullmatch(message.signature)
    return message.signature if of_model else ""
