"""Whether an answer has the shape of a recorded one: the same keys with values of the same type."""

from __future__ import annotations

# What is below these keys depends on the model, not on the server.
OF_THE_MODEL = frozenset({"model_info", "tensors"})


def missing(recorded: object, answered: object, path: str = "") -> list[str]:
    """What ``recorded`` has and ``answered`` lacks, as paths with the reason; more keys are welcome."""
    if isinstance(recorded, dict):
        if not isinstance(answered, dict):
            return [f"{path}: {type(answered).__name__} for an object"]
        found = []
        for key, value in recorded.items():
            where = f"{path}.{key}"
            if key not in answered:
                found.append(f"{where}: not there")
            elif key not in OF_THE_MODEL:
                found += missing(value, answered[key], where)
        return found
    if isinstance(recorded, list):
        if not isinstance(answered, list):
            return [f"{path}: {type(answered).__name__} for a list"]
        return missing(recorded[0], answered[0], f"{path}[0]") if recorded and answered else []
    if recorded is None or answered is None:
        return [] if recorded is answered else [f"{path}: {answered!r} for {recorded!r}"]
    if isinstance(recorded, bool) or isinstance(answered, bool):
        return [] if type(recorded) is type(answered) else [f"{path}: {answered!r} for {recorded!r}"]
    if isinstance(recorded, int | float) and isinstance(answered, int | float):
        return []
    return [] if type(recorded) is type(answered) else [f"{path}: {answered!r} for {recorded!r}"]
