"""A model that calls a tool once, and answers a sentence to its result: what an agent's loop ends with."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec

from tests.support.gguf import models

if TYPE_CHECKING:
    from pathlib import Path

ARGUMENTS = {"a": 1}
REPLY = "and that is it."
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
FUNCTION = {"name": "add", "description": "Adds.", "parameters": SCHEMA}
VERDICT = {
    "type": "object",
    "properties": {"right": {"type": "boolean"}},
    "required": ["right"],
    "additionalProperties": False,
}

# After a result the prompt ends with a word of the answer rather than with a new line.
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
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\n' }}
    {%- if messages[-1].role == 'tool' %}{{- ' done' }}{%- endif %}
{%- endif %}
"""


def agreeing(path: Path) -> Path:
    """A model that calls ``add`` with ``ARGUMENTS``, and answers ``REPLY`` to what it gave."""
    call = f'\n{{"name": "add", "arguments": {json.dumps(ARGUMENTS)}}}\n'
    words = (" done", " and", " that", " is", " it", ".", models.END)
    script = {
        "\n": ("<tool_call>",),
        "<tool_call>": (call,),
        call: ("</tool_call>",),
        "</tool_call>": (models.END,),
        **{word: (follower,) for word, follower in pairwise(words)},
    }
    return models.chain(path, "Tiny Agreeing", script, otherwise="\n", hidden=32, chat_template=_TEMPLATE)


def judging(path: Path) -> Path:
    """A model that says "No", or, where a grammar forbids that, what ``VERDICT`` wants.

    Others would fill what a grammar allows with spaces.
    """
    verdict = '{"right": true}'
    script = {"\n": ("No", verdict), "No": (models.END,), verdict: (models.END,)}
    return models.chain(path, "Tiny Judging", script, otherwise="\n", hidden=32)


def is_verdict(text: str) -> bool:
    """Whether a text is JSON as ``VERDICT`` wants it."""
    found = msgspec.json.decode(text)
    return isinstance(found, dict) and found.keys() == {"right"} and isinstance(found["right"], bool)
