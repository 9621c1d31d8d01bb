"""What a template is made of, once it is read: frozen values."""

from __future__ import annotations

from msgspec import Struct

Value = object
"""A value of a template: None, bool, int, float, str, or a list or dict of values."""


class Dot(Struct, frozen=True):
    """``.``: what the template is about at this place."""


class Literal(Struct, frozen=True):
    value: Value


class Function(Struct, frozen=True):
    name: str


class Variable(Struct, frozen=True):
    """``$name``; ``$`` alone is what the whole template is about."""

    name: str


class Fields(Struct, frozen=True):
    """``.Name.Name`` of a value."""

    of: Operand
    names: tuple[str, ...]


class Call(Struct, frozen=True):
    """A function and its arguments, or one value."""

    operands: tuple[Operand, ...]


class Pipeline(Struct, frozen=True):
    """Commands, each of which gives its value to the next one as the last argument.

    Attributes:
        names: the variables that get the value.
        declares: whether these are new (``:=``).
        line: where it stands, from 1.
    """

    commands: tuple[Call, ...]
    names: tuple[str, ...] = ()
    declares: bool = False
    line: int = 0


Operand = Dot | Literal | Function | Variable | Fields | Pipeline


class WrittenText(Struct, frozen=True):
    text: str


class Action(Struct, frozen=True):
    """Writes a value, unless that goes to variables."""

    pipeline: Pipeline


class Branch(Struct, frozen=True):
    """``if``, ``with`` or ``range``, which ``kind`` says."""

    kind: str
    pipeline: Pipeline
    body: tuple[Node, ...]
    otherwise: tuple[Node, ...] = ()


class Leave(Struct, frozen=True):
    """``break``, or ``continue`` if it ``continues``."""

    continues: bool


Node = WrittenText | Action | Branch | Leave


def fields_of(node: Node | Operand | Call) -> frozenset[str]:
    """The names of all fields and variables in a part of a template (``Identifiers`` in Ollama)."""
    match node:
        case Action(pipeline):
            return fields_of(pipeline)
        case Branch(_, pipeline, body, otherwise):
            return fields_of(pipeline).union(*map(fields_of, (*body, *otherwise)))
        case Pipeline(commands):
            return frozenset().union(*map(fields_of, commands))
        case Call(operands):
            return frozenset().union(*map(fields_of, operands))
        case Fields(of, names):
            return fields_of(of) | set(names)
    return frozenset()
