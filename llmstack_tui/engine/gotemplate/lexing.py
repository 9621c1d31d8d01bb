"""The text of a template as pieces: text, and the tokens of each action between ``{{`` and ``}}``.

As in Go (``text/template/parse/lex.go``): ``{{- `` takes away the white space before it, `` -}}`` that
after it; ``{{/* … */}}`` is a comment.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.engine.gotemplate.errors import TemplateFailure

if TYPE_CHECKING:
    from collections.abc import Iterator

_SPACE = " \t\r\n"
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_CLOSING = re.compile(r"(?P<trims>\s+-)?\}\}")
_TOKEN = re.compile(
    r"""
    (?P<text>"(?:[^"\\\n]|\\.)*")|(?P<raw>`[^`]*`)|(?P<letter>'(?:[^'\\\n]|\\.)+')
    |(?P<number>[+-]?(?:0[xX][0-9a-fA-F]{1,15}|\d{1,18}(?:\.\d{1,18})?)(?![\w.]))
    |(?P<field>(?:\.[^\W\d]\w*)+)
    |(?P<variable>\$\w*)
    |(?P<word>[^\W\d]\w*)
    |(?P<sign>:=|[=|(),.])
    """,
    re.VERBOSE,
)


class TemplateToken(Struct, frozen=True):
    """``kind`` is a group of the pattern above; ``spaced``: whether white space stands before it."""

    kind: str
    text: str
    spaced: bool


class TemplatePiece(Struct, frozen=True):
    """A text, or the tokens of an action that begins in that line."""

    line: int
    text: str = ""
    tokens: tuple[TemplateToken, ...] | None = None


def pieces(source: str) -> Iterator[TemplatePiece]:
    """The pieces in their order.

    Raises:
        TemplateFailure: an action does not end, or has a letter that nothing begins with.
    """
    at, line, trims = 0, 1, False
    while at < len(source):
        opening = source.find("{{", at)
        text = source[at:] if opening < 0 else source[at:opening]
        line_of_text, line = line, line + text.count("\n")
        if trims:
            text = text.lstrip(_SPACE)
        trims_before = source.startswith("{{-", opening) and source[opening + 3 : opening + 4] in tuple(
            _SPACE
        )
        if opening >= 0 and trims_before:
            text = text.rstrip(_SPACE)
        if text:
            yield TemplatePiece(line_of_text, text)
        if opening < 0:
            return
        inside = opening + (3 if trims_before else 2)
        tokens, at, trims = _action(source, inside, line)
        if tokens is not None:
            yield TemplatePiece(line, tokens=tokens)
        line += source.count("\n", opening, at)


def _action(source: str, at: int, line: int) -> tuple[tuple[TemplateToken, ...] | None, int, bool]:
    """Its tokens, None for a comment; where it ends; and whether it takes away the space after it."""
    start = _skipped(source, at)
    if comment := _COMMENT.match(source, start):
        if closing := _CLOSING.match(source, comment.end()):
            return None, closing.end(), closing["trims"] is not None
        raise TemplateFailure("template.syntax", line=line, at=source[start : start + 20])
    found: list[TemplateToken] = []
    while True:
        if closing := _CLOSING.match(source, at):
            return tuple(found), closing.end(), closing["trims"] is not None
        begin = _skipped(source, at)
        if begin == len(source):
            raise TemplateFailure("template.unclosed", what=_begun(found))
        token = _TOKEN.match(source, begin)
        if token is None and (closing := _CLOSING.match(source, begin)):
            return tuple(found), closing.end(), closing["trims"] is not None
        if token is None or token.lastgroup is None:
            raise TemplateFailure("template.syntax", line=line, at=source[begin : begin + 20])
        found.append(TemplateToken(token.lastgroup, token[0], begin > at))
        at = token.end()


def _begun(tokens: list[TemplateToken]) -> str:
    return " ".join(token.text for token in tokens[:3])


def _skipped(source: str, at: int) -> int:
    while at < len(source) and source[at] in _SPACE:
        at += 1
    return at
