"""The answer of a model on one of the stack's servers, as pieces."""

from __future__ import annotations

import time
from contextlib import aclosing
from typing import TYPE_CHECKING

from msgspec.structs import asdict

from llmstack_tui.hosts.types import Message
from llmstack_tui.providers.types import Ending, EndReason, Piece
from llmstack_tui.providers.usage import Usage

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from llmstack_tui.guard.types import Confirm
    from llmstack_tui.hosts.types import Chunk
    from llmstack_tui.providers.types import ChatRequest, Parameters
    from llmstack_tui.tui.stack import DashboardStack
    from llmstack_tui.tui.view import Key

_NAMES = {"max_tokens": "num_predict", "context_length": "num_ctx"}


async def pieces(
    stack: DashboardStack, key: Key, request: ChatRequest, confirm: Confirm
) -> AsyncGenerator[Piece, None]:
    """As `ModelActions.chat`."""
    began_s, first_s = time.monotonic(), None
    messages = [Message(role=each.role, content=each.text) for each in request.messages]
    answer = stack.actions.chat(*key, messages, options=_options(request.parameters), confirm=confirm)
    async with aclosing(answer) as chunks:
        async for chunk in chunks:
            if first_s is None and (chunk.text or chunk.thinking):
                first_s = time.monotonic() - began_s
            ending = _ending(chunk, first_s, time.monotonic() - began_s) if chunk.done else None
            yield Piece(text=chunk.text, reasoning=chunk.thinking, ending=ending)


def _options(parameters: Parameters) -> dict[str, object]:
    given = asdict(parameters)
    more = given.pop("more")
    known = {_NAMES.get(name, name): value for name, value in given.items() if value not in (None, ())}
    return {**known, **more}


def _ending(chunk: Chunk, first_s: float | None, total_s: float) -> Ending:
    reason = EndReason.LENGTH if chunk.done_reason == "length" else EndReason.STOP
    usage = Usage(first_s=first_s, total_s=total_s)
    if (counted := chunk.usage) is not None:
        usage = Usage(
            prompt_tokens=counted.prompt_tokens,
            answer_tokens=counted.answer_tokens,
            load_s=counted.load.total_seconds(),
            prompt_s=counted.prompt.total_seconds(),
            answer_s=counted.answer.total_seconds(),
            first_s=first_s,
            total_s=total_s,
        )
    return Ending(reason=reason, usage=usage, said=chunk.done_reason or "")
