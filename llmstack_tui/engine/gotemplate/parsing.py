"""Reads a Go template (``text/template/parse/parse.go``): texts and actions become nodes.

Not read: ``define``, ``template`` and ``block``, which no template of a model in Ollama's library uses.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from llmstack_tui.engine.gotemplate.errors import TemplateFailure
from llmstack_tui.engine.gotemplate.functions import FUNCTIONS
from llmstack_tui.engine.gotemplate.lexing import TemplatePiece, TemplateToken, pieces
from llmstack_tui.engine.gotemplate.nodes import (
    Action,
    Branch,
    Call,
    Dot,
    Fields,
    Function,
    Leave,
    Literal,
    Node,
    Operand,
    Pipeline,
    Variable,
    WrittenText,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# The longest that Ollama's library has is some 12,000 characters.
MOST_CHARACTERS = 200_000
MOST_DEPTH = 50
_UNSUPPORTED = frozenset({"define", "template", "block"})
_BRANCHES = frozenset({"if", "with", "range"})
_CONSTANTS = {"true": True, "false": False, "nil": None}
# Go's escapes that Python writes otherwise.
_ESCAPES = re.compile(r"\\(?:[abfnrtv\\'\"]|[0-7]{3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U00[01][0-9a-fA-F]{5})")


def parse(source: str) -> tuple[Node, ...]:
    """The nodes of a template.

    Raises:
        TemplateFailure: it cannot be read, or is too large.
    """
    if len(source) > MOST_CHARACTERS:
        raise TemplateFailure("template.too_large", size=len(source), limit=MOST_CHARACTERS)
    parser = _TemplateParser(pieces(source))
    found, ended = parser.nodes("", 0)
    if ended is not None:
        raise _unexpected(ended, ended.tokens[0].text if ended.tokens else "")
    return found


class _TemplateParser:
    def __init__(self, found: Iterator[TemplatePiece]) -> None:
        self._pieces = found
        self._variables: list[str] = ["$"]
        self._loops = 0

    def nodes(self, inside: str, depth: int) -> tuple[tuple[Node, ...], TemplatePiece | None]:
        """The nodes up to the ``end`` or ``else`` of the block ``inside``, and that."""
        if depth > MOST_DEPTH:
            raise TemplateFailure("template.too_deep", limit=MOST_DEPTH)
        found: list[Node] = []
        for piece in self._pieces:
            if piece.tokens is None:
                found.append(WrittenText(piece.text))
                continue
            if not piece.tokens:
                raise _unexpected(piece, "{{}}")
            word = piece.tokens[0]
            if word.kind == "word" and word.text in ("end", "else"):
                return tuple(found), piece
            found.append(self._node(piece, word.text, depth))
        if inside:
            raise TemplateFailure("template.unclosed", what=inside)
        return tuple(found), None

    def _node(self, piece: TemplatePiece, word: str, depth: int) -> Node:
        tokens = piece.tokens or ()
        if word in _UNSUPPORTED:
            raise TemplateFailure("template.unsupported", line=piece.line, name=word)
        if word in ("break", "continue"):
            if not self._loops or len(tokens) > 1:
                raise _unexpected(piece, word)
            return Leave(continues=word == "continue")
        if word in _BRANCHES:
            return self._branch(word, piece, tokens[1:], depth)
        return Action(self._whole(piece, tokens))

    def _branch(
        self, kind: str, piece: TemplatePiece, tokens: tuple[TemplateToken, ...], depth: int
    ) -> Branch:
        known = len(self._variables)
        pipeline = self._whole(piece, tokens, ranges=kind == "range")
        self._loops += kind == "range"
        body, ended = self.nodes(kind, depth + 1)
        self._loops -= kind == "range"
        otherwise: tuple[Node, ...] = ()
        if ended is not None and ended.tokens and ended.tokens[0].text == "else":
            rest = ended.tokens[1:]
            if rest and rest[0].text in ("if", "with"):
                # Its end is that of this branch, too.
                otherwise = (self._branch(rest[0].text, ended, rest[1:], depth + 1),)
                del self._variables[known:]
                return Branch(kind, pipeline, body, otherwise)
            if rest:
                raise _unexpected(ended, rest[0].text)
            otherwise, ended = self.nodes(kind, depth + 1)
        if ended is None or not ended.tokens or ended.tokens[0].text != "end" or len(ended.tokens) > 1:
            raise _unexpected(ended or piece, "else")
        del self._variables[known:]
        return Branch(kind, pipeline, body, otherwise)

    def _whole(
        self, piece: TemplatePiece, tokens: tuple[TemplateToken, ...], *, ranges: bool = False
    ) -> Pipeline:
        """The pipeline that ``tokens`` are, with the variables in front of it."""
        names: list[str] = []
        sign = next((n for n, token in enumerate(tokens[:4]) if token.text in (":=", "=")), 0)
        if sign:
            names = [token.text for token in tokens[:sign:2]]
            commas = [token.text for token in tokens[1:sign:2]]
            if (
                sign != 2 * len(names) - 1
                or any(token.kind != "variable" or token.text == "$" for token in tokens[:sign:2])
                or commas != [","] * (len(names) - 1)
                or len(names) > 1 + ranges
            ):
                raise _unexpected(piece, tokens[sign].text)
        declares = bool(sign) and tokens[sign].text == ":="
        for name in names if not declares else ():
            self._check_known(name, piece)
        reading = _Expression(piece, tokens[sign + 1 :] if sign else tokens, self._check_known)
        commands = reading.commands(0)
        if not reading.is_over:
            raise _unexpected(piece, reading.here)
        if declares:
            self._variables += names
        return Pipeline(commands, tuple(names), declares, piece.line)

    def _check_known(self, name: str, piece: TemplatePiece) -> None:
        if name not in self._variables:
            raise TemplateFailure("template.unknown_variable", line=piece.line, name=name)


class _Expression:
    """Reads the tokens of one pipeline."""

    def __init__(
        self,
        piece: TemplatePiece,
        tokens: tuple[TemplateToken, ...],
        check: Callable[[str, TemplatePiece], None],
    ) -> None:
        self._piece = piece
        self._tokens = tokens
        self._check = check
        self._at = 0

    @property
    def is_over(self) -> bool:
        return self._at >= len(self._tokens)

    @property
    def here(self) -> str:
        return "}}" if self.is_over else self._tokens[self._at].text

    def commands(self, depth: int) -> tuple[Call, ...]:
        if depth > MOST_DEPTH:
            raise TemplateFailure("template.too_deep", limit=MOST_DEPTH)
        found = [self._command(depth)]
        while self.here == "|":
            self._at += 1
            found.append(self._command(depth))
            if not isinstance(found[-1].operands[0], Function):
                raise _unexpected(self._piece, "|")
        return tuple(found)

    def _command(self, depth: int) -> Call:
        operands: list[Operand] = []
        while not self.is_over and self.here not in ("|", ")"):
            operands.append(self._operand(depth))
        if not operands or (len(operands) > 1 and not isinstance(operands[0], Function)):
            raise _unexpected(self._piece, self.here)
        return Call(tuple(operands))

    def _operand(self, depth: int) -> Operand:
        token = self._tokens[self._at]
        self._at += 1
        found: Operand
        match token.kind:
            case "text" | "letter":
                found = Literal(self._text(token))
            case "raw":
                found = Literal(token.text[1:-1])
            case "number":
                found = Literal(_number(token.text))
            case "field":
                return Fields(Dot(), tuple(token.text[1:].split(".")))
            case "variable":
                self._check(token.text, self._piece)
                found = Variable(token.text)
            case "word" if token.text in _CONSTANTS:
                found = Literal(_CONSTANTS[token.text])
            case "word" if token.text in FUNCTIONS:
                found = Function(token.text)
            case "word":
                raise TemplateFailure("template.unknown_function", line=self._piece.line, name=token.text)
            case _ if token.text == ".":
                found = Dot()
            case _ if token.text == "(":
                found = Pipeline(self.commands(depth + 1), line=self._piece.line)
                if self.here != ")":
                    raise _unexpected(self._piece, self.here)
                self._at += 1
            case _:
                raise _unexpected(self._piece, token.text)
        return self._with_fields(found)

    def _with_fields(self, of: Operand) -> Operand:
        if self.is_over or self._tokens[self._at].kind != "field" or self._tokens[self._at].spaced:
            return of
        self._at += 1
        return Fields(of, tuple(self._tokens[self._at - 1].text[1:].split(".")))

    def _text(self, token: TemplateToken) -> str | int:
        inner = token.text[1:-1]
        if "\\" in _ESCAPES.sub("", inner):
            raise _unexpected(self._piece, token.text)
        quote = '"' if token.kind == "text" else "'"
        text = str(ast.literal_eval(f"{quote}{inner}{quote}"))
        if token.kind == "text":
            return text
        if len(text) != 1:
            raise _unexpected(self._piece, token.text)
        return ord(text)


def _number(text: str) -> int | float:
    if "x" in text.lower():
        return int(text, 16)
    return float(text) if "." in text else int(text)


def _unexpected(piece: TemplatePiece, what: str) -> TemplateFailure:
    return TemplateFailure("template.unexpected", line=piece.line, what=what[:40])
