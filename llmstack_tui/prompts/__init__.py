"""Prompts: texts with variables, kept as files, and what programs need around them.

What is named here is the Python interface; ``llmstack guide prompts`` tells the format of the files.
"""

from __future__ import annotations

from llmstack_tui.prompts.formatting import format_prompt, render_prompt
from llmstack_tui.prompts.queries import Entity, Patterns, Query, parse_query
from llmstack_tui.prompts.responses import ResponseCheck, validate_response
from llmstack_tui.prompts.truncation import Truncated, truncate_prompt
from llmstack_tui.prompts.types import PromptError, RenderedPrompt

__all__ = [
    "Entity",
    "Patterns",
    "PromptError",
    "Query",
    "RenderedPrompt",
    "ResponseCheck",
    "Truncated",
    "format_prompt",
    "parse_query",
    "render_prompt",
    "truncate_prompt",
    "validate_response",
]
