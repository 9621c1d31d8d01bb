"""What sort of server a host is, and what it can be asked: all that the first paint needs of a host."""

from __future__ import annotations

from enum import Flag, StrEnum, auto


class HostKind(StrEnum):
    """Which server answers."""

    OLLAMA = "ollama"
    BUILTIN = "builtin"
    OPENAI = "openai"


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
