"""A model's Go template, and the prompts that it makes as Ollama does (``template/template.go``).

A template with ``.Messages`` is run once, over the whole conversation. An older one, with ``.System``,
``.Prompt`` and ``.Response``, is run for each question and its answer, and for the last question only up to
``.Response``. In both, neighbours of the same role are joined first.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.structs import replace
from llmstack_tui.engine.gotemplate.evaluation import run
from llmstack_tui.engine.gotemplate.nodes import (
    Action,
    Branch,
    Call,
    Dot,
    Fields,
    Node,
    Pipeline,
    fields_of,
)
from llmstack_tui.engine.gotemplate.parsing import parse
from llmstack_tui.engine.gotemplate.tags import ThinkingTags, call_tag, thinking_tags
from llmstack_tui.engine.gotemplate.values import FieldValues, tool_value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_RESPONSE = Action(Pipeline((Call((Fields(Dot(), ("Response",)),)),)))
_KEPT = 32
_SOME_DAY = date(2026, 1, 1)


class TemplateMessage(Struct, frozen=True, kw_only=True):
    """A message of a conversation. ``tool_calls``: as a template sees them."""

    role: str
    content: str = ""
    thinking: str = ""
    tool_calls: tuple[Mapping[str, object], ...] = ()
    tool_name: str = ""
    tool_call_id: str = ""

    def values(self) -> dict[str, object]:
        return {
            "Role": self.role,
            "Content": self.content,
            "Thinking": self.thinking,
            "Images": [],
            "ToolCalls": [dict(call) for call in self.tool_calls],
            "ToolName": self.tool_name,
            "ToolCallID": self.tool_call_id,
        }


class ThinkRequest(Struct, frozen=True):
    """What a request says of thinking; None is nothing."""

    wanted: bool | str | None = None

    def values(self) -> dict[str, object]:
        level = self.wanted if isinstance(self.wanted, str) else ""
        return {"Think": bool(self.wanted), "ThinkLevel": level, "IsThinkSet": self.wanted is not None}


class GoTemplate(Struct, frozen=True):
    """A template that can be run.

    Attributes:
        names: the fields that it uses, in lower case.
        call_tag: what the calls of tools in an answer begin with.
        thinking: what stands around the thinking in an answer.
    """

    nodes: tuple[Node, ...]
    names: frozenset[str]
    call_tag: str
    thinking: ThinkingTags | None

    @property
    def fills_in(self) -> bool:
        """Whether it can write what stands between a prompt and a suffix."""
        return "suffix" in self.names

    @property
    def has_tools(self) -> bool:
        """Whether it tells the model of tools."""
        return {"tools", "messages"} <= self.names

    def conversation(
        self,
        messages: Sequence[TemplateMessage],
        today: date,
        think: ThinkRequest,
        tools: Sequence[FieldValues] = (),
    ) -> str:
        """The prompt for the next answer. ``tools``: as `tool_value` makes them.

        Raises:
            TemplateFailure: the template failed, or exceeded a limit.
        """
        joined = collated(messages)
        if "messages" in self.names:
            system = "\n\n".join(each.content for each in messages if each.role == "system")
            said: list[object] = [each.values() for each in joined]
            values = {"System": system, "Messages": said, "Tools": [*tools], "Response": "", **think.values()}
            return run(self.nodes, values, today)
        return "".join(self._turns(joined, today, think))

    def filled(self, prompt: str, suffix: str, today: date, think: ThinkRequest) -> str:
        """The prompt for what stands between ``prompt`` and ``suffix``. Raises as `conversation`."""
        values = {"Prompt": prompt, "Suffix": suffix, "Response": "", **think.values()}
        return run(self.nodes, values, today)

    def _turns(self, messages: Sequence[TemplateMessage], today: date, think: ThinkRequest) -> list[str]:
        parts: list[str] = []
        turn = {"System": "", "Prompt": "", "Response": ""}
        for message in messages:
            complete = {"system": turn["Prompt"] or turn["Response"], "user": turn["Response"]}
            if complete.get(message.role):
                parts.append(run(self.nodes, {**turn, **think.values()}, today))
                turn = dict.fromkeys(turn, "")
            if name := {"system": "System", "user": "Prompt", "assistant": "Response"}.get(message.role):
                turn[name] = message.content
        nodes, _ = _until_response(self.nodes)
        return [*parts, run(nodes, {**turn, **think.values()}, today)]


@lru_cache(_KEPT)
def parsed(source: str) -> GoTemplate:
    """The template that ``source`` is.

    Raises:
        TemplateFailure: it cannot be read.
    """
    nodes = parse(source)
    names = frozenset(name.lower() for node in nodes for name in fields_of(node))
    if not names & {"messages", "response"}:
        nodes, names = (*nodes, _RESPONSE), names | {"response"}
    return GoTemplate(nodes, names, call_tag(nodes), thinking_tags(nodes))


def tried(source: str) -> GoTemplate:
    """The template that ``source`` is, after it has written prompts for a short conversation.

    Raises:
        TemplateFailure: it cannot be read, or failed.
    """
    template = parsed(source)
    messages = [TemplateMessage(role=role, content=role) for role in ("system", "user", "assistant", "user")]
    schema = {"properties": {"a": {"type": "string"}}, "required": ["a"]}
    tool = tool_value({"name": "f", "parameters": schema})
    for tools in ((), (tool,)) if template.has_tools else ((),):
        template.conversation(messages, _SOME_DAY, ThinkRequest(), tools)
    return template


def collated(messages: Sequence[TemplateMessage]) -> tuple[TemplateMessage, ...]:
    """The messages with neighbours of the same role joined, except what tools answered."""
    found: list[TemplateMessage] = []
    for message in messages:
        if found and found[-1].role == message.role != "tool":
            found[-1] = replace(found[-1], content=f"{found[-1].content}\n\n{message.content}")
        else:
            found.append(message)
    return tuple(found)


def _until_response(nodes: Sequence[Node]) -> tuple[tuple[Node, ...], bool]:
    """The nodes up to the first that writes ``.Response``, and whether there is one."""
    found: list[Node] = []
    for node in nodes:
        if isinstance(node, Action) and "Response" in fields_of(node):
            return (*found, node), True
        if isinstance(node, Branch):
            body, ends = _until_response(node.body)
            otherwise, ends_otherwise = _until_response(node.otherwise)
            if ends or ends_otherwise:
                return (*found, replace(node, body=body, otherwise=otherwise)), True
        found.append(node)
    return tuple(found), False
