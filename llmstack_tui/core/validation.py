"""Tries a model out: loads it, has it generate and chat, and measures that."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from llmstack_tui.base.address import is_loopback
from llmstack_tui.base.sentences import Sentence, UserFacingError, said
from llmstack_tui.base.structs import replace
from llmstack_tui.doctor.trial import Step, Trial
from llmstack_tui.lifecycle.placement import device_bytes
from llmstack_tui.lifecycle.states import ModelState
from llmstack_tui.providers.streams import whole
from llmstack_tui.providers.types import (
    ChatMessage,
    ChatRequest,
    EmbedRequest,
    Parameters,
    Role,
    TextRequest,
)

if TYPE_CHECKING:
    from llmstack_tui.core.stack import Stack
    from llmstack_tui.guard.types import Confirm
    from llmstack_tui.lifecycle.states import ModelStatus

# Short, and any model has something to say to it.
_PROMPT = "Count from one to ten in words."
_FEW = Parameters(max_tokens=32)


async def try_out(stack: Stack, status: ModelStatus, confirm: Confirm) -> Trial:
    """Try a model out, which is loaded if it is not. Raises nothing: a failure is a part of the result.

    Args:
        confirm: asks the user before other models are unloaded for it.
    """
    validation = _Validation(stack, status)
    try:
        await validation.run(confirm)
    except UserFacingError as error:
        return replace(validation.trial, failed=validation.step, why=said(error))
    except _Unexpected as error:
        return replace(validation.trial, failed=validation.step, why=(Sentence(error.kind),))
    return validation.trial


class _Unexpected(Exception):
    """A step has a result that no model should give; ``kind`` is that of a sentence."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class _Validation:
    """One trial of one model: ``step`` is what is being tried, ``trial`` what came of it so far."""

    def __init__(self, stack: Stack, status: ModelStatus) -> None:
        self._stack = stack
        self._status = status
        self._provider = stack.providers.of(status.host)
        self.step = Step.LOAD
        self.trial = Trial(
            name=status.name,
            snapshot=stack.monitors[status.host].snapshot,
            size=status.model.size if status.model is not None else None,
        )

    async def run(self, confirm: Confirm) -> None:
        if self._status.running is None and self._status.state is not ModelState.CLOUD:
            await self._load(confirm)
        if await self._only_embeds():
            self.step = Step.EMBEDDING
            await self._embed()
        else:
            self.step = Step.GENERATION
            await self._generate()
            self.step = Step.CHAT
            await self._chat()
        self.step = Step.MEMORY
        await self._measure()

    async def _only_embeds(self) -> bool:
        can = await self._stack.actions.capabilities(self._status.host, self._status.name)
        return can is not None and "embedding" in can and "completion" not in can

    async def _load(self, confirm: Confirm) -> None:
        began_s = time.monotonic()
        if not await self._stack.actions.activate(self._status.host, self._status.name, confirm=confirm):
            raise _Unexpected("trial.declined")
        self.trial = replace(self.trial, load_s=time.monotonic() - began_s)

    async def _generate(self) -> None:
        request = TextRequest(model=self._status.name, prompt=_PROMPT, parameters=_FEW)
        answer = await whole(self._provider.generate(request))
        if not (answer.text or answer.reasoning):
            raise _Unexpected("trial.empty")
        self.trial = replace(self.trial, generated=answer.ending.usage.answer_tokens or 0)

    async def _chat(self) -> None:
        began_s = time.monotonic()
        request = ChatRequest(
            model=self._status.name,
            messages=(ChatMessage(role=Role.USER, text=_PROMPT),),
            parameters=_FEW,
        )
        answer = await whole(self._stack.providers.chat(self._status.host, request))
        usage = answer.ending.usage
        if usage.first_s is None or usage.total_s is None:
            raise _Unexpected("trial.empty")
        self.trial = replace(
            self.trial,
            chatted=usage.answer_tokens or 0,
            first_token_s=time.monotonic() - began_s - usage.total_s + usage.first_s,
            tokens_per_second=usage.answer_speed,
        )

    async def _embed(self) -> None:
        request = EmbedRequest(model=self._status.name, texts=(_PROMPT,))
        vectors = (await self._provider.embed(request)).vectors
        if not vectors or not any(vectors[0]):
            raise _Unexpected("trial.empty")
        self.trial = replace(self.trial, dimensions=len(vectors[0]))

    async def _measure(self) -> None:
        url = self._status.host
        await self._stack.look(url)
        status = self._stack.status(url, self._status.name)
        running = status.running if status is not None else None
        machine = None
        if is_loopback(url):
            await self._stack.machine.read_once()
            machine = self._stack.state.machine
        device = device_bytes(running, machine) if running is not None and machine is not None else None
        self.trial = replace(self.trial, running=running, machine=machine, device=device)
