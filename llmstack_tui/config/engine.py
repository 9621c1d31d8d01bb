"""How the built-in engine runs: its settings, which Ollama's environment variables override."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.durations import InvalidDuration, parse_go_duration
from llmstack_tui.base.kinds import CACHE_TYPES, DEFAULT_CACHE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmstack_tui.config.settings import EngineSettings

log = logging.getLogger(__name__)

# Ollama's own defaults.
DEFAULT_KEEP_ALIVE = timedelta(minutes=5)
DEFAULT_MAX_LOADED = 3
DEFAULT_MAX_QUEUE = 512


class EngineOptions(Struct, frozen=True, kw_only=True):
    """How models are loaded and kept, unless a request sets something else.

    Attributes:
        keep_alive: how long a model stays in memory after its last request; negative is for ever.
        max_loaded: how many models may be in memory.
        max_queue: how many requests may wait for a model.
        context_length: in tokens, if neither the model nor the request sets one.
        parallel: how many requests to one model are computed at once, each with a context of its own.
        cache_type: the type of the KV cache.
        connections: how many connections download one model.
        pull_limit: bytes a second that all downloads may take together; 0 is no limit.
        prune: remove blobs that no model uses when the engine starts.
        confine: take from a model's process the rights that it does not need.
    """

    keep_alive: timedelta = DEFAULT_KEEP_ALIVE
    max_loaded: int = DEFAULT_MAX_LOADED
    max_queue: int = DEFAULT_MAX_QUEUE
    context_length: int = 4096
    parallel: int = 1
    cache_type: str = DEFAULT_CACHE
    connections: int = 8
    pull_limit: int = 0
    prune: bool = True
    confine: bool = True

    @classmethod
    def read(
        cls, settings: EngineSettings, environ: Mapping[str, str], *, pull_limit: int = 0
    ) -> EngineOptions:
        """Options from the settings and the variables ``OLLAMA_*``, of which invalid ones are logged."""
        return cls(
            keep_alive=_duration(environ, "OLLAMA_KEEP_ALIVE", settings.keep_alive),
            max_loaded=_count(environ, "OLLAMA_MAX_LOADED_MODELS", settings.max_loaded or DEFAULT_MAX_LOADED),
            max_queue=_count(environ, "OLLAMA_MAX_QUEUE", DEFAULT_MAX_QUEUE),
            context_length=_count(environ, "OLLAMA_CONTEXT_LENGTH", settings.context_length),
            parallel=_count(environ, "OLLAMA_NUM_PARALLEL", 1),
            cache_type=_cache_type(environ),
            connections=settings.connections,
            pull_limit=pull_limit,
            # As Go reads a boolean, what is none is taken for yes.
            prune=_text(environ, "OLLAMA_NOPRUNE") in ("", "0", "f", "F", "false", "FALSE", "False"),
            confine=settings.confine,
        )


def _text(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name, "").strip().strip("\"'")


def _count(environ: Mapping[str, str], name: str, default: int) -> int:
    """The whole number in a variable; 0 means the default, as in Ollama."""
    text = _text(environ, name)
    if text and not (text.isascii() and text.isdecimal()):
        log.warning("%s is %r, which is no whole number: it is ignored.", name, text)
        return default
    return int(text or 0) or default


def _duration(environ: Mapping[str, str], name: str, default: timedelta) -> timedelta:
    text = _text(environ, name)
    if not text:
        return default
    try:
        return timedelta(seconds=int(text))
    except (ValueError, OverflowError):
        pass
    try:
        return parse_go_duration(text)
    except InvalidDuration as error:
        log.warning("%s is ignored: %s", name, error)
        return default


def _cache_type(environ: Mapping[str, str]) -> str:
    text = _text(environ, "OLLAMA_KV_CACHE_TYPE")
    if text and text not in CACHE_TYPES:
        log.warning("OLLAMA_KV_CACHE_TYPE is %r; known are %s.", text, ", ".join(CACHE_TYPES))
    return text if text in CACHE_TYPES else DEFAULT_CACHE
