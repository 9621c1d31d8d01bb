"""Answers as they come: timed, ended or an error, and put together."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING

from llmstack_tui.base.structs import replace
from llmstack_tui.hosts.errors import HostError
from llmstack_tui.providers.errors import BadAnswer, NotReachable
from llmstack_tui.providers.failures import failure
from llmstack_tui.providers.types import Answer, ChatMessage, Piece, Role

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from llmstack_tui.providers.types import Ending

GAP_S = 600.0
"""Seconds between two pieces of an answer that has begun: a tool call may be held back until it is whole."""


@contextmanager
def failing(provider: str, model: str = "") -> Iterator[None]:
    """Raise what HTTP raises as the error of a provider."""
    try:
        yield
    except HostError as error:
        raise failure(error, provider=provider, model=model) from None


async def answering(
    pieces: AsyncGenerator[Piece, None], *, provider: str, model: str, gap_s: float = GAP_S
) -> AsyncGenerator[Piece, None]:
    """The pieces up to the ending, which gets our times and the provider's name.

    Before the first token, only the limits of HTTP hold: a long prompt takes long.

    Raises:
        ProviderError: HTTP failed, the answer has no end, or nothing came for ``gap_s``.
    """
    began_s = time.monotonic()
    first_s: float | None = None
    async with aclosing(pieces):
        while True:
            try:
                async with asyncio.timeout(None if first_s is None else gap_s):
                    piece = await anext(pieces)
            except HostError as error:
                raise failure(error, provider=provider, model=model) from None
            except TimeoutError:
                raise NotReachable("providers.fell_silent", provider=provider, limit_s=gap_s) from None
            except StopAsyncIteration:
                raise BadAnswer("providers.no_end", provider=provider) from None
            if first_s is None and (piece.text or piece.reasoning or piece.tool_calls):
                first_s = time.monotonic() - began_s
            if piece.ending is not None:
                yield replace(piece, ending=_timed(piece.ending, provider, began_s, first_s))
                return
            yield piece


def _timed(ending: Ending, provider: str, began_s: float, first_s: float | None) -> Ending:
    usage = replace(ending.usage, first_s=first_s, total_s=time.monotonic() - began_s)
    return replace(ending, provider=provider, usage=usage)


async def whole(pieces: AsyncGenerator[Piece, None]) -> Answer:
    """All pieces of an answer as one; a stream without an ending raises by itself."""
    async with aclosing(pieces):
        return joined([piece async for piece in pieces])


def joined(pieces: list[Piece]) -> Answer:
    """Pieces put together.

    Raises:
        BadAnswer: the last one has no ending.
    """
    if not pieces or pieces[-1].ending is None:
        raise BadAnswer("providers.no_end", provider="")
    said = message_of(pieces)
    return Answer(
        text=said.text,
        reasoning=said.reasoning,
        signature=said.signature,
        tool_calls=said.tool_calls,
        ending=pieces[-1].ending,
    )


def message_of(pieces: list[Piece]) -> ChatMessage:
    """What pieces say, as a turn of the talk; it may be nothing."""
    return ChatMessage(
        role=Role.ASSISTANT,
        text="".join(piece.text for piece in pieces),
        reasoning="".join(piece.reasoning for piece in pieces),
        signature="".join(piece.signature for piece in pieces),
        tool_calls=tuple(call for piece in pieces for call in piece.tool_calls),
    )
