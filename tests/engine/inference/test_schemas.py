"""What is added to a schema before a grammar is made of it."""

from __future__ import annotations

from typing import Any

import pytest

from llmstack_tui.engine.inference.schemas import strict

A = {"type": "object", "properties": {"a": {"type": "string"}}}
CLOSED = {**A, "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "closed"),
    [
        (A, CLOSED),
        ({}, {"type": "object"}),
        ({"type": "object"}, {"type": "object"}),
        ({**A, "additionalProperties": True}, {**A, "additionalProperties": True}),
        ({"type": "array", "items": A}, {"type": "array", "items": CLOSED}),
        ({"anyOf": [A, {"type": "null"}]}, {"anyOf": [CLOSED, {"type": "null"}]}),
        ({"$ref": "#/$defs/A", "$defs": {"A": A}}, {"$ref": "#/$defs/A", "$defs": {"A": CLOSED}}),
        ({"properties": {"x": A}}, {"properties": {"x": CLOSED}, "additionalProperties": False}),
        ({"properties": {"properties": {"enum": [A]}}}, None),
        ({"items": {"pattern": "^(?:a|b)+$"}}, "as it is"),
        ({"type": "integer"}, {"type": "integer", "minimum": -(10**18), "maximum": 10**18}),
        (
            {"items": {"type": "integer", "minimum": 3}},
            {"items": {"type": "integer", "minimum": 3, "maximum": 10**18}},
        ),
        (
            {"type": ["integer", "null"]},
            {"type": ["integer", "null"], "minimum": -(10**18), "maximum": 10**18},
        ),
        ({"type": "number"}, "as it is"),
        ({"type": ["integer", "number"]}, "as it is"),
        ({"items": {"pattern": "^(?!a)"}}, {"items": {}}),
        ({**A, "anyOf": [{"properties": {"b": {}}}]}, {**A, "anyOf": [{"properties": {"b": {}}}]}),
        ({"items": {"allOf": [{"$ref": "#/$defs/A"}]}, "$defs": {"A": A}}, "as it is"),
    ],
)
def test_schemas(schema: dict[str, Any], closed: Any) -> None:
    spacing = {
        "x-guidance": {
            "lenient": True,
            "whitespace_flexible": False,
            "item_separator": ", ",
            "key_separator": ": ",
        }
    }
    expected = {None: {**schema, "additionalProperties": False}, "as it is": schema}
    assert strict(schema) == (closed if isinstance(closed, dict) else expected[closed]) | spacing
