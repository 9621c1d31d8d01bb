"""Tries a model out: loads it, has it generate and chat, and measures that."""

from __future__ import annotations

import time
from contextlib import aclosing
from typing import TYPE_CHECKING

from llmstack_tui.base.address import is_loopback
from llmstack_tui.base.sentences import Sentence, UserFacingError, said
from llmstack_tui.base.structs import replace
from llmstack_tui.doctor.trial import Step, Trial
from llmstack_tui.hosts.types import Message
from llmstack_tui.lifecycle.placement import device_bytes
from llmstack_tui.lifecycle.states import ModelState

if TYPE_CHECKING:
    from llmstack_tui.core.stack import Stack
    from llmstack_tui.guard.types import Confirm
    from llmstack_tui.lifecycle.states import ModelStatus

# Short, and any model has something to say to it.
_PROMPT = "Count from one to ten in words."
_TOKENS = 32


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
        self._host = stack.monitors[status.host].host
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
        tokens, is_empty = 0, True
        options = {"num_predict": _TOKENS}
        async with aclosing(self._host.generate(self._status.name, _PROMPT, options=options)) as chunks:
            async for chunk in chunks:
                is_empty = is_empty and not (chunk.text or chunk.thinking)
                tokens = chunk.usage.answer_tokens if chunk.usage is not None else tokens
        if is_empty:
            raise _Unexpected("trial.empty")
        self.trial = replace(self.trial, generated=tokens)

    async def _chat(self) -> None:
        tokens, first_s, speed = 0, None, None
        began_s = time.monotonic()
        messages, options = [Message(role="user", content=_PROMPT)], {"num_predict": _TOKENS}
        answer = self._stack.actions.chat(self._status.host, self._status.name, messages, options=options)
        async with aclosing(answer) as chunks:
            async for chunk in chunks:
                if first_s is None and (chunk.text or chunk.thinking):
                    first_s = time.monotonic() - began_s
                if chunk.usage is not None:
                    tokens, speed = chunk.usage.answer_tokens, chunk.usage.tokens_per_second
        if first_s is None:
            raise _Unexpected("trial.empty")
        self.trial = replace(self.trial, chatted=tokens, first_token_s=first_s, tokens_per_second=speed)

    async def _embed(self) -> None:
        vectors = await self._host.embed(self._status.name, [_PROMPT])
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
