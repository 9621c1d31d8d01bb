"""Enumerations that many rooms share. It imports little, as every command and the first paint import it."""

from __future__ import annotations

from enum import Flag, StrEnum, auto
from typing import Literal, Self, get_args

EngineChoice = Literal["auto", "ollama", "builtin"]
"""Which server to look for where no host is named."""
ENGINE_CHOICES: tuple[EngineChoice, ...] = get_args(EngineChoice)

EngineLife = Literal["stopped", "owner", "loaded"]
"""What ends a built-in engine: somebody who stops it, the end of its owner, or that of its last model."""


class LenientEnum(StrEnum):
    """An enumeration that is stored: a value that only a newer version knows is read as ``UNKNOWN``."""

    @classmethod
    def _missing_(cls, value: object) -> Self:
        return cls("unknown")


class Actor(LenientEnum):
    """Who asked for something. CLIENT is any other program."""

    USER = "user"
    CLI = "cli"
    GUARD = "guard"
    CLIENT = "client"
    UNKNOWN = "unknown"


class HostKind(StrEnum):
    """The kinds of servers."""

    OLLAMA = "ollama"
    BUILTIN = "builtin"
    OPENAI = "openai"


class ServerKind(StrEnum):
    """The programs that serve models, with the ids that the settings and scripts use.

    OPENAI is any other program that speaks OpenAI's protocol.
    """

    OLLAMA = "ollama"
    LLAMA_SERVER = "llama-server"
    LLAMA_ROUTER = "llama-router"
    LLAMA_SWAP = "llama-swap"
    LM_STUDIO = "lm-studio"
    VLLM = "vllm"
    TGI = "tgi"
    RAY_SERVE = "ray-serve"
    OPENAI = "openai"


SERVER_NAMES = {
    ServerKind.OLLAMA: "Ollama",
    ServerKind.LLAMA_SERVER: "llama-server",
    ServerKind.LLAMA_ROUTER: "llama-server (router)",
    ServerKind.LLAMA_SWAP: "llama-swap",
    ServerKind.LM_STUDIO: "LM Studio",
    ServerKind.VLLM: "vLLM",
    ServerKind.TGI: "TGI",
    ServerKind.RAY_SERVE: "Ray Serve",
    ServerKind.OPENAI: "OpenAI API",
}
"""The names of the programs, which are the same in every language."""


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


# The events that change the list of installed models.
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
    KEEP_ALIVE = auto()
    """A load may say how long the model stays after its last request."""


CACHE_TYPES = ("f16", "q8_0", "q4_0")
"""The types of the KV cache, the largest first."""
DEFAULT_CACHE = CACHE_TYPES[0]
