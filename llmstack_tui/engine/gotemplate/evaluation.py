"""Runs a template over values. Templates come from outside: steps and text have limits."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from llmstack_tui.engine.gotemplate.errors import TemplateFailure
from llmstack_tui.engine.gotemplate.functions import DATES, LAZY, PLAIN, is_true, printed
from llmstack_tui.engine.gotemplate.nodes import (
    Action,
    Branch,
    Call,
    Dot,
    Fields,
    Function,
    Literal,
    Node,
    Operand,
    Pipeline,
    Variable,
    WrittenText,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from llmstack_tui.engine.gotemplate.nodes import Value

# A conversation of 1,000 messages takes some 30,000; a million take half a second.
MOST_STEPS = 1_000_000
# Some four million tokens.
MOST_TEXT = 16_000_000
# How much text is as much work as a step.
_CHARACTERS = 256


def run(nodes: Sequence[Node], values: Mapping[str, Value], today: date) -> str:
    """The text that the template makes of ``values``.

    Raises:
        TemplateFailure: it failed, or exceeded a limit.
    """
    running = _Run(dict(values), today)
    running.write(nodes, running.root)
    return "".join(running.parts)


class _LoopLeft(Exception):
    """``break`` or ``continue``."""

    def __init__(self, *, continues: bool) -> None:
        super().__init__()
        self.continues = continues


class _Run:
    def __init__(self, root: Value, today: date) -> None:
        self.root = root
        self.parts: list[str] = []
        self._today = today
        self._variables: list[tuple[str, Value]] = [("$", root)]
        self._steps = 0
        self._length = 0

    def write(self, nodes: Sequence[Node], dot: Value) -> None:
        for node in nodes:
            self._spend(1)
            match node:
                case WrittenText(text):
                    self._put(text)
                case Action(pipeline):
                    value = self._pipeline(pipeline, dot)
                    if not pipeline.names:
                        self._put(self._print(value))
                case Branch(kind, pipeline):
                    known = len(self._variables)
                    if kind == "range":
                        self._repeat(node, dot)
                    else:
                        value = self._pipeline(pipeline, dot)
                        chosen = node.body if is_true(value) else node.otherwise
                        self.write(chosen, value if kind == "with" and is_true(value) else dot)
                    del self._variables[known:]
                case _:
                    raise _LoopLeft(continues=node.continues)

    def _repeat(self, node: Branch, dot: Value) -> None:
        names = node.pipeline.names
        known = len(self._variables)
        value = self._pipeline(node.pipeline, dot, assigns=False)
        many = False
        for key, item in _items(value):
            many = True
            self._spend(1)
            # One variable is the element, two are its place and the element.
            for name, each in zip(names, (key, item)[-len(names) :] if names else (), strict=True):
                self._set(name, each, declares=node.pipeline.declares)
            try:
                self.write(node.body, item)
            except _LoopLeft as left:
                if not left.continues:
                    return
            finally:
                del self._variables[known:]
        if not many:
            self.write(node.otherwise, dot)

    def _pipeline(self, pipeline: Pipeline, dot: Value, *, assigns: bool = True) -> Value:
        first, *others = pipeline.commands
        value = self._command(first, dot, ())
        for command in others:
            value = self._command(command, dot, (value,))
        for name in pipeline.names if assigns else ():
            self._set(name, value, declares=pipeline.declares)
        return value

    def _command(self, command: Call, dot: Value, piped: tuple[Value, ...]) -> Value:
        self._spend(len(command.operands))
        function, *operands = command.operands
        if not isinstance(function, Function):
            return self._operand(function, dot)
        if function.name in LAZY:
            return self._decide(function.name, operands, dot, piped)
        if function.name in DATES:
            return str(self._today - timedelta(days=function.name == "yesterdayDate"))
        found = PLAIN[function.name]([*(self._operand(each, dot) for each in operands), *piped])
        if isinstance(found, str | list):
            self._spend(len(found) // _CHARACTERS)
            self._check_length(len(found))
        return found

    def _decide(self, name: str, operands: Sequence[Operand], dot: Value, piped: tuple[Value, ...]) -> Value:
        """``and`` and ``or``: the value that decides, as in Python."""
        value: Value = None
        for value in self._each(operands, dot, piped):
            if is_true(value) == (name == "or"):
                break
        return value

    def _each(self, operands: Sequence[Operand], dot: Value, piped: Iterable[Value]) -> Iterable[Value]:
        for operand in operands:
            yield self._operand(operand, dot)
        yield from piped

    def _operand(self, operand: Operand, dot: Value) -> Value:
        match operand:
            case Literal(value):
                return value
            case Dot():
                return dot
            case Variable(name):
                return next(value for known, value in reversed(self._variables) if known == name)
            case Pipeline():
                return self._pipeline(operand, dot)
            case Fields(of, names):
                return _field(self._operand(of, dot), names)
        return self._command(Call((operand,)), dot, ())

    def _set(self, name: str, value: Value, *, declares: bool) -> None:
        if declares:
            self._variables.append((name, value))
            self._spend(1)
            return
        at = next(n for n in range(len(self._variables) - 1, -1, -1) if self._variables[n][0] == name)
        self._variables[at] = (name, value)

    def _print(self, value: Value) -> str:
        text = printed(value)
        self._spend(len(text) // _CHARACTERS)
        return text

    def _put(self, text: str) -> None:
        self._length += len(text)
        self._check_length(self._length)
        self.parts.append(text)

    def _spend(self, steps: int) -> None:
        self._steps += steps
        if self._steps > MOST_STEPS:
            raise TemplateFailure("template.too_many_steps", limit=MOST_STEPS)

    def _check_length(self, length: int) -> None:
        if length > MOST_TEXT:
            raise TemplateFailure("template.too_much_text", limit=MOST_TEXT)


def _items(value: Value) -> Iterable[tuple[Value, Value]]:
    """What ``range`` goes through: places or keys, and elements."""
    match value:
        case None:
            return ()
        case bool():
            pass
        case int():
            return ((number, number) for number in range(value))
        case list():
            return enumerate(value)
        case dict():
            return sorted(value.items())
    raise TemplateFailure("template.not_listed")


def _field(value: Value, names: Sequence[str]) -> Value:
    for name in names:
        if value is None:
            return None
        if not isinstance(value, dict):
            raise TemplateFailure("template.no_field", name=name)
        value = value.get(name)
    return value
