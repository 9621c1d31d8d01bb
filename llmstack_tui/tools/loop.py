"""A talk with tools: the model calls, a person is asked where it matters, the results go back."""

from __future__ import annotations

import json
from contextlib import aclosing
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from llmstack_tui.base.structs import replace
from llmstack_tui.providers.streams import message_of
from llmstack_tui.providers.types import ChatMessage, Piece, Role
from llmstack_tui.tools.rules.circles import MOST_ROUNDS, CallRecord, is_circle
from llmstack_tui.tools.rules.permissions import must_ask, remembered_by
from llmstack_tui.tools.toolset import failed
from llmstack_tui.tools.types import CallResult, Permit, Proposal, ToolFailed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from llmstack_tui.providers.types import ChatRequest, ToolCall
    from llmstack_tui.tools.toolset import ToolSet
    from llmstack_tui.tools.types import Permission


class CallEnded(Struct, frozen=True, kw_only=True):
    """A call and what came of it. ``proposal`` is None for one that could not be understood."""

    call: ToolCall
    result: CallResult
    proposal: Proposal | None = None
    is_refused: bool = False


class CallStarted(Struct, frozen=True):
    """A call is made now."""

    proposal: Proposal


class MessageAdded(Struct, frozen=True):
    """A message that was added to the talk: one of the model's with its calls, or a result."""

    message: ChatMessage


class LoopEnd(StrEnum):
    """Why a talk with tools ended."""

    ANSWERED = "answered"
    CIRCLE = "circle"
    ROUNDS = "rounds"


class LoopEnded(Struct, frozen=True):
    """The last event of a talk."""

    why: LoopEnd


Event = MessageAdded | CallStarted | CallEnded | LoopEnded


class ChatModel(Protocol):
    """What answers a talk: a provider, or a model of a host that is loaded first."""

    def chat(self, request: ChatRequest) -> AsyncGenerator[Piece, None]: ...


class ToolLoop:
    """One question with tools.

    Args:
        ask: shows a proposal to a person, and returns what they say.
        folder: the folder that was opened, as a text; "" for none.
        remembered: the permissions that hold; those that are given now are added.
    """

    def __init__(
        self,
        model: ChatModel,
        tools: ToolSet,
        ask: Callable[[Proposal], Awaitable[Permit]],
        *,
        folder: str = "",
        remembered: set[Permission] | None = None,
        most_rounds: int = MOST_ROUNDS,
    ) -> None:
        self._model = model
        self._tools = tools
        self._ask = ask
        self._folder = folder
        self.remembered = set() if remembered is None else remembered
        self._most_rounds = most_rounds

    async def run(self, request: ChatRequest) -> AsyncGenerator[Piece | Event, None]:
        """The pieces of each answer, each call with its result, and the messages to keep.

        Raises:
            ProviderError: the provider failed. What was said before it stands.
        """
        request = replace(request, tools=self._tools.specs)
        steps: list[CallRecord] = []
        for _ in range(self._most_rounds):
            heard = list[Piece]()
            async with aclosing(self._model.chat(request)) as pieces:
                async for piece in pieces:
                    heard.append(piece)
                    yield piece
            said = message_of(heard)
            yield MessageAdded(said)
            if not said.tool_calls:
                yield LoopEnded(LoopEnd.ANSWERED)
                return
            messages = [*request.messages, said]
            for call in said.tool_calls:
                async for event in self._called(call):
                    yield event
                    if isinstance(event, CallEnded):
                        answer = ChatMessage(
                            role=Role.TOOL, text=event.result.text, answers=call.id, tool=call.name
                        )
                        steps.append(CallRecord(call.name, _written(call), event.result.text))
                        messages.append(answer)
                        yield MessageAdded(answer)
            if is_circle(steps):
                yield LoopEnded(LoopEnd.CIRCLE)
                return
            request = replace(request, messages=tuple(messages))
        yield LoopEnded(LoopEnd.ROUNDS)

    async def _called(self, call: ToolCall) -> AsyncGenerator[CallStarted | CallEnded, None]:
        try:
            proposal = await self._tools.propose(call)
        except ToolFailed as error:
            yield CallEnded(call=call, result=failed(error))
            return
        if must_ask(proposal, self._folder, self.remembered):
            answer = await self._ask(proposal)
            if answer is Permit.NO:
                refused = failed(ToolFailed("tools.refused"))
                yield CallEnded(call=call, result=refused, proposal=proposal, is_refused=True)
                return
            permission = remembered_by(proposal, self._folder)
            if answer is Permit.ALWAYS and permission is not None:
                self.remembered.add(permission)
        yield CallStarted(proposal)
        yield CallEnded(call=call, result=await self._tools.run(proposal), proposal=proposal)


def _written(call: ToolCall) -> str:
    return call.written if call.arguments is None else json.dumps(call.arguments, sort_keys=True, default=str)
