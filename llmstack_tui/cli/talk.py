"""A talk on the terminal, line by line: ``llmstack chat NAME`` without a question."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from llmstack_tui.base.languages import tr, tr_n
from llmstack_tui.base.sentences import UserFacingError
from llmstack_tui.base.structs import replace
from llmstack_tui.chat.attachments import attached
from llmstack_tui.chat.rules.context import Cut, CutEnd, Remedy, cut_of, size_of, without
from llmstack_tui.chat.rules.tree import shown
from llmstack_tui.chat.types import TurnState
from llmstack_tui.cli import output
from llmstack_tui.cli.interruption import EndedBySignal, reading, stoppable
from llmstack_tui.core.types import StoreError
from llmstack_tui.core.wording import text, words
from llmstack_tui.providers.types import ChatRequest, Role

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Coroutine, Sequence

    from llmstack_tui.chat.rules.context import RequestSize
    from llmstack_tui.chat.service import ChatService
    from llmstack_tui.chat.types import AttachedFile, Turn
    from llmstack_tui.core.stack import Stack
    from llmstack_tui.lifecycle.states import ModelStatus
    from llmstack_tui.providers.types import Piece

_QUOTES = '"""'


class AnswerWriter(Protocol):
    def __call__(
        self, request: ChatRequest, *, on_piece: Callable[[Piece], None]
    ) -> Coroutine[object, object, list[Piece]]: ...


class TerminalTalk:
    """One talk with a model, which is kept while it goes on.

    Args:
        answered: writes the answer to a request, and gives each piece to ``on_piece``; returns all.
        request: what each question is asked with: the model, parameters, a schema.
    """

    def __init__(
        self,
        answered: AnswerWriter,
        options: Namespace,
        stack: Stack,
        status: ModelStatus,
        request: ChatRequest,
    ) -> None:
        self._answered = answered
        self._options = options
        self._stack = stack
        self._status = status
        self._request = request
        self._session = ""

    async def run(self, system: str, files: Sequence[AttachedFile]) -> int:
        """Talk until Ctrl-D. The first question has the files."""
        chats = await self._begin(system)
        _remember(shown(chats.talk(self._session)))
        output.inform(tr('Ctrl-D: end · Ctrl-C: stop the answer · \\ or """: more lines · @path: a file'))
        while (question := _read_question()) is not None:
            if not question.strip():
                continue
            try:
                named = await asyncio.to_thread(attached, question, Path.cwd())
            except UserFacingError as error:
                output.say(words(error))
                continue
            await self._exchange(chats, question, (*files, *named))
            files = ()
            with suppress(StoreError):  # A notice says so.
                await chats.kept()  # While a line is read, nothing is written.
        if chats.talk(self._session).turns and not self._options.no_keep:
            output.inform(
                tr("To go on: llmstack chat {model} --resume {id}", model=self._status.name, id=self._session)
            )
        return 0

    async def _begin(self, system: str) -> ChatService:
        """Make or find the talk, and say where it will not be kept."""
        if self._options.no_keep:
            from llmstack_tui.chat.service import ChatService  # noqa: PLC0415  # else the stack has it

            chats = ChatService(None)
        else:
            chats = self._stack.chats
        if self._options.resume is None:
            talk = await chats.new(
                model=self._status.name,
                host=self._status.host,
                system=system,
                parameters=self._request.parameters,
            )
        else:
            talk = await chats.open((await chats.find(self._options.resume)).id)
            await chats.change(
                talk.session.id, model=self._status.name, host=self._status.host, system=system or None
            )
            _show_last(shown(talk))
        for notice in chats.notices:
            output.say(text(notice))
        self._session = talk.session.id
        return chats

    async def _exchange(self, chats: ChatService, question: str, files: Sequence[AttachedFile]) -> None:
        """Ask, and write the answer as it comes."""
        leaf = chats.talk(self._session).session.leaf
        asked = await chats.ask(self._session, question, parent=leaf, files=files)
        talk = chats.talk(self._session)
        turns, system = shown(talk), talk.session.system
        size = size_of(turns, system, context_length=self._context_length)
        if Remedy.TRIM in size.remedies:
            turns = without(turns, size.left_out)
        _say_what_is_lost(size)
        request = replace(self._request, messages=await chats.messages(turns, system))
        begun = await chats.begin(self._session, parent=asked.id, model=self._status.name)
        state, problem = TurnState.BROKEN_OFF, ""
        stopped = False

        def stop() -> None:
            nonlocal stopped
            stopped = True
            answer.cancel()

        answer = asyncio.create_task(
            self._answered(request, on_piece=lambda piece: chats.append(begun.id, piece))
        )
        try:
            with stoppable(stop):
                pieces = await answer
            if pieces and pieces[-1].ending is not None:
                state = TurnState.WHOLE
            else:
                output.say(tr("The server broke off in the middle of its answer: ask again, or see its log."))
        except asyncio.CancelledError:
            if not stopped:
                raise
            state = TurnState.STOPPED
            output.inform(tr("Stopped."))
        except (UserFacingError, output.Failed) as error:
            problem = words(error) if isinstance(error, UserFacingError) else str(error)
            output.say(problem)
        finally:
            turn = await chats.end(begun.id, state, problem)
        if turn.usage is not None:
            _say_what_was_cut(
                cut_of(replace(turn.usage, sent_tokens=size.tokens_left), turn.reason, size.error)
            )

    @property
    def _context_length(self) -> int | None:
        status = self._stack.status(self._status.host, self._status.name)
        running = status.running if status is not None else None
        return self._request.parameters.context_length or (running.context_length if running else None)


