"""Parameters of a model as one types them: "temperature 0.2, num_ctx 8192"."""

from __future__ import annotations

import json
import re

# A comma within a value, as in a list of stop words, parts nothing.
_PARTED = re.compile(r"\n|,\s*(?=[a-z_]+\s*[ =:])")
_NAMED = re.compile(r"(?P<name>\w+)\s*[ =:]\s*(?P<value>.+)")


def parameters(text: str) -> dict[str, object]:
    """The values by their names, parted by commas or line ends; each as Ollama takes it.

    Raises:
        ValueError: a sentence that says what is wrong.
    """
    from llmstack_tui.ollama.options import merge, unknown

    found: dict[str, object] = {}
    for part in filter(None, map(str.strip, _PARTED.split(text))):
        match = _NAMED.fullmatch(part)
        if match is None:
            raise ValueError(f"{part!r} is no name and value, such as temperature 0.2.")
        name, value = match["name"], _value(match["value"].strip())
        if unknown({name: value}):
            raise ValueError(
                f"There is no parameter {name!r}. Usual ones: temperature, num_ctx, top_p, seed."
            )
        if name == "stop":
            stops = found.get(name)
            # Each stop word may stand for itself.
            value = [*(stops if isinstance(stops, list) else ()), *_words(value)]
        found[name] = value
    merge(found)
    return found


def _value(text: str) -> object:
    try:
        value: object = json.loads(text)
    except ValueError:
        return text
    return value


def _words(value: object) -> list[object]:
    return [*value] if isinstance(value, list) else [value if isinstance(value, str) else str(value)]
