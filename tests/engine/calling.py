"""A model that calls a tool, whatever it is asked: in the form that Qwen's and Hermes' templates teach."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.gguf import models

if TYPE_CHECKING:
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
_CALL = '\n{"name": "add", "arguments": {"a": 1}}\n'
_SCRIPT = {
    "\n": ("<tool_call>",),
    "<tool_call>": (_CALL,),
    _CALL: ("</tool_call>",),
    "</tool_call>": (models.END,),
}
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


def caller(path: Path) -> Path:
    """A model that calls ``add`` with `ARGUMENTS` when it has tools, and writes the same as text without."""
    return models.chain(path, "Tiny Caller", _SCRIPT, otherwise="\n", hidden=32, chat_template=_TEMPLATE)
