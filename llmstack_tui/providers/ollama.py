"""Ollama's protocol as a provider: a real Ollama, or the built-in engine."""

from __future__ import annotations

import base64
import time
from contextlib import aclosing
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from llmstack_tui.base.durations import format_go_duration
from llmstack_tui.base.structs import replace
from llmstack_tui.base.text import excerpt
from llmstack_tui.hosts.errors import HostError
from llmstack_tui.ollama import answers, wire
from llmstack_tui.providers import abilities
from llmstack_tui.providers.batches import in_batches
from llmstack_tui.providers.calls import tool_call
from llmstack_tui.providers.failures import failure
from llmstack_tui.providers.prices import Cost
from llmstack_tui.providers.streams import answering, failing
from llmstack_tui.providers.types import (
    Ability,
    Ending,
    EndReason,
    Health,
    ModelFacts,
    Piece,
    Prefill,
    ToolCall,
)
from llmstack_tui.providers.usage import Usage

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from llmstack_tui.hosts.transport import Transport
    from llmstack_tui.providers.types import (
        ChatMessage,
        ChatRequest,
        EmbedRequest,
        Image,
        Parameters,
        TextRequest,
        Vectors,
    )

_REASONS = {"stop": EndReason.STOP, "length": EndReason.LENGTH}


class OllamaProvider:
    """The server that ``http`` leads to.

    Args:
        is_shared: whether ``http`` belongs to somebody else, who closes it.
    """

    abilities = ~Ability(0)

    def __init__(self, http: Transport, *, name: str = "ollama", is_shared: bool = False) -> None:
        self._http = http
        self._is_shared = is_shared
        self._can: dict[str, Ability] = {}
        self.name = name

    def chat(self, request: ChatRequest) -> AsyncGenerator[Piece, None]:
        return answering(self._chat(request), provider=self.name, model=request.model)

    def generate(self, request: TextRequest) -> AsyncGenerator[Piece, None]:
        return answering(self._generate(request), provider=self.name, model=request.model)

    async def embed(self, request: EmbedRequest) -> Vectors:
        async def ask(texts: Sequence[str]) -> tuple[tuple[tuple[float, ...], ...], int | None]:
            body = wire.WireEmbedRequest(model=request.model, input=list(texts))
            with failing(self.name, request.model):
                return await self._http.document(
                    "POST",
                    "/api/embed",
                    body,
                    wire.EmbedResponse,
                    lambda answer: (answers.embedded(answer), answer.prompt_eval_count),
                    limit_s=self._http.timeouts.load_s,
                    missing=request.model,
                )

        await self._check(request.model, Ability.EMBED)
        return await in_batches(request.texts, ask, provider=self.name)

    async def models(self) -> tuple[ModelFacts, ...]:
        with failing(self.name):
            found, _ = await self._http.document(
                "GET",
                "/api/tags",
                None,
                wire.ListResponse,
                answers.installed,
                limit_s=self._http.timeouts.short_s,
            )
        return tuple(
            ModelFacts(
                name=each.name,
                abilities=abilities.of_capabilities(each.capabilities),
                context_length=each.context_length,
            )
            for each in found
            if each.unusable is None
        )

    async def model(self, name: str) -> ModelFacts:
        with failing(self.name, name):
            details = await self._http.document(
                "POST",
                "/api/show",
                wire.ShowRequest(model=name),
                wire.ShowResponse,
                lambda answer: answers.details(name, answer),
                limit_s=self._http.timeouts.call_s,
                missing=name,
            )
        can = abilities.of_capabilities(details.capabilities)
        return ModelFacts(name=name, abilities=can, context_length=details.context_length)

    async def is_available(self) -> bool:
        return True

    async def health(self) -> Health:
        began_s, limit_s = time.monotonic(), self._http.timeouts.short_s
        try:
            await self._http.document(
                "GET", "/api/version", None, wire.VersionResponse, answers.server_version, limit_s=limit_s
            )
        except HostError as error:
            return Health(is_healthy=False, problem=str(failure(error, provider=self.name)))
        return Health(is_healthy=True, latency_s=time.monotonic() - began_s)

    def cost(self, model: str, usage: Usage) -> Cost | None:
        """Nothing; what Ollama's cloud takes for a model that runs there is not known."""
        return None if model.endswith("cloud") else Cost(prompt_usd=Decimal(0), answer_usd=Decimal(0))

    async def aclose(self) -> None:
        if not self._is_shared:
            await self._http.aclose()

    # --- parts of the above ---

    async def _chat(self, request: ChatRequest) -> AsyncGenerator[Piece, None]:
        can = await self._check(request.model, abilities.needed(request))
        body = wire.WireChatRequest(
            model=request.model,
            messages=[_message(each) for each in request.messages],
            tools=[_function(each.name, each.purpose, each.schema) for each in request.tools] or None,
            format=_format(request.schema),
            think=_think(request.reasoning, can),
            options=_options(request.parameters),
            keep_alive=_keep_alive(request.parameters),
            prefill=True,
        )
        lines = self._http.lines("/api/chat", body, wire.ChatResponse, _chatted, missing=request.model)
        has_calls = False
        async with aclosing(lines):
            async for piece in lines:
                has_calls = has_calls or bool(piece.tool_calls)
                yield _with_calls(piece) if has_calls else piece

    async def _generate(self, request: TextRequest) -> AsyncGenerator[Piece, None]:
        await self._check(request.model, abilities.needed(request))
        body = wire.GenerateRequest(
            model=request.model,
            prompt=request.prompt,
            system=request.system or None,
            raw=request.raw or None,
            images=_images(request.images),
            format=_format(request.schema),
            options=_options(request.parameters),
            keep_alive=_keep_alive(request.parameters),
            prefill=True,
        )
        lines = self._http.lines(
            "/api/generate", body, wire.GenerateResponse, _generated, missing=request.model
        )
        async with aclosing(lines):
            async for piece in lines:
                yield piece

    async def _check(self, model: str, needs: Ability) -> Ability | None:
        """What the model can do. What is remembered never refuses: the model may be another one by now."""
        can = self._can.get(model)
        if can is None or needs & ~can:
            can = (await self.model(model)).abilities
            if can is not None:
                self._can[model] = can
        abilities.check(can, needs, provider=self.name, model=model)
        return can


