"""The engine's own sentences: why a model does not load, or a request ends.

In English they are what its clients get, and some of these look for their beginning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Catalogue

SENTENCES: Catalogue = {
    "engine.not_loaded": "The model cannot be loaded: {why:raw}",
    "engine.memory_short": (
        "model requires more system memory ({needed:size}) than is available ({room:size}) with a context of "
        "{context_length} tokens: ask for a shorter one (num_ctx), or take a smaller model."
    ),
    "engine.prompt_too_long": (
        "prompt is too long: {tokens} tokens > {context_length} maximum. "
        "The engine's setting context_length, or OLLAMA_CONTEXT_LENGTH, gives models a longer context."
    ),
    "engine.process_over": "The model's process {cause:raw}.",
    # Ollama's, spaces included.
    "engine.busy": "server busy, please try again.  maximum pending requests exceeded",
    "engine.stopping": "The engine is stopping: start it again with: llmstack engine start",
    "engine.stopped": "The engine was stopped in the middle of the answer.",
}
