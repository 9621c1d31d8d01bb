"""The programs to look for newer versions of, where those are published, and which of two is newer."""

from __future__ import annotations

import re
from datetime import datetime  # noqa: TC003  # msgspec reads the annotations of what is kept as JSON
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.sentences import Sentences  # noqa: TC001  # see datetime

if TYPE_CHECKING:
    from collections.abc import Mapping


class Program(StrEnum):
    """The programs, by their usual names."""

    OLLAMA = "Ollama"
    LLMSTACK = "llmstack"


# Apart from the registries of models, these are the only two services that llmstack ever asks by itself.
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
        version: None if not known.
        asked_at: when it was last asked for, successfully or not; None is never.
        problems: why the last question failed; else empty.
    """

    program: Program
    asked_at: datetime | None = None
    version: str | None = None
    problems: Sentences = ()


def is_newer(one: str | None, other: str | None) -> bool:
    """Whether ``one`` is a later version than ``other``; False if either is unknown or a local build."""
    first, second = _parsed(one), _parsed(other)
    return first is not None and second is not None and first > second


def _parsed(version: str | None) -> tuple[tuple[int, ...], bool] | None:
    """The numbers, and whether it is a final release; None if malformed, or all zeros as in a local build."""
    found = _VERSION.fullmatch((version or "").strip())
    if found is None:
        return None
    numbers = tuple(map(int, found[1].split(".")))
    numbers += (0,) * (4 - len(numbers))
    return (numbers, found[2].startswith("+") or not found[2]) if any(numbers) else None
