"""An answer to a prompt that a Go template wrote: thinking and calls of tools, by the tags around them.

What counts as a tag and as a call follows ``thinking/parser.go`` and ``tools/tools.go`` in Ollama, which
llama.cpp knows nothing of.
"""

from __future__ import annotations

import json
import re
import secrets
import string
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from llmstack_tui.base.structs import replace
from llmstack_tui.engine.gotemplate.tags import OBJECT, ThinkingTags
from llmstack_tui.engine.inference.chunks import CompletionChunk, FunctionPart, ToolCallPart

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_BARE = (OBJECT, "[")
_LETTERS = string.ascii_lowercase + string.digits
# Where templates have the name of a tool and its arguments in a call.
_NAMES, _ARGUMENTS = ("name", "tool_name", "function"), ("arguments", "parameters")
_MOST_DEPTH = 100
_read_object = json.JSONDecoder(strict=False).raw_decode


class AnswerTags(Struct, frozen=True, kw_only=True):
    """What is to be looked for in an answer.

    Attributes:
        thinking: what stands around the thinking, if that is wanted.
        thinks: the prompt ends with the opening tag.
        tools: the names of those that may be called.
        call: what calls begin with.
        calls: the prompt ends with that.
    """

    thinking: ThinkingTags | None = None
    thinks: bool = False
    tools: tuple[str, ...] = ()
    call: str = OBJECT
    calls: bool = False


class TaggedAnswer:
    """Reads an answer, piece by piece."""

    def __init__(self, tags: AnswerTags) -> None:
        self._thinking = _ThinkingPart(tags.thinking, begun=tags.thinks) if tags.thinking else None
        self._calls = _CallPart(tags.tools, tags.call, begun=tags.calls) if tags.tools else None

    @property
    def answers(self) -> bool:
        """Whether the thinking is over, or there is none."""
        return self._thinking is None or self._thinking.over

    def thought(self, text: str) -> str:
        """The beginning of an answer's ``text`` that is thinking, with its tags."""
        return self._thinking.of(text) if self._thinking else ""

    def read(self, chunk: CompletionChunk) -> CompletionChunk:
        thinking, text = self._thinking.read(chunk.text) if self._thinking else ("", chunk.text)
        return replace(chunk, thinking=thinking, text=self._calls.read(text) if self._calls else text)

    def rest(self) -> CompletionChunk:
        """What was held back, at the end of the answer."""
        thinking, text = self._thinking.rest() if self._thinking else ("", "")
        if self._calls is None:
            return CompletionChunk(thinking=thinking, text=text)
        text, calls = self._calls.rest(self._calls.read(text))
        return CompletionChunk(thinking=thinking, text=text, tool_calls=calls)


class _ThinkingPart:
    """Before it, in it, or past it. White space around the thinking belongs to the tags."""

    def __init__(self, tags: ThinkingTags, *, begun: bool) -> None:
        self._tags = tags
        self._begun = begun
        self._said = False
        self._held = ""
        self.over = False

    def of(self, text: str) -> str:
        before, closed, _ = text.partition(self._tags.closing)
        return before + closed if closed else ""

    def read(self, piece: str) -> tuple[str, str]:
        self._held += piece
        thinking = ""
        if not self._begun and not self.over:
            found = self._held.lstrip()
            if self._tags.opening.startswith(found) and found != self._tags.opening:
                return "", ""
            self._begun = found.startswith(self._tags.opening)
            self.over = self._said = not self._begun
            self._held = found.removeprefix(self._tags.opening) if self._begun else self._held
        if not self.over:
            thinking = self._inside()
        if not self.over:
            return thinking, ""
        text, self._held = self._held if self._said else self._held.lstrip(), ""
        self._said = self._said or bool(text)
        return thinking, text

    def _inside(self) -> str:
        """The thinking in what is held; the closing tag ends it."""
        if not self._said:
            self._held = self._held.lstrip()
        thinking, closed, rest = self._held.partition(self._tags.closing)
        if closed:
            self.over, self._held = True, rest
        else:
            at = _possible(self._held, self._tags.closing)
            thinking, self._held = self._held[:at], self._held[at:]
        self._said = not closed and (self._said or bool(thinking))
        return thinking

    def rest(self) -> tuple[str, str]:
        return (self._held, "") if self._begun and not self.over else ("", self._held)


