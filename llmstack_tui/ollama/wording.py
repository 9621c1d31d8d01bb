"""What is said of Ollama alone: how its start failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Catalogue

SENTENCES: Catalogue = {
    "ollama.not_started": "{program} could not be started: {why}.",
    "ollama.ended": "Ollama ended at once: {words} (more in {log})",
    "ollama.ended_silently": "Ollama ended at once: see {log}.",
    "ollama.silent": "Ollama did not answer at {url} within {waited_s:g} seconds: see {log}.",
    "ollama.something_else": "Something else answers at {url}: {why}",
    "host.is_it_ollama": "Is it an Ollama server?",
}
