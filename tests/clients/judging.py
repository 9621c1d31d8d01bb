"""A model that gives a verdict in JSON, if a grammar has it do so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tests.support.gguf import models

if TYPE_CHECKING:
    from pathlib import Path

VERDICT = {
    "type": "object",
    "properties": {"right": {"type": "boolean"}},
    "required": ["right"],
    "additionalProperties": False,
}


def judging(path: Path) -> Path:
    """A model that says "No", or, where a grammar forbids that, what ``VERDICT`` wants.

    Others would fill what a grammar allows with spaces.
    """
    verdict = '{"right": true}'
    script = {"\n": ("No", verdict), "No": (models.END,), verdict: (models.END,)}
    return models.chain(path, "Tiny Judging", script, otherwise="\n", hidden=32)


def is_verdict(text: str) -> bool:
    """Whether a text is JSON as ``VERDICT`` wants it."""
    found = msgspec.json.decode(text)
    return isinstance(found, dict) and found.keys() == {"right"} and isinstance(found["right"], bool)
