"""``llmstack chat``: one question, and the answer, written as it arrives."""

from __future__ import annotations

from contextlib import AsyncExitStack, aclosing
from typing import TYPE_CHECKING

from llmstack_tui.base.languages import tr, tr_n
from llmstack_tui.base.structs import replace
from llmstack_tui.cli import output
from llmstack_tui.cli.filling import assignment, filled, piped
from llmstack_tui.cli.loading import add_room_option, loading
from llmstack_tui.cli.options import count
from llmstack_tui.cli.stacks import locate, look, opened
from llmstack_tui.core.providers import parameters_of
from llmstack_tui.lifecycle.states import ModelState
from llmstack_tui.prompts.types import RenderedPrompt
from llmstack_tui.providers.errors import BadAnswer
from llmstack_tui.providers.streams import joined
from llmstack_tui.providers.types import ChatMessage, ChatRequest, EndReason, Piece, Role

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Coroutine

    from llmstack_tui.cli.parser import Parser
    from llmstack_tui.core.open import Core
    from llmstack_tui.core.stack import Stack
    from llmstack_tui.lifecycle.states import ModelStatus
    from llmstack_tui.providers.types import Answer


# As long as a long essay, or some minutes on a fast card. It includes what a model thinks.
_LIMIT = 16_384


def add_options(parser: Parser) -> None:
    parser.add_argument("name", metavar=tr("NAME"), help=tr("a model, as `llmstack ls` lists it"))
    parser.add_argument(
        "prompt", metavar=tr("PROMPT"), nargs="*", help=tr("the question (default: standard input)")
    )
    parser.rest = "prompt"
    parser.add_argument("--system", metavar=tr("TEXT"), help=tr("a system prompt, before the question"))
    parser.add_argument(
        "--limit",
        metavar="N",
        type=count,
        help=tr(
            "the most tokens of an answer, which some models would never end (default: {limit})",
            limit=str(_LIMIT),
        ),
    )
    parser.add_argument(
        "--template",
        metavar=tr("TEMPLATE"),
        help=tr("a prompt, as `llmstack prompts` lists it; the question is its input"),
    )
    parser.add_argument(
        "--var",
        dest="values",
        metavar=tr("VAR=VALUE"),
        action="append",
        type=assignment,
        help=tr("with --template: the value of a variable; may be given more than once"),
    )
    add_room_option(parser)


def run(core: Core, options: Namespace) -> Coroutine[object, object, int]:
    # Read before the event loop runs: while that waits for standard input, it does not react to Ctrl-C.
    typed = " ".join(options.prompt).strip()
    if options.template is not None:
        asked = filled(core.prompts().find(options.template), options.values or (), typed)
    elif options.values:
        raise output.WrongUsage(tr("--var sets a variable of a prompt: say which, with --template."))
    else:
        asked = RenderedPrompt(text=typed or piped().strip())
    if not asked.text:
        raise output.WrongUsage(
            tr(
                "There is no question: write it after the name, as in: llmstack chat {model} 'Why?'",
                model=options.name,
            )
        )
    own = asked.parameters.get("num_predict")
    limit = options.limit or (own if isinstance(own, int) else _LIMIT)
    parameters = {**asked.parameters, "num_predict": limit}
    system = options.system or asked.system
    return _chat(core, options, replace(asked, system=system, parameters=parameters), limit)


async def _chat(core: Core, options: Namespace, asked: RenderedPrompt, limit: int) -> int:
    async with opened(core, processes=True, start="owner") as stack:
        await look(stack)
        status = locate(stack, options.name, short=True)
        if status.running is None and status.state is not ModelState.CLOUD:
            await stack.prepare()
        pieces = await _pieces(core, options, stack, status, asked)
    try:
        answer = joined(pieces)
    except BadAnswer:
        raise output.Failed(
            tr("The server broke off in the middle of its answer: ask again, or see its log.")
        ) from None
    if options.json:
        output.write_document(document(status, answer))
    elif answer.ending.reason is EndReason.LENGTH:
        output.say(_cut_off(answer, limit))
    return 0


def _cut_off(answer: Answer, limit: int) -> str:
    if (answer.ending.usage.answer_tokens or limit) < limit:
        return tr("The answer is cut off: it has filled the model's context.")
    return tr_n(
        "The answer is cut off at 1 token: --limit N sets another limit.",
        "The answer is cut off at {count} tokens: --limit N sets another limit.",
        limit,
    )


async def _pieces(
    core: Core, options: Namespace, stack: Stack, status: ModelStatus, asked: RenderedPrompt
) -> list[Piece]:
    """The pieces of the answer; unless --json is given, each is written when it arrives."""
    messages = tuple(ChatMessage(role=Role(role), text=content) for role, content in asked.messages)
    request = ChatRequest(model=status.name, messages=messages, parameters=parameters_of(asked.parameters))
    pieces: list[Piece] = []
    column_is_0 = True
    try:
        async with AsyncExitStack() as reading:
            line = await reading.enter_async_context(AsyncExitStack())
            confirm = await line.enter_async_context(
                loading(stack, status, options, core.environ, tr("Waiting for the answer"))
            )
            stream = stack.providers.chat(status.host, request, confirm=confirm)
            async for piece in await reading.enter_async_context(aclosing(stream)):
                pieces.append(piece)
                if piece.text and not options.json:
                    await line.aclose()
                    output.write_text(piece.text, end="")
                    column_is_0 = piece.text.endswith("\n")
    finally:
        if not column_is_0:
            output.write("")
    return pieces


def document(status: ModelStatus, answer: Answer) -> dict[str, object]:
    usage = answer.ending.usage
    parts = (usage.load_s, usage.prompt_s, usage.answer_s)
    total_s = usage.total_s if None in parts else sum(each or 0 for each in parts)
    return {
        "host": status.host,
        "name": status.name,
        "answer": answer.text,
        "thinking": answer.reasoning,
        "done_reason": answer.ending.said or None,
        "usage": None
        if usage.answer_tokens is None
        else {
            "total": total_s,
            "load": usage.load_s,
            "prompt_tokens": usage.prompt_tokens,
            "prompt": usage.prompt_s,
            "answer_tokens": usage.answer_tokens,
            "answer": usage.answer_s,
            "tokens_per_second": usage.answer_speed,
        },
    }
