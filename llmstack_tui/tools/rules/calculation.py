"""Arithmetic, and nothing else of Python: no names, no attributes, no numbers without end."""

from __future__ import annotations

import ast
import math
import operator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MOST_CHARACTERS = 500
_MOST_BITS = 10_000

Number = int | float

_BINARY: Mapping[type[ast.operator], Callable[[Number, Number], Number]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_UNARY: Mapping[type[ast.unaryop], Callable[[Number], Number]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
_FUNCTIONS: Mapping[str, Callable[..., Number]] = {
    "abs": abs, "round": round, "min": min, "max": max, "sqrt": math.sqrt, "exp": math.exp, "log": math.log,
    "log2": math.log2, "log10": math.log10, "sin": math.sin, "cos": math.cos, "tan": math.tan,
    "floor": math.floor, "ceil": math.ceil,
}  # fmt: skip
_CONSTANTS = {"pi": math.pi, "e": math.e}


class NoNumber(ValueError):
    """The text is no arithmetic, or its value is no number."""


def calculated(expression: str) -> Number:
    """The value of an expression such as ``2 * (3 + sqrt(16)) ** 2``.

    Raises:
        NoNumber: it is none, is too large, or divides by zero.
    """
    if len(expression) > MOST_CHARACTERS:
        raise NoNumber(f"more than {MOST_CHARACTERS} characters")
    try:
        tree = ast.parse(expression.strip().replace("^", "**"), mode="eval")
        value = _value(tree.body)
    except (SyntaxError, TypeError, MemoryError, RecursionError):
        raise NoNumber("this is no arithmetic") from None
    except ZeroDivisionError:
        raise NoNumber("division by zero") from None
    except (OverflowError, ValueError) as error:
        raise error if isinstance(error, NoNumber) else NoNumber(str(error)) from None
    if isinstance(value, float) and not math.isfinite(value):
        raise NoNumber("the result is not a finite number")
    return value


def _value(node: ast.expr) -> Number:
    match node:
        case ast.Constant(value=bool()):
            raise NoNumber("this is no arithmetic")
        case ast.Constant(value=int() | float() as number):
            return _bounded(number)
        case ast.Name(id=name) if name in _CONSTANTS:
            return _CONSTANTS[name]
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _UNARY:
            return _UNARY[type(op)](_value(operand))
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _power(_value(left), _value(right))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return _bounded(_BINARY[type(op)](_value(left), _value(right)))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS:
            return _bounded(_FUNCTIONS[name](*map(_value, args)))
    raise NoNumber("this is no arithmetic")


def _power(base: Number, exponent: Number) -> Number:
    if isinstance(base, int) and isinstance(exponent, int) and abs(exponent) * base.bit_length() > _MOST_BITS:
        raise NoNumber("the result is too large")
    value: object = base**exponent
    if not isinstance(value, int | float):
        raise NoNumber("the result is not a real number")
    return value


def _bounded(value: Number) -> Number:
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        raise NoNumber("the result is too large")
    return value
