"""Whether an answer is what was asked for: JSON of a schema, short enough, in the right language."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.base.text import excerpt, with_full_stop
from llmstack_tui.base.wording import Wording
from llmstack_tui.prompts.types import WrongArgument
from llmstack_tui.prompts.wording import SENTENCES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from jsonschema.protocols import Validator

    from llmstack_tui.base.sentences import Sentences

# Models put JSON into a block of Markdown, even if they are told not to.
_FENCE = re.compile(r"\s*```(?:json)?[ \t]*\n(.*)\n[ \t]*```\s*", re.DOTALL | re.IGNORECASE)
_MOST_PROBLEMS = 10

# The most frequent words that the other language has not: in both, one word of four or five is one of them.
_FREQUENT: Mapping[str, str] = {
    "en": "the of and to in is that it for was on are with as be this have from or by not but what all "
    "were when your can there an which their if will each how them then these into has more than",
    "es": "de la que el en y los del se las por un para con una su al lo como más pero sus le ya o este "
    "sí porque esta entre cuando muy sin sobre también hasta hay donde quien desde todo nos es son está",
}
_LEAST_WORDS = 3
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)


class ResponseCheck(Struct, frozen=True):
    """What is wrong with an answer.

    Attributes:
        problems: as data; none if the answer is as it should be.
        value: what the JSON has; None if no schema was given, or it is no JSON.
    """

    problems: Sentences = ()
    value: object = None

    @property
    def is_valid(self) -> bool:
        return not self.problems

    @property
    def reasons(self) -> tuple[str, ...]:
        """The problems in words: a model that is told them can correct its answer."""
        wording = Wording(SENTENCES.get)
        return tuple(wording.text(each) for each in self.problems)


def validate_response(
    text: str,
    schema: dict[str, object] | None = None,
    most_chars: int | None = None,
    language: str | None = None,
) -> ResponseCheck:
    """What is wrong with an answer: every problem, not only the first.

    JSON may stand in a block of Markdown. The language is told by its most frequent words, so a text of a few
    words, or of code alone, is in any language.

    >>> schema = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}
    >>> validate_response('{"age": 42}', schema).value
    {'age': 42}
    >>> validate_response('{"age": "old"}', schema).reasons
    ("At age: 'old' is not of type 'integer'",)
    >>> validate_response("La casa es de la familia que vive en el pueblo.", language="en").reasons
    ('The answer is in Spanish, not in English.',)

    Args:
        schema: a JSON schema of any draft; it is looked up nowhere but in itself.
        most_chars: the most characters that it may have.
        language: "en" or "es".

    Raises:
        WrongArgument: the schema, the limit or the language makes no sense.
    """
    if most_chars is not None and most_chars < 1:
        raise WrongArgument("prompts.no_limit")
    if language is not None and language not in _FREQUENT:
        raise WrongArgument("prompts.wrong_language", name=language, known=tuple(_FREQUENT))
    problems: list[Sentence] = []
    if not text.strip():
        problems.append(Sentence("prompts.answer_empty"))
    if most_chars is not None and len(text) > most_chars:
        problems.append(Sentence("prompts.answer_long", {"count": len(text), "most": most_chars}))
    if language is not None and (found := language_of(text)) not in (None, language):
        words = {"found": _name_of(found or ""), "wanted": _name_of(language)}
        problems.append(Sentence("prompts.answer_language", words))
    value: object = None
    if schema is not None and text.strip():
        value, wrong = _of_schema(text, schema)
        problems += wrong
    return ResponseCheck(tuple(problems), value)


def language_of(text: str) -> str | None:
    """The language of a text, "en" or "es"; None if it is too short to say, or in another."""
    words = re.findall(r"[^\W\d_]+", _CODE.sub(" ", text[:20_000]).lower())
    frequent = {code: frozenset(each.split()) for code, each in _FREQUENT.items()}
    counts = Counter({code: sum(map(known.__contains__, words)) for code, known in frequent.items()})
    (best, most), (_, next_) = counts.most_common(2)
    return best if most >= _LEAST_WORDS and most > 2 * next_ and most * 12 > len(words) else None


def _of_schema(text: str, schema: dict[str, object]) -> tuple[object, list[Sentence]]:
    check = _checker(schema)
    fenced = _FENCE.fullmatch(text)
    try:
        value: object = json.loads(fenced[1] if fenced else text, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        where: dict[str, str | int] = {"why": error.msg, "line": error.lineno, "column": error.colno}
        return None, [Sentence("prompts.answer_not_json", where)]
    except (ValueError, RecursionError) as error:
        why = "nested too deep" if isinstance(error, RecursionError) else excerpt(str(error))
        return None, [Sentence("prompts.answer_not_json", {"why": why, "line": 1, "column": 1})]
    return value, _differences(check, value)


def _no_number(word: str) -> object:
    raise ValueError(f"{word} is no number")


def _name_of(language: str) -> Sentences:
    return (Sentence(f"prompts.language_{language}"),)


def _checker(schema: dict[str, object]) -> Validator:
    from jsonschema import Draft202012Validator  # noqa: PLC0415  # 160 ms, for who has a schema
    from jsonschema.exceptions import SchemaError  # noqa: PLC0415
    from jsonschema.validators import validator_for  # noqa: PLC0415
    from referencing import Registry  # noqa: PLC0415

    chosen = validator_for(schema, default=Draft202012Validator)
    try:
        chosen.check_schema(schema)
    except (SchemaError, RecursionError) as error:
        why = excerpt(error.message) if isinstance(error, SchemaError) else "nested too deep"
        raise WrongArgument("prompts.wrong_schema", why=with_full_stop(why)) from None
    return chosen(schema, registry=Registry())  # An empty one fetches nothing.


def _differences(check: Validator, value: object) -> list[Sentence]:
    from referencing.exceptions import Unresolvable  # noqa: PLC0415

    try:
        errors = list(islice(check.iter_errors(value), _MOST_PROBLEMS))
    except (Unresolvable, RecursionError) as error:
        why = f"{error.ref} is not in it" if isinstance(error, Unresolvable) else "it refers to itself"
        raise WrongArgument("prompts.wrong_schema", why=with_full_stop(excerpt(why))) from None
    return [
        Sentence(
            "prompts.answer_differs", {"place": _place(error.absolute_path), "why": excerpt(error.message)}
        )
        for error in errors
    ]


def _place(path: Iterable[str | int]) -> str:
    """As in JavaScript: ``people[0].age``; ``$`` is all."""
    steps = (f"[{each}]" if isinstance(each, int) else f".{each}" for each in path)
    return excerpt("".join(steps).removeprefix(".") or "$", 100)
