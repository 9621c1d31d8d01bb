"""The one way to chat, generate and embed, with any server or service, and what it cost.

What is named here is the Python interface, imported when it is used; ``llmstack guide library`` shows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmstack_tui.providers.client import (
        AsyncLLMClient,
        LLMClient,
        get_async_llm_client,
        get_available_providers,
        get_llm_client,
    )
    from llmstack_tui.providers.errors import ProviderError
    from llmstack_tui.providers.setup import LLMConfig, load_llm_config

__all__ = [
    "AsyncLLMClient",
    "LLMClient",
    "LLMConfig",
    "ProviderError",
    "get_async_llm_client",
    "get_available_providers",
    "get_llm_client",
    "load_llm_config",
]
_ELSEWHERE = {"LLMConfig": "setup", "load_llm_config": "setup", "ProviderError": "errors"}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(name)
    from importlib import import_module  # noqa: PLC0415

    found: object = getattr(import_module(f"{__name__}.{_ELSEWHERE.get(name, 'client')}"), name)
    return found
