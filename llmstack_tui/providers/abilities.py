"""What a request needs, and whether a model can do it: said before anything is sent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from llmstack_tui.providers.errors import CannotDo
from llmstack_tui.providers.types import Ability, ChatRequest

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from llmstack_tui.providers.types import TextRequest

_WRITES = Ability.CHAT | Ability.GENERATE | Ability.SCHEMA
# Ollama's names. A model that has none of the first two, such as one that only ranks, writes nothing.
_OF_CAPABILITY = {
    "completion": _WRITES,
    "chat": _WRITES,
    "embedding": Ability.EMBED,
    "tools": Ability.TOOLS,
    "vision": Ability.IMAGES,
    "thinking": Ability.REASONING,
}
# By their names, as lists of OpenAI's protocol say no more.
_EMBEDS = re.compile(r"(^|[^a-z])(embed|embedding|embeddings)([^a-z]|$)")
_WRITES_NOTHING = re.compile(
    r"(^|[^a-z])(rerank|reranker|whisper|tts|transcribe|dall-e|moderation|gpt-image|image-\d|sora)([^a-z]|$)"
)
_KINDS = {
    Ability.CHAT: "providers.cannot_chat",
    Ability.GENERATE: "providers.cannot_generate",
    Ability.EMBED: "providers.cannot_embed",
    Ability.TOOLS: "providers.cannot_use_tools",
    Ability.IMAGES: "providers.cannot_see",
    Ability.SCHEMA: "providers.cannot_keep_schema",
    Ability.REASONING: "providers.cannot_reason",
}


def of_capabilities(names: AbstractSet[str] | None) -> Ability | None:
    """What a model with these capabilities can do; None if they are not known."""
    if names is None:
        return None
    found = Ability(0)
    for name in names:
        found |= _OF_CAPABILITY.get(name, Ability(0))
    return found


def of_name(name: str) -> Ability | None:
    """What the name of a model alone tells; None if that is nothing."""
    lower = name.lower()
    if _WRITES_NOTHING.search(lower):
        return Ability(0)
    return Ability.EMBED if _EMBEDS.search(lower) else None


def needed(request: ChatRequest | TextRequest) -> Ability:
    """What the model of a request must be able to do."""
    if not isinstance(request, ChatRequest):
        return (
            Ability.GENERATE
            | (Ability.IMAGES if request.images else Ability(0))
            | (Ability(0) if request.schema is None else Ability.SCHEMA)
        )
    return (
        Ability.CHAT
        | (Ability.TOOLS if request.tools else Ability(0))
        | (Ability.IMAGES if any(each.images for each in request.messages) else Ability(0))
        | (Ability(0) if request.schema is None else Ability.SCHEMA)
        | (Ability.REASONING if request.reasoning else Ability(0))
    )


def check(can: Ability | None, needs: Ability, *, provider: str, model: str) -> None:
    """Raise for the first ability that is needed and not there; one that is not known is no reason.

    Raises:
        CannotDo
    """
    for each in needs:
        if can is not None and each not in can:
            raise CannotDo(_KINDS[each], provider=provider, model=model)
