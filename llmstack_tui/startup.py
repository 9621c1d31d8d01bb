"""Which servers to talk to: a pure decision over what answers and what is installed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from llmstack_tui.config import Settings


@dataclass(frozen=True, slots=True)
class Found:
    """Servers to use, as base URLs."""

    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OllamaStopped:
    """Ollama is installed and does not run; `llmstack_tui.ollama.local.start_ollama` starts it at ``url``."""

    binary: Path
    url: str


@dataclass(frozen=True, slots=True)
class BuiltinStopped:
    """Nothing runs, and the built-in engine can be started."""


@dataclass(frozen=True, slots=True)
class NothingToRun:
    """Nothing runs and nothing can be started; ``reason`` is a sentence that says why and what to do."""

    reason: str


Startup = Found | OllamaStopped | BuiltinStopped | NothingToRun


async def find_servers(settings: Settings, environ: Mapping[str, str]) -> Startup:
    """Look for servers. Addresses that were given are taken as they are, without asking them.

    Raises:
        InvalidAddress: when a given address, or ``OLLAMA_HOST``, is none.
    """
    raise NotImplementedError
