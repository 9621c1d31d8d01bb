"""What stands around tool calls and thinking in an answer: what its template writes around earlier ones.

As Ollama finds it (``tools/template.go`` and ``thinking/template.go``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.engine.gotemplate.nodes import Action, Branch, Node, WrittenText, fields_of

if TYPE_CHECKING:
    from collections.abc import Sequence

# What stands for the tag where a call has none.
OBJECT = "{"


class ThinkingTags(Struct, frozen=True):
    opening: str
    closing: str


def call_tag(nodes: Sequence[Node]) -> str:
    """What the calls of an answer begin with; `OBJECT` if that is the first call itself."""
    calls = _where_calls_are(nodes)
    text = _first_text(calls.body) if calls else ""
    return text.replace("\r\n", "\n").partition(OBJECT)[0].strip() or OBJECT


def thinking_tags(nodes: Sequence[Node]) -> ThinkingTags | None:
    """The first and the last text of the part that writes the thinking of a message; None without both."""
    opening, closing = _around_thinking(nodes, of_messages=False)
    return ThinkingTags(opening, closing) if opening and closing else None


def _where_calls_are(nodes: Sequence[Node]) -> Branch | None:
    for node in nodes:
        if isinstance(node, Branch):
            if "ToolCalls" in fields_of(node.pipeline):
                return node
            if found := _where_calls_are(node.body) or _where_calls_are(node.otherwise):
                return found
    return None


def _first_text(nodes: Sequence[Node]) -> str:
    """The first text that is not blank, unless a value is written before it."""
    for node in nodes:
        if isinstance(node, Branch):
            return _first_text(node.body) or _first_text(node.otherwise)
        if not isinstance(node, WrittenText):
            return ""
        if node.text.strip():
            return node.text
    return ""


def _around_thinking(nodes: Sequence[Node], *, of_messages: bool) -> tuple[str, str]:
    opening = closing = ""
    for node in nodes:
        if isinstance(node, Branch):
            inside = "Messages" in fields_of(node.pipeline) if node.kind == "range" else of_messages
            for part in (node.body, node.otherwise):
                first, last = _around_thinking(part, of_messages=inside)
                opening, closing = first or opening, last or closing
        elif of_messages and isinstance(node, Action) and "Thinking" in fields_of(node):
            opening, closing = _text(nodes[0]) or opening, _text(nodes[-1]) or closing
    return opening, closing


def _text(node: Node) -> str:
    return node.text.strip() if isinstance(node, WrittenText) else ""
