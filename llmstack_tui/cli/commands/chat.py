"""``llmstack chat``: one question, and the answer, written as it arrives."""

from __future__ import annotations

import sys
from contextlib import AsyncExitStack, aclosing
from typing import TYPE_CHECKING

from msgspec.structs import asdict

from llmstack_tui.base.languages import tr, tr_n
from llmstack_tui.base.system_errors import system_words
from llmstack_tui.cli import output
from llmstack_tui.cli.loading import add_room_option, loading
from llmstack_tui.cli.options import count
from llmstack_tui.cli.stacks import locate, look, opened
from llmstack_tui.hosts.types import Message
from llmstack_tui.lifecycle.states import ModelState

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Coroutine, Sequence

    from llmstack_tui.cli.parser import Parser
    from llmstack_tui.core.open import Core
    from llmstack_tui.core.stack import Stack
    from llmstack_tui.hosts.types import Chunk
    from llmstack_tui.lifecycle.states import ModelStatus


# As long as a long essay, or some minutes on a fast card. It includes what a model thinks.
_LIMIT = 16_384


def add_options(parser: Parser) -> None:
    parser.add_argument("name", metavar=tr("NAME"), help=tr("a model, as `llmstack ls` lists it"))
    parser.add_argument(
        "prompt", metavar=tr("PROMPT"), nargs="*", help=tr("the question (default: standard input)")
    )
    parser.add_argument("--system", metavar=tr("TEXT"), help=tr("a system prompt, before the question"))
    parser.add_argument(
        "--limit",
        metavar="N",
        type=count,
        default=_LIMIT,
        help=tr(
            "the most tokens of an answer, which some models would never end (default: {limit})",
            limit=str(_LIMIT),
        ),
    )
    add_room_option(parser)


def run(core: Core, options: Namespace) -> Coroutine[object, object, int]:
    # Read before the event loop runs: while that waits for standard input, it does not react to Ctrl-C.
    prompt = " ".join(options.prompt).strip() or _piped().strip()
    if not prompt:
        raise output.WrongUsage(
            tr(
                "There is no question: write it after the name, as in: llmstack chat {model} 'Why?'",
                model=options.name,
            )
        )
    return _chat(core, options, prompt)


async def _chat(core: Core, options: Namespace, prompt: str) -> int:
    messages = [Message(role="user", content=prompt)]
    if options.system:
        messages.insert(0, Message(role="system", content=options.system))
    async with opened(core, processes=True, start="owner") as stack:
        await look(stack)
        status = locate(stack, options.name, short=True)
        if status.running is None and status.state is not ModelState.CLOUD:
            await stack.prepare()
        chunks = await _answer(core, options, stack, status, messages)
    last = chunks[-1] if chunks else None
    if last is None or not last.done:
        raise output.Failed(
            tr("The server broke off in the middle of its answer: ask again, or see its log.")
        )
    if options.json:
        output.write_document(document(status, chunks, last))
    elif last.done_reason == "length":
        output.say(_cut_off(last, options.limit))
    return 0


def _cut_off(last: Chunk, limit: int) -> str:
    if last.usage is not None and last.usage.answer_tokens < limit:
        return tr("The answer is cut off: it has filled the model's context.")
    return tr_n(
        "The answer is cut off at 1 token: --limit N sets another limit.",
        "The answer is cut off at {count} tokens: --limit N sets another limit.",
        limit,
    )


def _piped() -> str:
    if sys.stdin is None or output.is_terminal(sys.stdin):
        return ""
    try:
        return sys.stdin.buffer.read().decode(errors="replace")
    except OSError as error:
        raise output.Failed(
            tr("Standard input cannot be read: {why}.", why=system_words(error.strerror or "?"))
        ) from None


async def _answer(
    core: Core, options: Namespace, stack: Stack, status: ModelStatus, messages: list[Message]
) -> list[Chunk]:
    """The pieces of the answer; unless --json is given, each is written when it arrives."""
    chunks: list[Chunk] = []
    column_is_0 = True
    try:
        async with AsyncExitStack() as reading:
            line = await reading.enter_async_context(AsyncExitStack())
            confirm = await line.enter_async_context(
                loading(stack, status, options, core.environ, tr("Waiting for the answer"))
            )
            limits = {"num_predict": options.limit}
            stream = stack.actions.chat(status.host, status.name, messages, options=limits, confirm=confirm)
            async for chunk in await reading.enter_async_context(aclosing(stream)):
                chunks.append(chunk)
                if chunk.text and not options.json:
                    await line.aclose()
                    output.write_text(chunk.text, end="")
                    column_is_0 = chunk.text.endswith("\n")
    finally:
        if not column_is_0:
            output.write("")
    return chunks


def document(status: ModelStatus, chunks: Sequence[Chunk], last: Chunk) -> dict[str, object]:
    usage = last.usage
    return {
        "host": status.host,
        "name": status.name,
        "answer": "".join(chunk.text for chunk in chunks),
        "thinking": "".join(chunk.thinking for chunk in chunks),
        "done_reason": last.done_reason,
        "usage": None if usage is None else asdict(usage) | {"tokens_per_second": usage.tokens_per_second},
    }
