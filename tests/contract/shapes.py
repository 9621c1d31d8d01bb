"""Whether an answer has the shape of a recorded one: the same keys with values of the same type."""

from __future__ import annotations

import re
from typing import cast

# What is below these keys depends on the model, not on the server.
OF_THE_MODEL = frozenset({"model_info", "tensors"})


def missing(recorded: object, answered: object, path: str = "") -> list[str]:
    """What ``recorded`` has and ``answered`` lacks, as paths with the reason; more keys are welcome."""
    if _kind(recorded) != _kind(answered):
        return [f"{path}: {answered!r} for {recorded!r}"]
    found = []
    if isinstance(recorded, dict) and isinstance(answered, dict):
        for key, value in recorded.items():
            if key not in answered:
                found.append(f"{path}.{key}: not there")
            elif key not in OF_THE_MODEL:
                found += missing(value, answered[key], f"{path}.{key}")
    elif isinstance(recorded, list) and isinstance(answered, list) and recorded and answered:
        found = missing(recorded[0], answered[0], f"{path}[0]")
    return found


def steps(lines: object) -> list[str]:
    """What a stream says, each once and in order; whose layer it is depends on the model.

    A text stands for lines that were left out of the recording.
    """
    told = [line for line in cast("list[dict[str, object] | str]", lines) if not isinstance(line, str)]
    statuses = [str(line.get("status", "error")) for line in told]
    words = (
        re.sub(r"^(pulling|using existing|creating new) .*[0-9a-f]{12}$", r"\1", each) for each in statuses
    )
    return list(dict.fromkeys(words))


def _kind(value: object) -> str:
    """The type of a value as JSON has it: one for all numbers."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return "number" if number else type(value).__name__
