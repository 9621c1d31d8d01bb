"""``llmstack chat``: one question, and its answer as it comes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from llmstack_tui.base.text import clean_lines
from llmstack_tui.cli import output
from llmstack_tui.cli.options import add_command

if TYPE_CHECKING:
    from llmstack_tui.cli.options import Commands, Invocation
    from llmstack_tui.cli.servers import Located
    from llmstack_tui.hosts.types import Chunk, Message, Usage


def add_parser(commands: Commands) -> None:
    parser = add_command(commands, "chat", run, "Ask a model one question; it is loaded if need be.")
    parser.add_argument("name", metavar="NAME", help="a model, as `llmstack ls` lists it")
    parser.add_argument("prompt", metavar="PROMPT", nargs="*", help="the question (default: standard input)")
    parser.add_argument("--system", metavar="TEXT", help="what the model is told before the question")


def run(call: Invocation) -> int:
    import asyncio

    prompt = " ".join(call.options.prompt).strip() or _piped().strip()
    if not prompt:
        raise output.WrongUsage(
            f"There is no question: write it after the name, as in: llmstack chat {call.options.name} 'Why?'"
        )
    return asyncio.run(_chat(call, prompt))


def _piped() -> str:
    if sys.stdin is None or output.is_terminal(sys.stdin):
        return ""
    try:
        return sys.stdin.buffer.read().decode(errors="replace")
    except OSError as error:
        raise output.Failed(f"Standard input cannot be read: {error.strerror}.") from None


async def _chat(call: Invocation, prompt: str) -> int:
    from llmstack_tui.cli.servers import connect, locate
    from llmstack_tui.hosts.types import Message

    messages = [Message(role="user", content=prompt)]
    if call.options.system:
        messages.insert(0, Message(role="system", content=call.options.system))
    async with connect(call) as hosts:
        located = await locate(hosts, call.options.name)
        chunks = await _answer(call, located, messages)
    last = chunks[-1] if chunks else None
    if last is None or not last.done:
        raise output.Failed("The server ended its answer in the middle: ask again, or look into its log.")
    if call.json:
        output.write_document(
            {
                "host": located.host.url,
                "name": located.name,
                "answer": "".join(chunk.text for chunk in chunks),
                "thinking": "".join(chunk.thinking for chunk in chunks),
                "done_reason": last.done_reason,
                "usage": _usage(last.usage),
            }
        )
    elif last.done_reason == "length":
        output.say("The answer is cut: it reached the limit of tokens.")
    return 0


async def _answer(call: Invocation, located: Located, messages: list[Message]) -> list[Chunk]:
    """The pieces of the answer, written as they come unless one document is wanted."""
    from llmstack_tui.cli.servers import closing
    from llmstack_tui.cli.waiting import waiting

    chunks: list[Chunk] = []
    column_is_0 = True
    try:
        async with (
            waiting("Waiting for the answer", call.environ) as line,
            closing(located.host.chat(located.name, messages)) as stream,
        ):
            async for chunk in stream:
                chunks.append(chunk)
                if chunk.text and not call.json:
                    line.clear()
                    output.write(clean_lines(chunk.text, None), end="")
                    column_is_0 = chunk.text.endswith("\n")
    finally:
        if not column_is_0:
            output.write("")
    return chunks


def _usage(usage: Usage | None) -> dict[str, object] | None:
    if usage is None:
        return None
    return {
        "prompt_tokens": usage.prompt_tokens,
        "answer_tokens": usage.answer_tokens,
        "total": usage.total.total_seconds(),
        "load": usage.load.total_seconds(),
        "prompt": usage.prompt.total_seconds(),
        "answer": usage.answer.total_seconds(),
        "tokens_per_second": usage.tokens_per_second,
    }
