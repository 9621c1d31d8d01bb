"""``llmstack chat``: one question, and the answer, written as it arrives; on a terminal, a whole talk."""

from __future__ import annotations

import sys
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from llmstack_tui.base.languages import tr, tr_n
from llmstack_tui.base.structs import replace
from llmstack_tui.base.system_errors import system_words
from llmstack_tui.chat.attachments import NotAttached, read
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
from llmstack_tui.providers.types import ChatMessage, ChatRequest, EndReason, Image, Role

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence

    from llmstack_tui.chat.types import AttachedFile
    from llmstack_tui.cli.parser import Parser
    from llmstack_tui.core.open import Core
    from llmstack_tui.core.stack import Stack
    from llmstack_tui.lifecycle.states import ModelStatus
    from llmstack_tui.providers.types import Answer, Piece
    from llmstack_tui.tools.loop import CallEnded


# As long as a long essay, or some minutes on a fast card. It includes what a model thinks.
_LIMIT = 16_384


def add_options(parser: Parser) -> None:
    parser.add_argument(
        "name",
        metavar=tr("NAME"),
        help=tr("a model, as `llmstack ls` lists it, or @default: that of the settings"),
    )
    parser.add_argument(
        "prompt",
        metavar=tr("PROMPT"),
        nargs="*",
        help=tr("the question (default: standard input; on a terminal, a talk line by line)"),
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
    parser.add_argument(
        "--image",
        dest="images",
        metavar=tr("FILE"),
        action="append",
        help=tr("an image that goes with the question; may be given more than once"),
    )
    parser.add_argument(
        "--json-schema",
        dest="schema",
        metavar=tr("FILE"),
        help=tr("the JSON schema that the answer must have"),
    )
    parser.add_argument(
        "--resume",
        metavar=tr("ID"),
        help=tr("go on with a talk: the beginning of its id, or last; `llmstack chats` lists them"),
    )
    parser.add_argument(
        "--tools",
        action="store_true",
        help=tr("let the model read the folder, and write, fetch pages and use other tools after a question"),
    )
    parser.add_argument(
        "--folder", metavar=tr("FOLDER"), help=tr("with --tools: what it may see (default: this folder)")
    )
    parser.add_argument("--no-keep", action="store_true", help=tr("do not keep the talk"))
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
    is_talk = not asked.text and not options.json and _on_terminal() and options.template is None
    if not asked.text and not is_talk:
        raise output.WrongUsage(
            tr(
                "There is no question: write it after the name, as in: llmstack chat {model} 'Why?'",
                model=options.name,
            )
        )
    if options.resume is not None and not is_talk:
        raise output.WrongUsage(tr("--resume goes on with a talk on a terminal: leave out the question."))
    if options.tools and is_talk:
        raise output.WrongUsage(tr("--tools goes with a question: write it after the name."))
    files = tuple(map(_image, options.images or ()))
    schema = None if options.schema is None else _schema(options.schema)
    own = asked.parameters.get("num_predict")
    limit = options.limit or (own if isinstance(own, int) else _LIMIT)
    parameters = {**asked.parameters, "num_predict": limit}
    system = options.system or asked.system
    request = ChatRequest(model="", messages=(), schema=schema, parameters=parameters_of(parameters))
    if is_talk:
        return _talk(core, options, request, system, files)
    messages = [
        ChatMessage(role=Role(role), text=content) for role, content in replace(asked, system=system).messages
    ]
    images = tuple(Image(each.attachment.media_type, each.content) for each in files)
    messages[-1] = replace(messages[-1], images=images)
    return _chat(core, options, replace(request, messages=tuple(messages)), limit)


def _on_terminal() -> bool:
    return output.is_terminal(sys.stdin) and output.is_terminal(sys.stdout)


def _image(file: str) -> AttachedFile:
    found = read(file, None)
    if not found.attachment.is_image:
        raise NotAttached("chat.no_image", file=file, type=tr("text"))
    return found


def _name(core: Core, name: str) -> str:
    """The name of the model that is meant. ``@default`` is what the environment or the settings say."""
    if name != "@default":
        return name
    found = core.environ.get("OLLAMA_MODEL") or core.settings.providers.models.get("ollama")
    if not found:
        raise output.Failed(
            tr('@default names no model: write ollama = "NAME" below [providers.models] in the settings.')
        )
    return found


def _schema(file: str) -> Mapping[str, object]:
    try:
        return msgspec.json.decode(Path(file).read_bytes(), type=dict[str, object])
    except OSError as error:
        why = system_words(error.strerror or "?")
        raise output.Failed(tr("{file} cannot be read: {why}.", file=file, why=why)) from None
    except (msgspec.MsgspecError, RecursionError) as error:
        raise output.Failed(tr("{file} has no JSON schema: {why}.", file=file, why=str(error))) from None


@asynccontextmanager
async def _ready(core: Core, name: str) -> AsyncIterator[tuple[Stack, ModelStatus]]:
    """The model of that name, before it is asked."""
    async with opened(core, processes=True, start="owner") as stack:
        await look(stack)
        status = locate(stack, _name(core, name), short=True)
        if status.running is None and status.state is not ModelState.CLOUD:
            await stack.prepare()
        yield stack, status


async def _talk(
    core: Core, options: Namespace, request: ChatRequest, system: str, files: Sequence[AttachedFile]
) -> int:
    from llmstack_tui.cli.talk import TerminalTalk  # noqa: PLC0415  # not for one question

    async with _ready(core, options.name) as (stack, status):
        answered = partial(_answered, core, options, stack, status)
        talk = TerminalTalk(answered, options, stack, status, replace(request, model=status.name))
        return await talk.run(system, files)


async def _chat(core: Core, options: Namespace, request: ChatRequest, limit: int) -> int:
    calls: Sequence[CallEnded] = ()
    async with _ready(core, options.name) as (stack, status):
        request = replace(request, model=status.name)
        if options.tools:
            from llmstack_tui.cli.tool_use import ToolAnswer  # noqa: PLC0415  # not for a plain question

            used = ToolAnswer(core, options, stack, status)
            await used.run(request, _folder(options.folder))
            pieces, calls = used.pieces, used.calls
        else:
            pieces = await _answered(core, options, stack, status, request)
    if calls and not pieces:  # It was ended in the middle of its calls, which was said.
        return 1
    try:
        answer = joined(pieces)
    except BadAnswer:
        raise output.Failed(
            tr("The server broke off in the middle of its answer: ask again, or see its log.")
        ) from None
    if options.json:
        made = {"calls": [_call(each) for each in calls]} if options.tools else {}
        output.write_document({**document(status, answer), **made})
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


async def _answered(
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


def _folder(path: str | None) -> Path:
    folder = Path(path or ".").expanduser()
    if not folder.is_dir():
        raise output.Failed(tr("{folder} is no folder.", folder=str(folder)))
    return folder.resolve()


def _call(ended: CallEnded) -> dict[str, object]:
    return {
        "tool": ended.call.name,
        "arguments": ended.call.arguments,
        "result": ended.result.text,
        "is_error": ended.result.is_error,
    }


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
