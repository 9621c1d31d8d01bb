"""Programs of which there may be a newer version, where their newest is told, and which of two is newer."""

from __future__ import annotations

import re
from datetime import datetime  # noqa: TC003  # msgspec reads the annotations of what is kept as JSON
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping


class Program(StrEnum):
    """By the names that people call them."""

    OLLAMA = "Ollama"
    LLMSTACK = "llmstack"


# The only two services beside the registries of models that are ever asked.
ADDRESSES: Mapping[Program, str] = MappingProxyType(
    {
        Program.OLLAMA: "https://api.github.com/repos/ollama/ollama/releases/latest",
        Program.LLMSTACK: "https://pypi.org/pypi/llmstack-tui/json",
    }
)

_VERSION = re.compile(r"v?([0-9]{1,9}(?:\.[0-9]{1,9}){0,3})((?:[-+.]?[A-Za-z].*)?)", re.ASCII)


class Release(Struct, frozen=True, kw_only=True):
    """What is known of a program's newest version.

    Attributes:
        version: None when it was never told.
        asked_at: when it was last asked for, whatever came of it; None is never.
        problem: why the last question was not answered: a sentence; else "".
    """

    program: Program
    asked_at: datetime | None = None
    version: str | None = None
    problem: str = ""


def is_newer(one: str | None, other: str | None) -> bool:
    """Whether ``one`` is a later version than ``other``; not where either is unknown, or made by hand."""
    first, second = _parsed(one), _parsed(other)
    return first is not None and second is not None and first > second


def _parsed(version: str | None) -> tuple[tuple[int, ...], bool] | None:
    """The numbers, and whether it is no preliminary one. A program that somebody built has only zeros."""
    found = _VERSION.fullmatch((version or "").strip())
    if found is None:
        return None
    numbers = tuple(map(int, found[1].split(".")))
    numbers += (0,) * (4 - len(numbers))
    return (numbers, found[2].startswith("+") or not found[2]) if any(numbers) else None
