"""The values of tools in a template (``convertToolsForTemplate`` in Ollama's ``template/template.go``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmstack_tui.engine.gotemplate.nodes import Value

# The fields of a JSON schema: as it has them, in the order in which they are written, and as templates do.
_SCHEMA = {
    "anyOf": "AnyOf",
    "type": "Type",
    "$defs": "Defs",
    "items": "Items",
    "description": "Description",
    "enum": "Enum",
    "required": "Required",
    "properties": "Properties",
}
_TOOL = {"type": "Type", "function": "Function", "name": "Name", "parameters": "Parameters"}
_IN_JSON = {field: name for name, field in (_SCHEMA | _TOOL).items()}


class FieldValues(dict[str, "Value"]):
    """The fields of a value by their names in templates. Written, it has those of JSON, in this order."""

    def as_json(self) -> dict[str, Value]:
        return {_IN_JSON.get(name, name): value for name, value in self.items()}


def tool_value(function: Mapping[str, Value]) -> FieldValues:
    """A tool: a function with its name, description and parameters, which are a JSON schema."""
    parameters = function.get("parameters")
    schema = {"type": "object", "properties": {}, **(parameters if isinstance(parameters, dict) else {})}
    described = {"Name": function["name"], "Description": function.get("description", "")}
    return FieldValues(Type="function", Function=FieldValues(described, Parameters=_schema(schema)))


def _schema(schema: Value) -> Value:
    """A JSON schema. What Ollama's templates have no field for, such as a default, follows at its end."""
    if not isinstance(schema, dict):
        return schema
    found = FieldValues({field: schema[name] for name, field in _SCHEMA.items() if name in schema})
    if isinstance(properties := found.get("Properties"), dict):
        found["Properties"] = {name: _schema(each) for name, each in properties.items()}
    if isinstance(kinds := found.get("AnyOf"), list):
        found["AnyOf"] = [_schema(each) for each in kinds]
    return FieldValues({**found, **{name: each for name, each in schema.items() if name not in _SCHEMA}})
