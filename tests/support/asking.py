"""The shortest request to a model, and the beginning of its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.providers.types import ChatMessage, ChatRequest, Parameters, Piece, Role

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

DEFAULTS, GREEDY = Parameters(), Parameters(temperature=0)


def asking(model: str, text: str = "Hi", *, parameters: Parameters = DEFAULTS) -> ChatRequest:
    messages = (ChatMessage(role=Role.USER, text=text),)
    return ChatRequest(model=model, messages=messages, parameters=parameters)


async def first_text(pieces: AsyncGenerator[Piece, None]) -> str:
    """The next text of an answer; it is an error if there is none."""
    while not (piece := await anext(pieces)).text:
        pass
    return piece.text
