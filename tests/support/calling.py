"""A model that calls a tool, whatever it is asked: in the form that Qwen's and Hermes' templates teach."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.support.gguf import models

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TOOL = {
    "type": "function",
    "function": {
        "name": "add",
        "description": "Adds.",
        "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
    },
}
ARGUMENTS = {"a": 1}
_TEMPLATE = r"""
{%- if tools %}
    {{- '<|im_start|>system\nTools: <tools>' }}
    {%- for tool in tools %}{{- '\n' + (tool | tojson) }}{%- endfor %}
    {{- '\n</tools>\nCall with <tool_call>\n{"name": …, "arguments": …}\n</tool_call><|im_end|>\n' }}
{%- endif %}
{%- for message in messages %}
    {%- if message.role == 'assistant' and message.tool_calls %}
        {{- '<|im_start|>assistant' }}
        {%- for call in message.tool_calls %}
            {{- '\n<tool_call>\n{"name": "' + call.function.name + '", "arguments": ' }}
            {{- call.function.arguments | tojson }}{{- '}\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\n' }}
    {%- elif message.role == 'tool' %}
        {{- '<|im_start|>user\n<tool_response>\n' + message.content + '\n</tool_response><|im_end|>\n' }}
    {%- else %}
        {{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %}
"""


def caller(path: Path, name: str = "add", arguments: Mapping[str, object] = ARGUMENTS) -> Path:
    """A model that calls ``name`` with ``arguments`` if it has tools, and writes the same as text if not."""
    call = f'\n{{"name": "{name}", "arguments": {json.dumps(arguments)}}}\n'
    script = {
        "\n": ("<tool_call>",),
        "<tool_call>": (call,),
        call: ("</tool_call>",),
        "</tool_call>": (models.END,),
    }
    return models.chain(path, "Tiny Caller", script, otherwise="\n", hidden=32, chat_template=_TEMPLATE)
