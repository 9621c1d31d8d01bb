"""Writes an answer on standard output as it arrives."""

from __future__ import annotations

from contextlib import AsyncExitStack, aclosing
from typing import TYPE_CHECKING

from llmstack_tui.base.languages import tr
from llmstack_tui.cli import output
from llmstack_tui.cli.loading import loading

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from llmstack_tui.core.open import Core
    from llmstack_tui.core.stack import Stack
    from llmstack_tui.lifecycle.states import ModelStatus
    from llmstack_tui.providers.types import ChatRequest, Piece


async def answered(
    core: Core,
    options: Namespace,
    stack: Stack,
    status: ModelStatus,
    request: ChatRequest,
    *,
    on_piece: Callable[[Piece], None] = lambda _: None,
) -> list[Piece]:
    """The pieces of the answer; unless --json is given, each is written when it arrives.

    A model that is not loaded is loaded: call `Stack.prepare` before.
    """
    pieces: list[Piece] = []
    column_is_0 = True
    try:
        async with AsyncExitStack() as work:
            line = await work.enter_async_context(AsyncExitStack())
            confirm = await line.enter_async_context(
                loading(stack, status, options, core.environ, tr("Waiting for the answer"))
            )
            stream = stack.providers.chat(status.host, request, confirm=confirm)
            async for piece in await work.enter_async_context(aclosing(stream)):
                pieces.append(piece)
                on_piece(piece)
                if piece.text and not options.json:
                    await line.aclose()
                    output.write_text(piece.text, end="")
                    column_is_0 = piece.text.endswith("\n")
    finally:
        if not column_is_0:
            output.write("")
    return pieces
