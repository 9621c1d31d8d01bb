"""One answer of a loaded model, from llama.cpp's events."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.structs import replace
from llmstack_tui.engine.errors import NO_GRAMMAR, UpstreamError
from llmstack_tui.engine.inference import prompt
from llmstack_tui.engine.inference.chunks import CompletionChunk, TokenLogprob, answer_tokens, decode, joined
from llmstack_tui.engine.inference.tagged_answer import TaggedAnswer
from llmstack_tui.engine.runners.runner import LastAnswer

if TYPE_CHECKING:
    from asyncio import Task
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence

    from llmstack_tui.engine.service import ModelSession

log = logging.getLogger(__name__)


class Done(Struct, frozen=True, kw_only=True):
    """The end of a completion.

    Attributes:
        reason: "stop" or "length"; "load" or "unload" for a request without a prompt.
        whole: all chunks joined, for an answer that is not streamed.
        context: the tokens of prompt and answer, which a client may send with its next prompt.
    """

    reason: str
    total_ns: int = 0
    load_ns: int = 0
    whole: CompletionChunk = CompletionChunk()
    context: list[int] | None = None


class Generation:
    """One request to a loaded model's process.

    Args:
        with_top: whether log probabilities come with the most probable tokens. llama.cpp always sends one.
        with_context: whether to find the tokens of prompt and answer.
        with_prefill: whether there are chunks that tell how far the prompt has been read.
    """

    def __init__(
        self,
        session: ModelSession,
        request: prompt.LlamaRequest,
        *,
        with_top: bool,
        with_context: bool,
        with_prefill: bool = False,
    ) -> None:
        self._with_prefill = with_prefill
        self._with_top = with_top
        self._with_context = with_context
        self._context: list[int] | None = None
        self._session = session
        # Routes that cannot return tokens pass over it.
        self._request = replace(request, body={**request.body, "return_tokens": with_context})
        self._chunks: list[CompletionChunk] = []
        self._text = ""
        self._asked_s = time.monotonic()
        self._first_s: float | None = None

    async def chunks(self, *, truncate: bool, may_cut: bool) -> AsyncGenerator[CompletionChunk, None]:
        """The chunks with text or log probabilities.

        A prompt longer than the context is truncated only after llama.cpp has refused it: counting tokens
        first would slow down all requests. Tools whose schemas cannot be kept to, or which the model calls
        otherwise, may be called with any arguments, as in Ollama.
        """
        while True:
            try:
                async with self._prompt() as written, aclosing(self._events()) as chunks:
                    async for chunk in chunks:
                        if self._first_s is None and (chunk.text or chunk.thinking):
                            self._first_s = time.monotonic() - self._asked_s
                        self._chunks.append(chunk)
                        shows = self._with_prefill and chunk.prefill is not None
                        if chunk.text or chunk.thinking or chunk.logprobs or shows:
                            yield chunk
                    if written is not None:
                        self._context = [*await written, *await self._answer_tokens()]
                return
            except UpstreamError as error:
                if self._first_s is not None:
                    raise
                if error.kind == NO_GRAMMAR and (free := prompt.with_free_tools(self._request)):
                    log.info("The tools' schemas are not kept to: %s", error)
                    self._request = free
                    continue
                if not truncate or error.kind != prompt.TOO_LONG:
                    raise
            truncate, session = False, self._session
            log.info("A prompt longer than the context of %d tokens is truncated", session.context_length)
            self._request = await prompt.truncated(
                session.runner, self._request, session.context_length, may_cut=may_cut
            )

    async def _events(self) -> AsyncGenerator[CompletionChunk, None]:
        """A chunk for each event, searched for the request's tags.

        What binds only the answer, such as a schema, takes a request of its own once the thinking is over.
        """
        runner, request = self._session.runner, self._request
        answer = TaggedAnswer(request.tags) if request.tags else None
        while True:
            async with aclosing(runner.stream(request.path, request.body)) as events:
                async for event in events:
                    chunk = decode(event)
                    self._text += chunk.text
                    if chunk.logprobs and not self._with_top:
                        chunk = replace(chunk, logprobs=_without_top(chunk.logprobs))
                    if answer is not None and chunk.prefill is None:
                        chunk = answer.read(chunk)
                        if answer.answers and request.after_thinking:
                            break
                    yield chunk
                else:
                    if answer is not None:
                        yield answer.rest()
                    return
            yield CompletionChunk(thinking=chunk.thinking)
            self._text = answer.thought(self._text)
            request = await prompt.after_thinking(runner, request, self._text)

    @asynccontextmanager
    async def _prompt(self) -> AsyncIterator[Task[list[int]] | None]:
        """The prompt's tokens, if they are needed: found while llama.cpp reads it."""
        if not self._with_context:
            yield None
            return
        finding = asyncio.create_task(prompt.tokens(self._session.runner, self._request))
        try:
            yield finding
        finally:
            finding.cancel()
            await asyncio.gather(finding, return_exceptions=True)

    async def _answer_tokens(self) -> Sequence[int]:
        found = answer_tokens(joined(self._chunks))
        if found is None:
            return await prompt.tokenize(self._session.runner, self._text, begins=False)
        return found

    def done(self, since_ns: int) -> Done:
        whole = joined(self._chunks)
        if (usage := whole.usage) is not None and usage.answer_ns and self._first_s is not None:
            per_second = usage.answer_tokens * 1e9 / usage.answer_ns
            self._session.runner.answer = LastAnswer(datetime.now(UTC), per_second, self._first_s)
        return Done(
            reason="length" if whole.finish == "length" else "stop",
            total_ns=time.monotonic_ns() - since_ns,
            load_ns=self._session.load_ns,
            whole=whole,
            context=self._context,
        )


def _without_top(logprobs: Sequence[TokenLogprob]) -> tuple[TokenLogprob, ...]:
    return tuple(replace(each, top=()) for each in logprobs)
