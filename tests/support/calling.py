"""Models that call a tool, in the form that Qwen's and Hermes' templates teach."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING

from tests.support.gguf import models

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
FUNCTION = {"name": "add", "description": "Adds.", "parameters": SCHEMA}
TOOL = {"type": "function", "function": FUNCTION}
ARGUMENTS = {"a": 1}
REPLY = "and that is it."
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
# After a result of the tool ``add``, and of no other, the prompt ends with a word of the answer.
_AFTER_A_RESULT = (
    r"{%- if messages[-1].role == 'tool' and messages[-1].name == 'add' %}{{- ' done' }}{%- endif %}"
)


def caller(path: Path, name: str = "add", arguments: Mapping[str, object] = ARGUMENTS) -> Path:
    """A model that calls ``name`` with ``arguments`` if it has tools, and writes the same as text if not."""
    script = _calling(name, arguments)
    return models.chain(path, "Tiny Caller", script, otherwise="\n", hidden=32, chat_template=_TEMPLATE)


def agreeing(path: Path) -> Path:
    """A model that calls ``add`` with ``ARGUMENTS``, and answers ``REPLY`` to what it gave.

    That is what an agent's loop ends with.
    """
    words = (" done", " and", " that", " is", " it", ".", models.END)
    script = {**_calling("add", ARGUMENTS), **{word: (follower,) for word, follower in pairwise(words)}}
    template = _TEMPLATE + _AFTER_A_RESULT
    return models.chain(path, "Tiny Agreeing", script, otherwise="\n", hidden=32, chat_template=template)


def _calling(name: str, arguments: Mapping[str, object]) -> dict[str, tuple[str, ...]]:
    call = f'\n{{"name": "{name}", "arguments": {json.dumps(arguments)}}}\n'
    return {
        "\n": ("<tool_call>",),
        "<tool_call>": (call,),
        call: ("</tool_call>",),
        "</tool_call>": (models.END,),
    }
