"""JSON schemas of arguments, and whether arguments fit them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.text import excerpt
from llmstack_tui.tools.types import ToolFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmstack_tui.providers.types import Tool, ToolCall

Schema = dict[str, object]


def text(purpose: str) -> Schema:
    return {"type": "string", "description": purpose}


def integer(purpose: str) -> Schema:
    return {"type": "integer", "minimum": 1, "description": purpose}


def arguments(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """The schema of an object with these fields and no others."""
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


def check(tool: Tool, call: ToolCall) -> None:
    """Whether the arguments of a call fit its tool.

    Raises:
        ToolFailed: they do not, or are no JSON object; or the schema, which may be somebody else's, is none.
    """
    from jsonschema import Draft202012Validator  # noqa: PLC0415  # 40 ms
    from jsonschema.exceptions import SchemaError, best_match  # noqa: PLC0415

    if call.arguments is None:
        raise ToolFailed("tools.no_json", tool=tool.name, written=excerpt(call.written))
    try:
        Draft202012Validator.check_schema(dict(tool.schema))
        wrong = best_match(Draft202012Validator(dict(tool.schema)).iter_errors(dict(call.arguments)))
    except (SchemaError, RecursionError) as error:
        raise ToolFailed("tools.no_schema", tool=tool.name, why=excerpt(str(error))) from None
    if wrong is not None:
        where = ".".join(map(str, wrong.absolute_path))
        raise ToolFailed("tools.wrong_arguments", tool=tool.name, where=where, why=excerpt(wrong.message))
