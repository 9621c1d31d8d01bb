"""JSON schemas for the grammar of an answer: as narrow as Ollama reads them.

llama.cpp's build here makes the grammar of a completion with llguidance. It allows what the schema does not
rule out: white space and digits without end, and properties that no schema names. Weak models write these to
the limit of the answer: of nine of SmolLM2-135M in JSON, three ended within 100 tokens without this, and
seven with it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

# Without "lenient", a schema with a word that it does not know, such as uniqueItems, would not count at all.
_READ_AS = {"lenient": True, "whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}
# Fewer digits than an integer of 64 bits may have. A bounded number would have no exponent: 1e-4 became 1.
_BOUNDS = {"minimum": -(10**18), "maximum": 10**18}
# What it cannot do in a pattern, and would not count the schema for.
_NO_PATTERN = re.compile(r"\(\?(?!:)|\\[1-9bB]")
# Where a schema has others: by name, in a list, or as its value.
_NAMED, _LISTED, _SINGLE = ("properties", "$defs", "definitions"), ("anyOf", "oneOf"), ("items",)
# What allows an object more than its own properties.
_MORE = ("anyOf", "oneOf", "$ref", "if", "patternProperties", "unevaluatedProperties", "dependentSchemas")


def strict(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema with a space after commas and colons only, bounded integers, and no properties but its own.

    Where it says what it allows beside them, that counts. An empty one stands for any object. What no grammar
    can express is passed over, as by Ollama.
    """
    # What a part of an ``allOf`` does not name, another one may.
    combines = b'"allOf"' in msgspec.json.encode(schema)
    found = dict(schema) if combines else _closed(schema)
    return {**(found or {"type": "object"}), "x-guidance": _READ_AS}


def _closed(schema: Any) -> Any:
    if not isinstance(schema, dict) or ("properties" in schema and any(key in schema for key in _MORE)):
        return schema
    found = dict(schema)
    for key, value in schema.items():
        if key == "pattern" and _NO_PATTERN.search(str(value)):
            del found[key]
        elif key in _NAMED and isinstance(value, dict):
            found[key] = {name: _closed(each) for name, each in value.items()}
        elif key in _LISTED and isinstance(value, list):
            found[key] = [_closed(each) for each in value]
        elif key in _SINGLE:
            found[key] = _closed(value)
    kinds = found.get("type")
    if kinds == "integer" or (isinstance(kinds, list) and "integer" in kinds and "number" not in kinds):
        return {**_BOUNDS, **found}
    return {"additionalProperties": False, **found} if "properties" in found else found
