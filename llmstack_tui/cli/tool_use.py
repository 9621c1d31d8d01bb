"""A question that a model answers with tools: ``llmstack chat NAME QUESTION --tools``."""

from __future__ import annotations

import sys
from contextlib import AsyncExitStack, aclosing
from typing import TYPE_CHECKING

from llmstack_tui.base.languages import later, tr, tr_n
from llmstack_tui.cli import output
from llmstack_tui.cli.loading import loading
from llmstack_tui.core.tools import permissions, remember, talk_tools
from llmstack_tui.core.wording import words
from llmstack_tui.providers.types import Piece
from llmstack_tui.tools.loop import CallEnded, CallStarted, LoopEnd, LoopEnded, ToolLoop
from llmstack_tui.tools.types import Effect, Permit

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import AsyncGenerator, Mapping
    from pathlib import Path

    from llmstack_tui.core.open import Core
    from llmstack_tui.core.stack import Stack
    from llmstack_tui.guard.types import Confirm
    from llmstack_tui.lifecycle.states import ModelStatus
    from llmstack_tui.providers.types import ChatRequest
    from llmstack_tui.tools.types import Proposal

_WANTS: Mapping[Effect, str] = {
    Effect.WRITES: later("The model wants to write {subject}:"),
    Effect.FETCHES: later("The model wants to read the page {subject}"),
    Effect.RUNS: later("The model wants to run {subject}"),
}
_ENDS: Mapping[LoopEnd, str] = {
    LoopEnd.CIRCLE: later("The model makes the same calls again and again: it was ended."),
    LoopEnd.ROUNDS: later("The model makes calls without an end: it was ended."),
}


class _HostChat:
    """The model, as the loop asks it."""

    def __init__(self, stack: Stack, host: str, confirm: Confirm) -> None:
        self._stack, self._host, self._confirm = stack, host, confirm

    def chat(self, request: ChatRequest) -> AsyncGenerator[Piece, None]:
        return self._stack.providers.chat(self._host, request, confirm=self._confirm)


class ToolAnswer:
    """One answer with tools, written as it comes.

    Attributes:
        pieces: of the last answer, after all calls.
        calls: in their order.
    """

    def __init__(self, core: Core, options: Namespace, stack: Stack, status: ModelStatus) -> None:
        self._core, self._options, self._stack, self._status = core, options, stack, status
        self._is_mid_line = False
        self.pieces: list[Piece] = []
        self.calls: list[CallEnded] = []

    async def run(self, request: ChatRequest, folder: Path) -> None:
        """Answer, with what is in this folder.

        Raises:
            ProviderError: the model takes no tools, or the server fails.
        """
        allowed = await permissions(self._stack.records)
        known = frozenset(allowed)
        try:
            async with AsyncExitStack() as work:
                talk = await work.enter_async_context(
                    talk_tools(self._core.settings.tools, self._core.environ, folder)
                )
                for fault in talk.faults:
                    output.say(words(fault))
                line = await work.enter_async_context(AsyncExitStack())
                waits = loading(
                    self._stack, self._status, self._options, self._core.environ, tr("Waiting for the answer")
                )
                model = _HostChat(self._stack, self._status.host, await line.enter_async_context(waits))
                loop = ToolLoop(model, talk.tools, self._ask, folder=str(folder), remembered=allowed)
                async for event in await work.enter_async_context(aclosing(loop.run(request))):
                    if not isinstance(event, Piece) or event.text or event.tool_calls:
                        await line.aclose()
                    self._take(event)
        finally:
            self._end_line()
            if allowed != known:
                remember(self._stack.records, allowed)

    def _take(self, event: object) -> None:
        match event:
            case Piece():
                self.pieces.append(event)
                if event.text and not self._options.json:
                    output.write_text(event.text, end="")
                    self._is_mid_line = not event.text.endswith("\n")
            case CallStarted(proposal=proposal):
                self._say(f"{proposal.call.name} {proposal.subject}".rstrip())
            case CallEnded(result=result):
                self.calls.append(event)
                self.pieces.clear()
                length = tr_n("1 character", "{count:,} characters", len(result.text))
                self._say(result.text if result.is_error else f"  {length}")
            case LoopEnded(why=why) if why in _ENDS:
                self._end_line()
                output.say(tr(_ENDS[why]))

    def _say(self, said: str) -> None:
        self._end_line()
        if not self._options.json:
            output.say(said)

    def _end_line(self) -> None:
        if self._is_mid_line:
            output.write("")
            self._is_mid_line = False

    async def _ask(self, proposal: Proposal) -> Permit:
        self._end_line()
        said = tr(_WANTS[proposal.effect], subject=proposal.subject)
        if self._options.json or not output.is_terminal(sys.stdin):
            output.say(f"{said} {tr('There is no terminal to ask on: it may not.')}")
            return Permit.NO
        output.say(said)
        for each in proposal.preview.splitlines():
            output.inform(each)
        question = tr("Let it? [y/N, a: always in this folder]") if proposal.scope else tr("Let it? [y/N]")
        answer = output.ask_for(question)
        if proposal.scope and answer[:1] == "a":
            return Permit.ALWAYS
        return Permit.ONCE if output.is_yes(answer) else Permit.NO
