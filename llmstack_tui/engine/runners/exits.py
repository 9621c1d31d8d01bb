"""Why a model's process ended, from its exit status and the last lines of its standard error."""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# "0.00.004.776 E llama_model_load: error loading model: unknown model architecture: 'foo'":
# a time, the level, sometimes a component, a function, and the text.
_ERROR_LINE = re.compile(
    r"[\d.]+ E (?:\w+ +)?[\w():]+: +(?:error loading model: |error: |init: )*(?P<text>.+)"
)
_ASSERTION = re.compile(r".*?(?P<text>GGML_ASSERT\(.*|what\(\): .*)")

_MEANINGS = {
    "SIGKILL": "was killed (SIGKILL), most likely because the machine ran out of memory",
    "SIGBUS": "crashed (SIGBUS): the model's file was changed or cut off while it was in use",
    "SIGILL": "crashed (SIGILL): the processor lacks instructions that the engine was built for",
    "SIGTERM": "was ended from outside (SIGTERM)",
}


def ending(status: int, stderr: Sequence[str]) -> str:
    """How a process ended that was not stopped, as the predicate of a sentence: "was killed (SIGKILL), …".

    ``status`` is negative for a signal, as in `subprocess`.
    """
    if status < 0:
        name = _signal_name(-status)
        if meaning := _MEANINGS.get(name):
            return meaning
        text = _first(_ASSERTION, stderr)
        return f"crashed ({name})" + (f": {text}" if text else "")
    text = _error_text(stderr)
    return f"ended by itself (exit status {status})" + (f": {text}" if text else "")


def load_failure(status: int, stderr: Sequence[str]) -> str:
    """Why a process ended before it was ready: llama.cpp's first error, or how it ended."""
    if status < 0:
        return f"its process {ending(status, stderr)}"
    # The first error is the cause, later ones are its consequences.
    return _error_text(stderr) or f"its process ended (exit status {status}) and did not say why"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _error_text(stderr: Sequence[str]) -> str | None:
    found = _first(_ERROR_LINE, stderr) or next((line for line in reversed(stderr) if line.strip()), None)
    return found.strip().rstrip(".") if found else None


def _first(pattern: re.Pattern[str], lines: Sequence[str]) -> str | None:
    matches = (pattern.fullmatch(line) for line in lines)
    return next((match["text"].strip().rstrip(".") for match in matches if match), None)