class _CallPart:
    """The text before the first call. From its tag on, everything is held back until the end.

    A bracket stands for a call only where the answer begins with it.
    """

    def __init__(self, tools: Sequence[str], tag: str, *, begun: bool) -> None:
        self._tools = tools
        self._tag = tag
        self._calling = begun
        self._searching = not begun
        self._said = False
        self._held = ""

    def read(self, text: str) -> str:
        self._held += text
        if self._calling:
            return ""
        if not self._searching:
            return self._take(len(self._held))
        at = self._held.find(self._tag)
        self._calling = at >= 0
        at = at if self._calling else _possible(self._held, self._tag)
        if not self._said and not self._held[:at].strip():
            return ""
        if self._tag in _BARE:
            self._searching = self._calling = False
            at = len(self._held)
        self._said = True
        return self._take(at)

    def rest(self, text: str) -> tuple[str, tuple[ToolCallPart, ...]]:
        """``text`` and what was held back, or the calls in that. A call of what is no tool is text."""
        if self._calling:
            _, tag, after = self._held.partition(self._tag)
            found = calls_in(after if tag and tag not in _BARE else self._held, self._tools)
            if calls := tuple(_part(index, *call) for index, call in enumerate(found)):
                return text, calls
        return text + self._held, ()

    def _take(self, count: int) -> str:
        taken, self._held = self._held[:count], self._held[count:]
        return taken


def _possible(text: str, tag: str) -> int:
    """Where at the end of the text the tag may begin."""
    longest = min(len(tag) - 1, len(text))
    return len(text) - next((n for n in range(longest, 0, -1) if text.endswith(tag[:n])), 0)


def _part(index: int, name: str, arguments: dict[str, object]) -> ToolCallPart:
    # An id as Ollama's are.
    call_id = "call_" + "".join(secrets.choice(_LETTERS) for _ in range(8))
    return ToolCallPart(index, call_id, FunctionPart(name, msgspec.json.encode(arguments).decode()))


def calls_in(text: str, tools: Sequence[str]) -> Iterator[tuple[str, dict[str, object]]]:
    """The calls of ``tools`` in a text: name and arguments.

    A call is an object with a name and arguments, be it inside of another, or the name and then an object
    that is the arguments.
    """
    longest_first = sorted(tools, key=len, reverse=True)
    name = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, longest_first))})(?![\w-])")
    since = at = 0
    while (at := text.find("{", at)) >= 0:
        try:
            found, end = _read_object(text, at)
        except ValueError:
            at += 1
            continue
        except RecursionError:
            return
        named = list(_named(found, tools, _MOST_DEPTH))
        if not named and (before := name.findall(text, since, at)):
            named = [(before[-1], found)]
        yield from named
        since = at = end


def _named(value: object, tools: Sequence[str], depth: int) -> Iterator[tuple[str, dict[str, object]]]:
    """The calls in a value of JSON that have their names in it."""
    if not depth or not isinstance(value, dict | list):
        return
    if isinstance(value, dict):
        if name := next((value[key] for key in _NAMES if value.get(key) in tools), ""):
            yield name, _arguments(next((value[key] for key in _ARGUMENTS if key in value), None))
            return
        if name := next((tool for tool in tools if isinstance(value.get(tool), dict)), ""):
            yield name, value[name]
            return
    for each in value if isinstance(value, list) else value.values():
        yield from _named(each, tools, depth - 1)


def _arguments(value: object) -> dict[str, object]:
    """The arguments of a call, which some models write as a text."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}
