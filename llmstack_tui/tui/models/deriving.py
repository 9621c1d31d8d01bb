"""The ways to have a model from another one: what is asked, and what is done then."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from llmstack_tui.core.stack import Stack
    from llmstack_tui.tui.models.derive import Derivation
    from llmstack_tui.tui.shell import Key


class Way(Struct, frozen=True):
    """One of them.

    Attributes:
        title: stands before the name of the base; ``verb`` is what Enter does, in one word.
        suggestion: a name to begin with, made of ``{name}`` and ``{stem}``, the name without its tag.
        make: does it, and tells in words how it goes.
        is_new: whether a system prompt and parameters are asked for.
    """

    title: str
    verb: str
    suggestion: str
    make: Callable[[Stack, Key, Derivation], AsyncIterator[str]]
    is_new: bool = False

    def suggested(self, name: str) -> str:
        return self.suggestion.format(name=name, stem=_stem(name))


def _stem(name: str) -> str:
    head, slash, last = name.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


async def _copied(stack: Stack, key: Key, wanted: Derivation) -> AsyncIterator[str]:
    yield "Copying"
    await stack.actions.copy(*key, wanted.name)


async def _renamed(stack: Stack, key: Key, wanted: Derivation) -> AsyncIterator[str]:
    yield "Renaming"
    await stack.actions.rename(*key, wanted.name)


async def _created(stack: Stack, key: Key, wanted: Derivation) -> AsyncIterator[str]:
    steps = stack.actions.create(
        key[0],
        wanted.name,
        base=key[1],
        system=wanted.system or None,
        parameters=wanted.parameters or None,
    )
    async with aclosing(steps):
        async for step in steps:
            yield step.status


COPY = Way("Copy", "copy", "{stem}-copy:latest", _copied)
RENAME = Way("Rename", "rename", "{name}", _renamed)
CREATE = Way("New model from", "create", "{stem}-mine:latest", _created, is_new=True)
