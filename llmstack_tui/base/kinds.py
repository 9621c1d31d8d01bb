"""Closed sets of words that many rooms share; every command and the first paint import no more than these."""

from __future__ import annotations

from enum import Flag, StrEnum, auto
from typing import Literal, Self, get_args

EngineChoice = Literal["auto", "ollama", "builtin"]
"""Which server to look for where no host is named."""
ENGINE_CHOICES: tuple[EngineChoice, ...] = get_args(EngineChoice)


class LenientEnum(StrEnum):
    """Words that are stored: one that only a newer version of the program knows reads as ``UNKNOWN``."""

    @classmethod
    def _missing_(cls, value: object) -> Self:
        return cls("unknown")


class Actor(LenientEnum):
    """Who asked for something. CLIENT is another program, of which nothing more is known."""

    USER = "user"
    CLI = "cli"
    GUARD = "guard"
    CLIENT = "client"
    UNKNOWN = "unknown"


class HostKind(StrEnum):
    """Which server answers."""

    OLLAMA = "ollama"
    BUILTIN = "builtin"
    OPENAI = "openai"


class EventKind(StrEnum):
    """The kinds of events that are recorded."""

    ACTIVATE = "activate"
    DEACTIVATE = "deactivate"
    LOADED = "loaded"
    LEFT = "left"
    SERVER = "server"
    DIFFERENCE = "difference"
    REMOVE = "remove"
    IMPORT = "import"
    COPY = "copy"
    RENAME = "rename"
    CREATE = "create"
    PULL = "pull"
    UPDATE = "update"
    PIN = "pin"
    GUARD = "guard"
    NOTICE = "notice"
    FAILED = "failed"


# What changes the list of what is installed.
ON_DISK = frozenset(
    {
        EventKind.REMOVE,
        EventKind.IMPORT,
        EventKind.COPY,
        EventKind.RENAME,
        EventKind.CREATE,
        EventKind.PULL,
        EventKind.UPDATE,
    }
)


class Capability(Flag):
    """What a host can be asked to do."""

    LIST = auto()
    SHOW = auto()
    LOAD = auto()
    UNLOAD = auto()
    CHAT = auto()
    EMBED = auto()
    PULL = auto()
    CREATE = auto()
    COPY = auto()
    DELETE = auto()
    IMPORT = auto()


CACHE_TYPES = ("f16", "q8_0", "q4_0")
"""The types that the keys and values of a context are kept as, the largest first."""
DEFAULT_CACHE = CACHE_TYPES[0]
