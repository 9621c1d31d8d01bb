"""Parameters of a model as a person types them: ``temperature 0.2, num_ctx 8192``."""

from __future__ import annotations

import json
import re

from llmstack_tui.base.languages import tr

# A comma separates only before another "name value": values such as lists of stop words have commas.
_PARTED = re.compile(r"\n|,\s*(?=[a-z_]+\s*[ =:])")
_NAMED = re.compile(r"(?P<name>\w+)\s*[ =:]\s*(?P<value>.+)")


def parameters(text: str) -> dict[str, object]:
    """The parameters by name, separated by commas or line ends, with values as Ollama expects them.

    Raises:
        ValueError: a sentence that says what is wrong.
    """
    from llmstack_tui.ollama.options import merge, unknown

    found: dict[str, object] = {}
    for part in filter(None, map(str.strip, _PARTED.split(text))):
        match = _NAMED.fullmatch(part)
        if match is None:
            raise ValueError(tr("{part!r} is not a name and a value, such as temperature 0.2.", part=part))
        name, value = match["name"], _value(match["value"].strip())
        if unknown({name: value}):
            raise ValueError(
                tr(
                    "There is no parameter {name!r}. Common ones: temperature, num_ctx, top_p, seed.",
                    name=name,
                )
            )
        if name == "stop":
            stops = found.get(name)
            # "stop" may be repeated, once per word.
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
