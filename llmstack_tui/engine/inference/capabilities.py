"""What a model can be asked for, in Ollama's words: completion, embedding, tools, thinking.

The signs are those that Ollama looks for (``capabilitiesForTemplate`` in its ``server/images.go``). Images
and fill-in-the-middle, which the engine does not do, are never among them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmstack_tui.gguf.header import Header

COMPLETION, EMBEDDING, TOOLS, THINKING = "completion", "embedding", "tools", "thinking"


def capabilities(header: Header, template: str) -> tuple[str, ...]:
    """The capabilities of a model that runs with the Jinja ``template``."""
    if header.is_embedding:
        return (EMBEDDING,)
    found = [COMPLETION]
    if "tools" in template or "tool_call" in template:
        found.append(TOOLS)
    if _thinks(template):
        found.append(THINKING)
    return tuple(found)


def _thinks(template: str) -> bool:
    if "<think>" in template and "</think>" in template:
        return True
    # Some templates only cut earlier thoughts off; llama.cpp finds the thoughts of such models all the same.
    cuts = "content.split('</think>')" in template or 'content.split("</think>")' in template
    return cuts and "reasoning_content" not in template
