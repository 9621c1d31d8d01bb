"""What is said of servers that speak OpenAI's protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Catalogue

SENTENCES: Catalogue = {
    "openai.is_it": "Is it a server with OpenAI's API?",
    "openai.answers": (
        "{model} is answering a request, which {host} would cut off: unload it when the answer has ended."
    ),
    "openai.not_loaded": (
        "{host} could not load {model}: its process ended with {code}. See the server's log."
    ),
    "openai.not_begun": "{host} could not load {model}: see the server's log.",
    "openai.loads_too_long": (
        "{host} has not loaded {model} within {limit_s:g} seconds: see the server's log."
    ),
}
