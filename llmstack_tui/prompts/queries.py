"""What a text asks for, by declared patterns: no model is asked, and the same text has the same answer."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from llmstack_tui.base.text import excerpt
from llmstack_tui.prompts.types import WrongArgument

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SHIPPED = Path(__file__).with_name("patterns.toml")
# What is wanted stands at the beginning or the end; what is pasted between may be megabytes.
_LOOKED_AT = 4_000


class Patterns(Struct, frozen=True, forbid_unknown_fields=True):
    """Regular expressions by what they mean; upper and lower case are the same to them.

    Attributes:
        intents: for each intent. The one that stands first in a text is what it asks for.
        entities: for each kind. The group ``value``, or else all, is what is found; each part of a text is
            an entity of the first kind that has it.
    """

    intents: dict[str, list[str]] = {}
    entities: dict[str, list[str]] = {}


class Entity(Struct, frozen=True):
    """A thing that a text names.

    Attributes:
        start: where it begins in the text.
    """

    kind: str
    value: str
    start: int


class Query(Struct, frozen=True):
    """What a text asks for.

    Attributes:
        intent: the name of what is wanted; None if no pattern has it.
    """

    intent: str | None
    entities: tuple[Entity, ...] = ()

    def all(self, kind: str) -> tuple[str, ...]:
        """The values of one kind, in the order of the text."""
        return tuple(each.value for each in self.entities if each.kind == kind)


def parse_query(text: str, patterns: Patterns | Mapping[str, object] | None = None) -> Query:
    """What a text asks for: the intent and the entities, by patterns, in English and Spanish by default.

    The default's intents are the names of the prompts that come with llmstack. Of a long text, the first and
    last 4,000 characters are looked at.

    >>> query = parse_query("Please translate 'good night' into French")
    >>> query.intent, query.all("language"), query.all("quoted")
    ('translate', ('French',), ('good night',))
    >>> parse_query("Resume el fichero notas.txt en 5 frases").intent
    'summarise'
    >>> own = {"intents": {"order": ["\\\\bpizza\\\\b"]}, "entities": {"size": ["large|small"]}}
    >>> parse_query("A large pizza", own)
    Query(intent='order', entities=(Entity(kind='size', value='large', start=2),))

    Raises:
        WrongArgument: the patterns are no such table, or one of them is no regular expression.
    """
    chosen = _shipped() if patterns is None else _read(patterns)
    intents = _compiled(chosen.intents)
    parts = [(0, text)]
    if len(text) > 2 * _LOOKED_AT:
        parts = [(0, text[:_LOOKED_AT]), (len(text) - _LOOKED_AT, text[-_LOOKED_AT:])]
    starts = {
        intent: start + found.start()
        for start, part in reversed(parts)
        for intent, expressions in intents
        if (found := _first(expressions, part))
    }
    entities = [each for start, part in parts for each in _entities(part, start, chosen)]
    return Query(min(starts, key=lambda intent: starts[intent], default=None), tuple(entities))


def _first(expressions: list[re.Pattern[str]], text: str) -> re.Match[str] | None:
    found = [match for each in expressions if (match := each.search(text))]
    return min(found, key=lambda match: match.start(), default=None)


def _entities(text: str, start: int, patterns: Patterns) -> list[Entity]:
    found: list[tuple[int, int, Entity]] = []
    for kind, match in _matches(text, patterns):
        group = "value" if "value" in match.re.groupindex and match["value"] is not None else 0
        begin, end = match.span(group)
        if begin < end and not any(begin < other_end and other < end for other, other_end, _ in found):
            found.append((begin, end, Entity(kind, match[group], start + begin)))
    return [each for _, _, each in sorted(found, key=lambda item: item[0])]


def _matches(text: str, patterns: Patterns) -> Iterator[tuple[str, re.Match[str]]]:
    for kind, expressions in _compiled(patterns.entities):
        for expression in expressions:
            yield from ((kind, match) for match in expression.finditer(text))


def _compiled(patterns: Mapping[str, list[str]]) -> list[tuple[str, list[re.Pattern[str]]]]:
    return [
        (name, [_expression(name, each) for each in expressions]) for name, expressions in patterns.items()
    ]


def _expression(name: str, text: str) -> re.Pattern[str]:
    try:
        return re.compile(text, re.IGNORECASE | re.MULTILINE)
    except (re.error, OverflowError, RecursionError) as error:
        raise WrongArgument("prompts.wrong_pattern", name=name, why=excerpt(str(error))) from None


def _read(patterns: Patterns | Mapping[str, object]) -> Patterns:
    try:
        return msgspec.convert(patterns, Patterns, from_attributes=True)
    except msgspec.ValidationError as error:
        raise WrongArgument("prompts.wrong_patterns", why=excerpt(str(error))) from None


@cache
def _shipped() -> Patterns:
    return msgspec.convert(tomllib.loads(_SHIPPED.read_text(encoding="utf-8")), Patterns)