def _say_what_is_lost(size: RequestSize) -> None:
    if Remedy.TRIM in size.remedies:
        output.say(
            tr_n(
                "The talk is longer than the model's context: its oldest message is not sent.",
                "The talk is longer than the model's context: its {count} oldest messages are not sent.",
                len(size.left_out),
            )
        )
    elif size.room is not None and size.tokens > size.room:
        output.say(
            tr(
                "This may be longer than the model's context ({tokens:,} of {room:,} tokens, about): "
                "the server may cut it.",
                tokens=size.tokens,
                room=size.room,
            )
        )


def _say_what_was_cut(cut: Cut | None) -> None:
    if cut is None:
        return
    if cut.end is CutEnd.ANSWER:
        output.say(tr("The answer is cut off: it has filled the model's context."))
    else:
        output.say(tr("The server has left out the oldest messages: its context is too short for them."))


def _show_last(turns: Sequence[Turn]) -> None:
    """The last question and its answer, so that one sees where the talk was."""
    for turn in turns[-2:]:
        mark = ">>> " if turn.message.role is Role.USER else ""
        output.write_text(f"{mark}{turn.message.text}")


def _remember(turns: Sequence[Turn]) -> None:
    """Let the arrow keys bring back earlier questions, where Python has readline."""
    try:
        import readline  # noqa: PLC0415
    except ImportError:
        return
    readline.clear_history()
    for turn in turns:
        if turn.message.role is Role.USER:
            readline.add_history(turn.message.text.replace("\n", " "))


def _read_question() -> str | None:
    """One question: a line, or several; None at the end. Ctrl-C gives up what is typed."""
    while True:
        try:
            with reading():
                return _read_lines()
        except EndedBySignal:
            raise
        except KeyboardInterrupt:
            output.write("")
        except EOFError:
            output.write("")
            return None
        except UnicodeDecodeError:
            output.say(tr("This is not text in the encoding of the terminal: type it again."))


def _read_lines() -> str:
    sys.stdout.flush()
    line = input(">>> ")
    if line.lstrip().startswith(_QUOTES):
        lines = [line.lstrip().removeprefix(_QUOTES)]
        while not lines[-1].rstrip().endswith(_QUOTES):
            lines.append(input("... "))
        lines[-1] = lines[-1].rstrip().removesuffix(_QUOTES)
    else:
        lines = [line]
        while lines[-1].endswith("\\"):
            lines[-1] = lines[-1][:-1]
            lines.append(input("... "))
    return "\n".join(lines).encode(errors="replace").decode()
