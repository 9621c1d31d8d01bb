"""One round of questions to registries: each name once, and no more to a registry that keeps failing."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from llmstack_tui.base.sentences import said
from llmstack_tui.base.structs import replace
from llmstack_tui.registry.client import base_url
from llmstack_tui.registry.errors import NotInRegistry, RegistryError
from llmstack_tui.updates.rules import Question, RegistryAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from llmstack_tui.registry.client import Registry

_AT_ONCE = 16
# After so many consecutive failures a registry is not asked any more in this round.
_GIVE_UP_AFTER = 3


async def ask(
    registry: Registry, questions: Collection[Question], on_answer: Callable[[Question, RegistryAnswer], None]
) -> None:
    """Ask all questions, calling ``on_answer`` for each; a failure is an answer with a problem."""
    by_registry = defaultdict[str, list[Question]](list)
    for question in questions:
        by_registry[base_url(question.name)].append(question)
    rounds = (_OneRegistry(registry, on_answer).run(of_one) for of_one in by_registry.values())
    await asyncio.gather(*rounds)


class _OneRegistry:
    def __init__(self, registry: Registry, on_answer: Callable[[Question, RegistryAnswer], None]) -> None:
        self._registry = registry
        self._on_answer = on_answer
        self._failures = 0
        self._error: RegistryError | None = None

    async def run(self, questions: Sequence[Question]) -> None:
        rest = iter(questions)
        # One by one until the first success, so that an unreachable registry is not asked 16 times at once.
        for question in rest:
            await self._answer(question)
            if not self._failures:
                break

        async def work() -> None:
            for question in rest:
                await self._answer(question)

        await asyncio.gather(*(work() for _ in range(_AT_ONCE)))

    async def _answer(self, question: Question) -> None:
        if self._failures >= _GIVE_UP_AFTER and self._error is not None:
            self._on_answer(question, _failed(question, self._error))
            return
        try:
            answer = await _ask_one(self._registry, question)
        except NotInRegistry:
            self._failures = 0
            before = question.before or RegistryAnswer()
            was_there = before.was_there or before.digest is not None
            answer = RegistryAnswer(missing=True, was_there=was_there, checked_at=datetime.now(UTC))
        except RegistryError as error:
            answer = _failed(question, error)
            if error.of_one_model:
                self._failures = 0
            else:
                self._failures, self._error = self._failures + 1, error
        else:
            self._failures = 0
        self._on_answer(question, answer)


async def _ask_one(registry: Registry, question: Question) -> RegistryAnswer:
    """Send a HEAD request; fetch the manifest only if a copy differs and the manifest is not known yet."""
    before = question.before or RegistryAnswer()
    head = await registry.head(question.name)
    known = before.manifest
    if head.digest is not None:
        answer = RegistryAnswer(
            digest=head.digest, pushed_at=head.pushed_at, etag=before.etag, checked_at=datetime.now(UTC)
        )
        if known is not None and known.digest == head.digest:
            return replace(answer, manifest=known)
        if question.digests <= {head.digest}:
            return replace(answer, etag=None)
    fetched = await registry.manifest(question.name, etag=before.etag if known else None)
    if fetched is not None:
        known, etag = fetched.manifest, fetched.etag
    else:
        etag = before.etag
    return RegistryAnswer(
        digest=known.digest if known else None,
        manifest=known,
        pushed_at=head.pushed_at or (known.pushed_at if known else None),
        etag=etag,
        checked_at=datetime.now(UTC),
    )


def _failed(question: Question, error: RegistryError) -> RegistryAnswer:
    return replace(question.before or RegistryAnswer(), problems=said(error))