# --- requests ---


def _message(message: ChatMessage) -> wire.WireMessage:
    calls = [
        wire.WireToolCall(
            id=call.id or None,
            function=wire.WireToolFunction(name=call.name, arguments=dict(call.arguments or {})),
        )
        for call in message.tool_calls
    ]
    return wire.WireMessage(
        role=message.role.value,
        content=message.text,
        thinking=message.reasoning or None,
        images=_images(message.images),
        tool_calls=calls or None,
        tool_name=message.tool or None,
        tool_call_id=message.answers or None,
    )


def _function(name: str, purpose: str, schema: object) -> dict[str, object]:
    return {"type": "function", "function": {"name": name, "description": purpose, "parameters": schema}}


def _images(images: Sequence[Image]) -> list[str] | None:
    return [base64.b64encode(each.content).decode() for each in images] or None


def _format(schema: object) -> str | dict[str, object] | None:
    if not isinstance(schema, dict):
        return None
    return dict(schema) or "json"


def _think(reasoning: bool | str | None, can: Ability | None) -> bool | str | None:
    """A model that cannot think is not told to leave it, which older versions refuse."""
    if not reasoning and can is not None and Ability.REASONING not in can:
        return None
    return reasoning


def _options(parameters: Parameters) -> dict[str, object] | None:
    given = {
        "temperature": parameters.temperature,
        "num_predict": parameters.max_tokens,
        "top_p": parameters.top_p,
        "top_k": parameters.top_k,
        "seed": parameters.seed,
        "stop": list(parameters.stop) or None,
        "num_ctx": parameters.context_length,
    }
    return {**{name: value for name, value in given.items() if value is not None}, **parameters.more} or None


def _keep_alive(parameters: Parameters) -> str | int | None:
    seconds = parameters.keep_alive_s
    return None if seconds is None else -1 if seconds < 0 else format_go_duration(timedelta(seconds=seconds))


# --- answers ---


def _chatted(line: wire.ChatResponse) -> Piece:
    message = line.message or wire.WireMessage()
    calls = tuple(map(_call, message.tool_calls or ()))
    return _piece(line, message.content, message.thinking, calls)


def _generated(line: wire.GenerateResponse) -> Piece:
    return _piece(line, line.response, line.thinking)


def _piece(
    line: wire.PromptResponse, text: str | None, thinking: str | None, calls: tuple[ToolCall, ...] = ()
) -> Piece:
    return Piece(
        text=text or "",
        reasoning=thinking or "",
        tool_calls=calls,
        prefill=_prefill(line.prefill),
        ending=_ending(line) if line.done else None,
    )


def _prefill(found: wire.WirePrefill | None) -> Prefill | None:
    if found is None or not found.total:
        return None
    return Prefill(read=found.read or 0, total=found.total, cached=found.cached or 0)


def _call(call: wire.WireToolCall) -> ToolCall:
    function = call.function or wire.WireToolFunction()
    return tool_call(function.name or "", function.arguments or {}, call_id=call.id or "")


def _with_calls(piece: Piece) -> Piece:
    """Ollama says "stop" at the end of an answer with calls."""
    if piece.ending is None or piece.ending.reason is not EndReason.STOP:
        return piece
    return replace(piece, ending=replace(piece.ending, reason=EndReason.TOOLS))


def _ending(line: wire.PromptResponse) -> Ending:
    said = excerpt(line.done_reason or "")
    usage = Usage(
        prompt_tokens=line.prompt_eval_count,
        answer_tokens=line.eval_count,
        load_s=_seconds(line.load_duration),
        prompt_s=_seconds(line.prompt_eval_duration),
        answer_s=_seconds(line.eval_duration),
    )
    reason = _REASONS.get(said, EndReason.OTHER)
    return Ending(reason=reason, usage=usage, said=said, model=excerpt(line.model or ""))


def _seconds(nanoseconds: int | None) -> float | None:
    return None if nanoseconds is None else nanoseconds / 1e9
